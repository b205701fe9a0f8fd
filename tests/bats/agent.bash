# agent.bash: the agent between a controller and a worker that do what a test
# wants (peer.py). `load helper`, then `load agent`. Each test has a folder,
# peers and an agent of its own.
#
# shellcheck disable=SC2034,SC2154	# helper's: SWAGGER, bin, status

SWAGGER=agent/swagger.yaml
agent_arguments=()			# of dcm-agent

setup()
{
	dir=$BATS_TEST_TMPDIR
	mkdir -p "$dir/state"
	truth '{"version": 0}'
}

teardown()
{
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		tail -n 40 "$dir/agent.log" 2>/dev/null
	fi
	programs_stop
	[ ! -e "$dir/agent.log" ] ||
	    refute grep -E 'Sanitizer|runtime error' "$dir/agent.log"
}

# peer_start NAME: or starts it again, at the port it had.
peer_start()
{
	mkdir -p "$dir/$1"
	rm -f "$dir/$1/ready"
	port_kept "$1"
	program_start "$1" python3 "$BATS_TEST_DIRNAME/peer.py" \
	    "$dir/$1" "$(<"$dir/$1.port")"
	wait_until test -e "$dir/$1/ready"
	eval "$1=http://127.0.0.1:$(<"$dir/$1.port")"
}

# peers: a controller and a worker.
peers()
{
	peer_start controller
	peer_start worker
}

# put FILE TEXT: at once, for a reader that may come between.
put()
{
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "$2" >"$1.new"
	mv "$1.new" "$1"
}

# truth JSON: what the controller has. say NAME JSON: how a peer is bent.
truth()
{
	put "$dir/controller/config.json" "$1"
}

say()
{
	put "$dir/$1/say.json" "$2"
}

# publish VERSION [INTERVAL]: a document that tells versions apart.
publish()
{
	truth "{\"version\": $1, \"poll_interval_seconds\": ${2:-1},
	    \"data\": {\"url\": \"http://target/$1\"}}"
}

# agent_run [NAME=value ...]: sets $agent and $base. Quick: it retries within
# a second and looks at the worker every second. What counts requests is not to
# meet a busy machine's timeouts: who wants one within seconds says so.
agent_run()
{
	[ -n "${agent_port:-}" ] || agent_port=$(port_free)
	agent=http://127.0.0.1:$agent_port
	base=$agent
	program_start agent env -i PATH="$PATH" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    AGENT_PORT="$agent_port" STATE_DIR="$dir/state" \
	    CONTROLLER_URL="${controller-http://127.0.0.1:9}" \
	    CONTROLLER_API_KEY=fleet-key \
	    WORKER_URL="${worker-http://127.0.0.1:9}" \
	    BACKOFF_MAX_SECONDS=1 WORKER_CHECK_SECONDS=1 \
	    LOG_LEVEL=debug "$@" \
	    "$bin/dcm-agent" "${agent_arguments[@]}"
	wait_until curl -s "$agent/health"
}

registered()
{
	state .controller.registered
}

# agent_fails [NAME=value ...]: it ends by itself; sets $output and $status.
agent_fails()
{
	run timeout 60 env -i PATH="$PATH" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    AGENT_PORT=0 STATE_DIR="$dir/state" \
	    CONTROLLER_URL=http://127.0.0.1:9 CONTROLLER_API_KEY=fleet-key \
	    WORKER_URL=http://127.0.0.1:9 "$@" \
	    "$bin/dcm-agent" "${agent_arguments[@]}"
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
}

# asked NAME FILTER: the requests that a peer got, as an array.
asked()
{
	jq -es "$2" "$dir/$1/requests"
}

# applied: the versions that the worker applied, in order: "1 2 3".
applied()
{
	[ ! -e "$dir/worker/applied" ] ||
	    jq -s -r 'map(.version | tostring) | join(" ")' \
	    "$dir/worker/applied"
}

applied_is()
{
	[ "$(applied)" = "$*" ]
}

# state FILTER: something that is true of the agent's /state.
state()
{
	[ "$(curl -s "$agent/state" | jq "$1")" = true ]
}

# more NAME FILTER: waits until the peer got one more request like that than
# there are now.
count()
{
	[ -e "$dir/$1/requests" ] || {
		echo 0
		return
	}
	jq -s "map(select($2)) | length" "$dir/$1/requests"
}

counts()
{
	[ "$(count "$1" "$2")" -ge "$3" ]
}

more()
{
	wait_until counts "$1" "$2" $(($(count "$1" "$2") + ${3:-1}))
}
