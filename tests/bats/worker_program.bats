# worker_program.bats: the worker as a program: settings, signals, and clients that mean ill.

load worker

setup_file()
{
	target_start
	worker_start ALLOW_CIDR=127.0.0.1
}

# fails PATTERN NAME=value...: it does not start, and says why.
fails()
{
	local pattern=$1
	shift
	run timeout 60 env -i PATH="$PATH" BIND_ADDRESS=127.0.0.1 \
	    STATE_DIR="$dir/fails" WORKER_PORT=0 "$@" "$bin/dcm-worker"
	echo "$output"
	[ "$status" = 1 ]
	grep -qE -- "$pattern" <<<"$output"
}

@test "--help, --version, --openapi; anything else is explained" {
	run "$bin/dcm-worker" --help
	[ "$status" = 0 ]
	[[ $output == *WORKER_PORT*8082*ALLOW_CIDR* ]]
	run "$bin/dcm-worker" --version
	[ "$status" = 0 ]
	[[ $output =~ ^dcm-worker\ [0-9.]+$ ]]
	run "$bin/dcm-worker" --nonsense
	[ "$status" = 2 ]
	[[ $output == *usage* ]]
	run "$bin/dcm-worker" --config
	[ "$status" = 2 ]
}

@test "worker/swagger.yaml is what the program prints and serves" {
	"$bin/dcm-worker" --openapi | diff -u "$top/worker/swagger.yaml" -
	curl -s "$base/swagger.yaml" | diff -u "$top/worker/swagger.yaml" -
	request GET /swagger.yaml
	expect_status 200
}

@test "wrong settings stop it, with name, value and what is allowed" {
	fails 'WORKER_PORT.*eighty' WORKER_PORT=eighty
	fails 'WORKER_PORT.*65536' WORKER_PORT=65536
	fails 'PORT.*-1' WORKER_PORT= PORT=-1
	fails 'REQUEST_TIMEOUT_SECONDS.*301' REQUEST_TIMEOUT_SECONDS=301
	fails 'MAX_RESPONSE_BYTES.*1\.5' MAX_RESPONSE_BYTES=1.5
	fails 'ALLOW_CIDR.*10.0.0.0/33' ALLOW_CIDR=10.0.0.0/33
	fails 'LOG_LEVEL.*loud.*debug' LOG_LEVEL=loud
	fails 'LOG_FORMAT.*xml' LOG_FORMAT=xml
	fails 'BIND_ADDRESS|999.1.1.1' BIND_ADDRESS=999.1.1.1
	fails 'WORKER_API_KEY_FILE' WORKER_API_KEY_FILE="$dir/not-there"
}

@test "STATE_DIR may lie behind a symbolic link, the queue be none" {
	mkdir -p "$dir/real"
	ln -s "$dir/real" "$dir/link"
	own ALLOW_CIDR=127.0.0.1 STATE_DIR="$dir/link/deep"
	put_url "$target/hello"
	request GET '/hit?async=true'
	expect_status 202
	request GET "$(header Location)?wait=30"
	expect_json '.status == "completed"'
	[ -n "$(ls "$dir/real/deep")" ]
	program_stop own
	ln -s "$dir/real/elsewhere" "$dir/real/linked.db"
	fails 'linked.db' QUEUE_URL="sqlite:$dir/link/linked.db"
	[ ! -e "$dir/real/elsewhere" ]
}

@test "a port in use stops it, naming the address" {
	fails "$worker_port" WORKER_PORT="$worker_port"
}

@test "--config FILE is read, below the environment" {
	local port
	port=$(port_free)
	printf 'WORKER_PORT=1\nLOG_FORMAT=json\nBIND_ADDRESS="127.0.0.1"\n' \
	    >"$dir/worker.conf"
	program_start other env -i PATH="$PATH" WORKER_PORT="$port" \
	    STATE_DIR="$dir/other" "$bin/dcm-worker" --config "$dir/worker.conf"
	wait_until port_open "$port"
	wait_until log_has other '^\{"time":.*"component":"init"'
	program_stop other
	run "$bin/dcm-worker" --config "$dir/not-there"
	[ "$status" = 1 ]
	[[ $output == *not-there* ]]
	echo 'nonsense' >"$dir/worker.conf"
	run "$bin/dcm-worker" --config "$dir/worker.conf"
	[ "$status" = 1 ]
}

@test "what does not exist is refused in the order of the contract" {
	request GET /nowhere
	expect_problem 404
	request GET /hit/
	expect_problem 404
	request GET /nothing
	expect_problem 404
	request DELETE /config
	expect_problem 405
	expect_header Allow '.*POST.*'
	request POST /hit --data x
	expect_problem 405
	request GET '/hit?x=1'
	expect_problem 400 x
	request GET '/state?verbose=1'
	expect_problem 400
	request GET '/config?a=1&a=2'
	expect_problem 400
}

@test "X-Request-ID is echoed, and made when there is none" {
	request GET /health 'X-Request-ID: mine-1'
	expect_header X-Request-ID mine-1
	request GET /hit 'X-Request-ID: mine-2'
	expect_header X-Request-ID mine-2
	request GET /health
	expect_header X-Request-ID '.{8,}'
}

# raw TEXT...: printf'd to the worker; the first line of the answer, if any.
raw()
{
	exec 7<>"/dev/tcp/127.0.0.1/$worker_port"
	# shellcheck disable=SC2059
	printf "$@" >&7 2>/dev/null || true
	IFS= read -r -t 20 answer <&7 || answer=
	exec 7>&-
}

@test "half a request harms nobody" {
	exec 7<>"/dev/tcp/127.0.0.1/$worker_port"
	printf 'GET /hea' >&7
	request GET /health
	expect_status 200
	exec 7>&-
	exec 7<>"/dev/tcp/127.0.0.1/$worker_port"
	printf 'POST /config HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{"url":"http' >&7
	request GET /health
	expect_status 200
	exec 7>&-
	wait_until state '.connections == 1'
}

@test "100 KB of headers are refused with 431" {
	raw 'GET /health HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n' \
	    "$(head -c 100000 /dev/zero | tr '\0' x)"
	[[ $answer == *431* ]]
	request GET /health
	expect_status 200
}

@test "what is no HTTP is refused, and the next request is answered" {
	local text
	for text in 'nonsense\r\n\r\n' 'GET / HTTP/1.1\r\n\r\n' \
	    'GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n' \
	    'GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'; do
		raw "$text"
		[[ $answer == 'HTTP/1.1 4'* ]]
		request GET /health
		expect_status 200
	done
}

@test "each log line says which component speaks" {
	local task name
	own ALLOW_CIDR=127.0.0.1 LOG_LEVEL=debug QUEUE_URL=memory: \
	    WORKER_RETRY_MAX=0
	put_url "http://127.0.0.1:1/"
	hit
	expect_problem 502
	request GET '/hit?async=true'
	task=$(jq -r .task_id "$dir/body")
	request GET "/hit/$task?wait=20"
	expect_json '.status == "failed"'
	program_stop own
	for name in init http config hit task shutdown; do
		log_has own "^[0-9TZ:.-]+ [a-z]+ \\[$name\\] "
	done
	refute grep -vE '^[0-9TZ:.-]+ (error|warn|info|debug) \[[a-z]+\] ' \
	    "$dir/own.log"
	own QUEUE_URL=redis://127.0.0.1:1
	wait_until log_has own '\[queue\] redis'
}

@test "SIGTERM lets what runs finish, accepts nothing new, exits with 0" {
	own ALLOW_CIDR=127.0.0.1
	put_url "$target/wait?$dir/end"
	curl -s --max-time 30 "$base/hit" >"$dir/last" &
	local curl=$! pid status=0
	wait_until state '.active_hits == 1'
	pid=$(program_pid own)
	kill -TERM "$pid"
	wait_until log_has own '\[shutdown\] signal'
	wait_until refute port_open "$worker_port"
	touch "$dir/end"
	wait $curl
	[ "$(<"$dir/last")" = waited ]
	wait_until program_gone own
	log_has own '\[shutdown\] done'
	# its exit status, from a start whose parent is this test
	rm "$dir/own.log"
	env -i PATH="$PATH" BIND_ADDRESS=127.0.0.1 WORKER_PORT=0 \
	    STATE_DIR="$dir/own" "$bin/dcm-worker" 2>"$dir/own.log" 3>&- &
	pid=$!
	wait_until grep -q init "$dir/own.log"
	kill -TERM $pid
	wait $pid || status=$?
	[ $status = 0 ]
}

@test "SIGTERM waits ten seconds at most" {
	own ALLOW_CIDR=127.0.0.1
	put "{\"url\":\"$target/hang?term\",\"timeout_seconds\":300}"
	curl -s --max-time 60 "$base/hit" >/dev/null &
	local curl=$!
	wait_until state '.active_hits == 1'
	kill -TERM "$(program_pid own)"
	wait_until -t 30 program_gone own
	wait $curl || true
	log_has own '\[shutdown\] 1 hits are cut off'
}
