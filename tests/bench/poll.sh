#!/bin/bash
# poll.sh: what an unchanged poll costs: processor time of the web server and
# its responders for one request, beside a FastCGI program that answers a
# constant and a static file's 304, both of the same lighttpd in this run.
#
# SECONDS_EACH (5): how long each row is measured, after one second of warmth.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"

each=${SECONDS_EACH:-5}
controller_start LOG_LEVEL=error
theirs=$(port_free)
mkdir "$dir/site"
echo '{"version":1}' >"$dir/site/static"
cat >"$dir/peer.conf" <<CONF
server.modules = ("mod_fastcgi")
server.bind = "127.0.0.1"
server.port = $theirs
server.document-root = "$dir/site"
mimetype.assign = ("" => "application/json")
fastcgi.server = ("/constant" => (("socket" => "$dir/peer",
    "bin-path" => "$PWD/$BUILD/tests/other.fcgi", "max-procs" => 2,
    "check-local" => "disable")))
CONF
program_start peer lighttpd -D -f "$dir/peer.conf"
wait_until curl -sf "http://127.0.0.1:$theirs/constant"
request POST /config "$ADMIN_KEY" --data '{"url":"http://127.0.0.1/"}'
request GET /config "$AGENT_KEY"
tag=$(header ETag)
static=$(curl -sI "http://127.0.0.1:$theirs/static" | tr -d '\r' |
    sed -n 's/^ETag: //p')

# cost PROGRAM URL [HEADER...]: microseconds of processor a request.
cost()
{
	local pid url=$2 before after args=() header
	pid=$(program_pid "$1")
	shift 2
	for header; do args+=(-H "$header"); done
	wrk -t1 -c8 -d1 "${args[@]}" "$url" >"$dir/wrk"
	before=$(bench_cpu "$pid")
	wrk -t1 -c8 -d"$each" "${args[@]}" "$url" >"$dir/wrk"
	after=$(bench_cpu "$pid")
	awk -v cpu=$((after - before)) \
	    '/requests in/ { print cpu / $1 }' "$dir/wrk"
}

id=3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f
ours=$(cost controller "$base/config" "$AGENT_KEY" "If-None-Match: $tag" \
    "X-Agent-ID: $id" 'X-Applied-Version: 1' 'X-Agent-State: ok')
constant=$(cost peer "http://127.0.0.1:$theirs/constant")
static=$(cost peer "http://127.0.0.1:$theirs/static" "If-None-Match: $static")
bench_row 'one unchanged poll' "responder : libfcgi's constant" \
    "$ours" "$constant" 'us of CPU' 'x<=1.2'
bench_row 'one unchanged poll' "responder : lighttpd's static 304" \
    "$ours" "$static" 'us of CPU' -
