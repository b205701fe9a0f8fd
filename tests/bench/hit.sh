#!/bin/bash
# hit.sh: what a hit costs: processor time and throughput of a small page
# beside nginx's proxy_pass with kept connections, both in front of the same
# nginx; /health while a thousand slow hits are held; a body of 1 GB.
#
# SECONDS_EACH (2): how long each round of the small page is measured; ROUNDS
# (9): how many there are, of the page and of the body, ours and theirs in
# turn. Many short ones: whatever else runs on the machine makes a request
# dearer by some microseconds, ours and theirs alike, and so changes the ratio.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"
# of bats, to load the helper, which is here already
load() { :; }
# shellcheck source=tests/bats/worker.bash
. "$BATS_TEST_DIRNAME/worker.bash"

each=${SECONDS_EACH:-2} rounds=${ROUNDS:-9} area='one hit'

# nginx_start NAME PORT LOCATION [OUTSIDE]: one process, in $dir/NAME.
nginx_start()
{
	mkdir -p "$dir/$1"
	cat >"$dir/$1.conf" <<-CONF
	daemon off;
	worker_processes 1;
	$([ "$(id -u)" != 0 ] || echo 'user root;')
	pid $dir/$1/pid;
	error_log $dir/$1/error.log;
	events { worker_connections 4096; }
	http {
		access_log off;
		keepalive_requests 1000000000;
		client_body_temp_path $dir/$1/body;
		proxy_temp_path $dir/$1/proxy;
		fastcgi_temp_path $dir/$1/fastcgi;
		uwsgi_temp_path $dir/$1/uwsgi;
		scgi_temp_path $dir/$1/scgi;
		sendfile on;
		${4-}
		server {
			listen 127.0.0.1:$2;
			$3
		}
	}
	CONF
	program_start "$1" nginx -c "$dir/$1.conf" -e "$dir/$1/error.log"
	wait_until curl -s -o /dev/null "http://127.0.0.1:$2/"
}

# nginx_pid NAME: of the one that works.
nginx_pid()
{
	pgrep -P "$(program_pid "$1")"
}

# strain NAME PID URL: appends microseconds of processor a request, and
# requests a second, to $dir/NAME.cost and .rate.
strain()
{
	local name=$1 pid=$2 url=$3 before after
	before=$(bench_cpu "$pid")
	wrk -t1 -c32 -d"$each" "$url" >"$dir/wrk"
	after=$(bench_cpu "$pid")
	awk -v cpu=$((after - before)) '/requests in/ { print cpu / $1 }' \
	    "$dir/wrk" >>"$dir/$name.cost"
	awk '/Requests\/sec/ { print $2 }' "$dir/wrk" >>"$dir/$name.rate"
}

small()
{
	local i
	for ((i = 0; i < rounds; i++)); do
		strain ours "$(program_pid worker)" "$base/hit"
		strain peer "$(nginx_pid proxy)" "http://127.0.0.1:$proxy/"
	done
	bench_row "$area" "a small page : nginx's proxy_pass" \
	    "$(bench_median <"$dir/ours.cost")" \
	    "$(bench_median <"$dir/peer.cost")" 'us of CPU' 'x<=1.5'
	bench_row "$area" "a small page : nginx's proxy_pass" \
	    "$(bench_median <"$dir/ours.rate")" \
	    "$(bench_median <"$dir/peer.rate")" requests/s -
}

# crowd URL: holds a thousand requests until its standard input ends; says
# so when all have been sent.
crowd()
{
	python3 -c '
import resource
import socket
import sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
many = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        for _ in range(1000)]
for one in many:
    one.sendall(b"GET /hit HTTP/1.1\r\nHost: a\r\n\r\n")
sys.stdin.read()' "$worker_port"
}

# health COUNT: milliseconds that each took, on one connection.
health()
{
	python3 -c '
import http.client
import sys
import time
to = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    to.request("GET", "/health")
    assert to.getresponse().read()
    print((time.perf_counter() - begin) * 1000)
    time.sleep(0.005)' "$worker_port" "$1"
}

slow()
{
	local alone pid
	put "{\"url\":\"$target/hang\",\"timeout_seconds\":300}"
	alone=$(health 200 | bench_median)
	mkfifo "$dir/hold"
	crowd <"$dir/hold" &
	pid=$!
	exec 8>"$dir/hold"
	wait_until -t 60 state '.active_hits == 1000'
	bench_row "$area" '/health beside 1,000 slow hits : alone' \
	    "$(health 500 | bench_median)" "$alone" 'ms, median' '<=10'
	state '.active_hits == 1000'
	exec 8>&-
	wait "$pid"
	wait_until state '.active_hits == 0'
}

peak()
{
	awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$1/status"
}

# large NAME PID URL: appends MB a second and microseconds of processor a MB;
# the peak, MiB, is of all rounds.
large()
{
	local before after
	before=$(bench_cpu "$2")
	curl -s -o /dev/null -w '%{size_download} %{speed_download}\n' "$3" |
	    awk '$1 != 2 ^ 30 { exit 1 } { print $2 / 1e6 }' >>"$dir/$1.speed"
	after=$(bench_cpu "$2")
	awk -v cpu=$((after - before)) 'BEGIN { print cpu / (2 ^ 30 / 1e6) }' \
	    >>"$dir/$1.work"
	peak "$2" >"$dir/$1.peak"
}

big()
{
	local i one
	put_url "http://127.0.0.1:$origin/big.bin"
	for one in "$(program_pid worker)" "$(nginx_pid proxy)"; do
		echo 5 >"/proc/$one/clear_refs" 2>/dev/null || :
	done
	for ((i = 0; i < rounds; i++)); do
		large ours "$(program_pid worker)" "$base/hit"
		large peer "$(nginx_pid proxy)" \
		    "http://127.0.0.1:$proxy/big.bin"
	done
	bench_row "$area" 'a body of 1 GB : nginx' \
	    "$(bench_median <"$dir/ours.speed")" \
	    "$(bench_median <"$dir/peer.speed")" MB/s -
	bench_row "$area" 'a body of 1 GB : nginx' \
	    "$(bench_median <"$dir/ours.work")" \
	    "$(bench_median <"$dir/peer.work")" 'us of CPU a MB' -
	bench_row "$area" 'memory after 1 GB : nginx' "$(<"$dir/ours.peak")" \
	    "$(<"$dir/peer.peak")" MiB -
}

target_start
worker_start ALLOW_CIDR=127.0.0.1 QUEUE_URL=memory: LOG_LEVEL=warn
if command -v nginx >/dev/null; then
	origin=$(port_free) proxy=$(port_free)
	mkdir "$dir/site"
	truncate -s 1G "$dir/site/big.bin"
	nginx_start origin "$origin" "
		location = / {
			default_type text/plain;
			return 200 'hello, this is a small page';
		}
		location / { root $dir/site; }"
	nginx_start proxy "$proxy" '
		location / {
			proxy_pass http://origin;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_max_temp_file_size 0;
		}' "upstream origin {
			server 127.0.0.1:$origin;
			keepalive 256;
			keepalive_requests 1000000000;
		}"
	put_url "http://127.0.0.1:$origin/"
	wrk -t1 -c32 -d1 "$base/hit" >"$dir/wrk"
	wrk -t1 -c32 -d1 "http://127.0.0.1:$proxy/" >"$dir/wrk"
	small
	big
else
	bench_skip "$area" "a small page : nginx's proxy_pass" \
	    'nginx is missing'
	bench_skip "$area" 'a body of 1 GB : nginx' 'nginx is missing'
fi
slow
