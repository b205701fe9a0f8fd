#!/bin/bash
# poll.sh: what an unchanged poll costs: processor time of the web server and
# its responders for one request, beside a FastCGI program that answers a
# constant and a static file's 304, both of the same lighttpd in this run.
#
# SECONDS_EACH (5): how long each row is measured, after one second of warmth.
set -eu

cd "$(dirname "$0")/../.."
each=${SECONDS_EACH:-5}
dir=$(mktemp -d)
pids=()
bench_end()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || :
	wait
	rm -rf "$dir"
}
trap bench_end EXIT
trap 'exit 1' HUP INT TERM

port_free()
{
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# up URL: waits until it answers.
up()
{
	local try
	for try in {1..100}; do
		[ "$try" = 100 ] || sleep 0.1
		if curl -s -o "$dir/out" "$1"; then return; fi
	done
	echo "poll.sh: $1 does not answer" >&2
	exit 1
}

ours=$(port_free) theirs=$(port_free)
env -i PATH="$PATH" STATE_DIR="$dir/state" CONTROLLER_PORT="$ours" \
    ADMIN_API_KEY=bench-admin AGENT_API_KEY=bench-agent LOG_LEVEL=error \
    lighttpd/run.sh >"$dir/log" 2>&1 &
pids+=($!)
mkdir "$dir/site"
echo '{"version":1}' >"$dir/site/static"
cat >"$dir/peer.conf" <<EOF
server.modules = ("mod_fastcgi")
server.bind = "127.0.0.1"
server.port = $theirs
server.document-root = "$dir/site"
mimetype.assign = ("" => "application/json")
fastcgi.server = ("/constant" => (("socket" => "$dir/peer",
    "bin-path" => "$PWD/build/tests/other.fcgi", "max-procs" => 2,
    "check-local" => "disable")))
EOF
PATH=$PATH:/usr/sbin lighttpd -D -f "$dir/peer.conf" >"$dir/peer.log" 2>&1 &
pids+=($!)
up "http://127.0.0.1:$ours/health"
up "http://127.0.0.1:$theirs/constant"
curl -sf -o "$dir/out" -H 'X-API-Key: bench-admin' \
    -d '{"url":"http://127.0.0.1/"}' "http://127.0.0.1:$ours/config"
tag=$(curl -s -D - -o "$dir/out" -H 'X-API-Key: bench-agent' \
    "http://127.0.0.1:$ours/config" | tr -d '\r' | sed -n 's/^ETag: //p')
static=$(curl -s -D - -o "$dir/out" "http://127.0.0.1:$theirs/static" |
    tr -d '\r' | sed -n 's/^ETag: //p')

# ticks PID: of the process and its children, user and system.
ticks()
{
	local pid all=("$1")
	mapfile -t -O 1 all < <(pgrep -P "$1")
	for pid in "${all[@]}"; do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk '{ n += $12 + $13 } END { print n }'
}

# row NAME PID URL [HEADER...]: microseconds of processor a request.
row()
{
	local name=$1 pid=$2 url=$3 before after args=() header
	shift 3
	for header; do args+=(-H "$header"); done
	wrk -t1 -c8 -d1 "${args[@]}" "$url" >"$dir/out"
	before=$(ticks "$pid")
	wrk -t1 -c8 -d"$each" "${args[@]}" "$url" >"$dir/wrk"
	after=$(ticks "$pid")
	awk -v name="$name" -v ticks=$((after - before)) \
	    -v hz="$(getconf CLK_TCK)" '
	/requests in/ { n = $1 }
	/Requests\/sec/ { rate = $2 }
	END { printf "%s\t%.1f\t%.0f\n", name, ticks / hz / n * 1e6, rate }
	' "$dir/wrk" >>"$dir/rows"
	[ ! -t 2 ] || echo "measured: $name" >&2
}

id=3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f
row 'unchanged poll, responder' "${pids[0]}" "http://127.0.0.1:$ours/config" \
    'X-API-Key: bench-agent' "If-None-Match: $tag" "X-Agent-ID: $id" \
    'X-Applied-Version: 1' 'X-Agent-State: ok'
row 'constant from libfcgi' "${pids[1]}" "http://127.0.0.1:$theirs/constant"
row "lighttpd's static 304" "${pids[1]}" "http://127.0.0.1:$theirs/static" \
    "If-None-Match: $static"
awk -F '\t' '
{ name[NR] = $1; cpu[NR] = $2; rate[NR] = $3 }
END {
	printf "%-28s %12s %12s %8s\n", "", "CPU us each", "requests/s",
	    "ratio"
	for (i = 1; i <= NR; i++)
		printf "%-28s %12.1f %12d %8.2f\n", name[i], cpu[i], rate[i],
		    cpu[1] / cpu[i]
}' "$dir/rows"
