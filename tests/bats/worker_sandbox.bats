# worker_sandbox.bats: what the worker gives up once it has started.
# tests/unit/sandbox.c tries to get out; escape.c does so from inside a worker
# that runs.

load worker

teardown()
{
	programs_stop
}

privileges()
{
	awk '/^NoNewPrivs:/ { print $2 }' "/proc/$(program_pid worker)/status"
}

@test "the worker is in a sandbox, and the log says in which" {
	worker_start
	[ "$(privileges)" = 1 ]
	log_has worker 'init\] sandbox: no_new_privs'
	request GET /health
	expect_status 200
}

@test "SANDBOX=off leaves it out, and the log says so" {
	worker_start SANDBOX=off
	[ "$(privileges)" = 0 ]
	log_has worker 'init\] sandbox: off'
	run env -i SANDBOX=maybe STATE_DIR="$dir" "$bin/dcm-worker"
	[ "$status" = 1 ]
	[[ $output == *SANDBOX* ]]
}

# escapes [NAME=value ...]: what a worker that runs can do; in
# $dir/worker/escaped.
escapes()
{
	mkdir -p "$dir/out" "$dir/worker"
	rm -f "$dir/worker/escaped"
	echo kept >"$dir/out/there"
	printf '#!/bin/sh\nexit 0\n' >"$dir/worker/script"
	chmod +x "$dir/worker/script"
	cc -shared -fPIC -o "$dir/escape.so" "$top/tests/bats/escape.c"
	worker_start LD_PRELOAD="$dir/escape.so" ESCAPE_TO="$dir/out" \
	    ESCAPE_SCRIPT="$dir/worker/script" \
	    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
	    "$@"
	kill -USR1 "$(program_pid worker)"
	told()
	{
		[ "$(wc -l <"$dir/worker/escaped")" = 13 ]
	}
	wait_until told 2>/dev/null
	cat "$dir/worker/escaped"
}

@test "nothing leads out of a worker that runs" {
	escapes
	refute log_has worker 'no Landlock' || skip "this kernel has no Landlock"
	refute grep -v ': no$' "$dir/worker/escaped"
	[ "$(<"$dir/out/there")" = kept ]
	[ "$(ls "$dir/out")" = there ]
	request GET /health
	expect_status 200
}

@test "without the sandbox the same attempts succeed" {
	escapes SANDBOX=off
	# a program that runs cannot be written to: ETXTBSY
	[ "$(grep -v ': yes$' "$dir/worker/escaped")" = 'write a program: no' ]
	[ -z "$(ls "$dir/out/there" 2>/dev/null)" ]
}

@test "tasks, names and certificates work inside" {
	target_start
	worker_start ALLOW_CIDR=127.0.0.0/8,::1 MAX_RESULT_BYTES=1000000
	put_url "$target/big?1000000"
	request GET '/hit?async=true'
	request GET "$(header Location)?wait=30"
	expect_json '.status == "completed"'
	put_url "http://localhost:${target##*:}/hello"
	hit
	expect_status 200
	local n
	for n in {1..200}; do
		curl -s "$base/hit?async=true" >/dev/null
	done
	wait_until state '.tasks.completed == 201'
}

@test "SQLite makes no file elsewhere, whatever the load" {
	target_start
	worker_start ALLOW_CIDR=127.0.0.0/8 WORKER_CONCURRENCY=200
	put_url "$target/hello"
	# A thousand at once, so that one commit has them all.
	python3 - "$worker_port" <<-'PY'
	import socket
	import sys
	many = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	        for _ in range(50)]
	for _ in range(6):
	    for one in many:
	        one.sendall(b"GET /hit?async=true HTTP/1.1\r\nHost: a\r\n\r\n"
	                    * 20)
	    for one in many:
	        got = b""
	        while got.count(b'"queued"}') < 20:
	            got += one.recv(65536)
	PY
	wait_until -t 300 state '.tasks.completed == 6000'
	refute log_has worker ' error '
}
