# agent_once.bats: --once and --check.

bats_require_minimum_version 1.5.0
load helper
load agent

# command OPTION [NAME=value ...]: the agent as a command; sets $status and
# $output (its standard output).
command_run()
{
	local option=$1
	shift
	run --separate-stderr timeout 60 env -i PATH="$PATH" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    AGENT_PORT=0 STATE_DIR="$dir/state" CONTROLLER_URL="$controller" \
	    CONTROLLER_API_KEY=fleet-key WORKER_URL="$worker" \
	    "$@" "$bin/dcm-agent" "$option"
}

# ends STATUS PATTERN
ends()
{
	if [ "$status" != "$1" ] || ! grep -qE -- "$2" <<<"$output"; then
		echo "status $status, not $1 ($2): $output" >&2
		return 1
	fi
}

# applied VERSION was told upstream
told()
{
	jq -se "map(select(.headers[\"x-applied-version\"] == \"$1\")) |
	    length > 0" "$dir/controller/requests" >/dev/null
}

@test "once: it registers, reads, delivers, tells, and exits with 0" {
	peers
	publish 7 3600
	command_run --once
	ends 0 'version 7 is applied'
	[ "$(count worker '.path == "/state"')" = 1 ]	# nothing twice
	applied_is 7
	told 7
	grep -q '^version 7$' "$dir/state/agent.state"
	publish 8 3600
	command_run --once
	ends 0 'version 8 is applied'
	applied_is 7 8
	# It was the same agent.
	asked controller 'map(select(.path == "/register") |
	    .headers["x-agent-id"]) | unique | length == 1'
}

@test "once: a controller registers it without a port" {
	peer_start worker
	controller_start
	controller=$base
	command_run --once CONTROLLER_API_KEY="${AGENT_KEY#*: }"
	ends 0 'nothing is published'
	curl -sf -H "$ADMIN_KEY" "$base/agents" >"$dir/agents"
	[ "$(jq -c 'map(.port)' "$dir/agents")" = '[null]' ]
}

@test "once: what is up to date is given nothing" {
	peers
	publish 7 3600
	command_run --once
	ends 0 'version 7'
	command_run --once
	ends 0 'version 7'
	applied_is 7
	program_stop worker
	peer_start worker	# another one, with nothing
	truth '{"version": 0}'
	rm -rf "$dir/state"
	command_run --once
	ends 0 'nothing is published'
}

@test "once: a worker that lost it is given the present one" {
	peers
	publish 7 3600
	command_run --once
	program_stop worker
	peer_start worker
	command_run --once
	ends 0 'version 7'
	applied_is 7 7
}

@test "once: the exit status names who failed" {
	peers
	publish 7 3600
	say controller '{"POST /register": {"status": 401}}'
	command_run --once
	ends 4 '401'
	say controller '{"POST /register": {"status": 403}}'
	command_run --once
	ends 4 '403'
	say controller '{"POST /register": {"status": 500}}'
	command_run --once
	ends 3 '500'
	say controller '{"GET /config": {"status": 401}}'
	command_run --once
	ends 4 '401'
	say controller '{"GET /config": {"status": 200, "body": "noise"}}'
	command_run --once
	ends 3 '.'
	say controller '{"GET /config": {"do": "hang"}}'
	command_run --once REQUEST_TIMEOUT_SECONDS=2
	ends 3 '.'
	applied_is ''
	say controller '{}'
	say worker '{"POST /config": {"status": 400, "body":
	    "{\"detail\": \"not that\"}"}}'
	command_run --once
	ends 6 'not that'
	say worker '{"POST /config": {"status": 503}}'
	command_run --once
	ends 5 '503'
	program_stop worker
	command_run --once
	ends 5 'no worker'
	refute grep -q '^version' "$dir/state/agent.state"
}

@test "once: a state file that is in use or cannot be written" {
	peers
	publish 7 3600
	agent_run
	wait_until applied_is 7
	wait_until grep -q '^version 7$' "$dir/state/agent.state"
	cp "$dir/state/agent.state" "$dir/before"
	command_run --once
	[ "$status" = 7 ]
	cmp "$dir/before" "$dir/state/agent.state"
	state '.controller.state == "polling"'
	program_stop agent
	publish 8 3600
	command_run --once STATE_FILE=/dev/full/agent.state
	ends 7 'version 8 is applied, but not in the state file'
	applied_is 7 8
	command_run --once WORKER_CHECK_SECONDS=0
	[ "$status" = 1 ]
}

@test "once: it listens nowhere and starts no worker" {
	peers
	publish 7
	agent_run STATE_DIR="$dir/other"
	wait_until applied_is 7
	command_run --once AGENT_PORT="$agent_port" \
	    WORKER_COMMAND="touch $dir/started"
	ends 0 'version 7'
	[ ! -e "$dir/started" ]
}

@test "check: all is well, and nothing was changed" {
	peers
	publish 7
	agent_run
	wait_until applied_is 7
	wait_until grep -q '^version 7$' "$dir/state/agent.state"
	cp "$dir/state/agent.state" "$dir/before"
	say controller '{"POST /register": {"status": 400}, "GET /health":
	    {"status": 200, "body": "{}"}}'
	say worker '{"GET /config": {"status": 200, "body": "{}"}}'
	command_run --check
	ends 0 'settings +ok'
	for name in controller credential worker 'worker key' 'state file'; do
		ends 0 "^$name +ok: "
	done
	ends 0 "worker +ok: .* version 7"
	ends 0 "state file +ok: .*version 7, in use by process $(program_pid \
	    agent)"
	refute grep -q 'not ok' <<<"$output"
	cmp "$dir/before" "$dir/state/agent.state"
	[ "$(find "$dir/state" -type f | wc -l)" = 2 ]
	applied_is 7
	# It takes no part: no id, no version of its own.
	asked controller 'map(select(.body == "[]")) |
	    length == 1 and (.[0].headers | has("x-agent-id") | not)'
}

@test "check: each thing that is not well has a line with what to do" {
	peers
	say controller '{"POST /register": {"status": 401}}'
	say worker '{"GET /config": {"status": 401},
	    "GET /state": {"status": 200, "body": "<html>"}}'
	mkdir -p "$dir/state"
	echo noise >"$dir/state/agent.state"
	command_run --check WORKER_COMMAND="$dir/nowhere -x"
	ends 1 '^controller +not ok: .*/health answers 404.*CONTROLLER_URL'
	ends 1 '^credential +not ok: .*401.*CONTROLLER_API_KEY.*AGENT_API_KEY'
	ends 1 '^worker +not ok: .*WORKER_URL'
	ends 1 '^worker key +not ok: .*401.*WORKER_API_KEY'
	ends 1 '^command +not ok: .*/nowhere.*WORKER_COMMAND'
	ends 1 '^state file +not ok: .*truncated or altered'
	[ "$(<"$dir/state/agent.state")" = noise ]
	[ "$(find "$dir/state" -type f | wc -l)" = 1 ]
	controller=http://127.0.0.1:9 worker=http://127.0.0.1:9
	command_run --check STATE_FILE=/dev/full/agent.state
	ends 1 '^controller +not ok: .*9: .*is it running'
	ends 1 '^worker +not ok: .*9: .*WORKER_URL'
	ends 1 '^state file +not ok: .*/dev/full/agent.state cannot be'
	refute grep -E '^(credential|worker key)' <<<"$output"
	command_run --check WORKER_COMMAND="sh -x"
	ends 1 '^worker +ok: not there yet; the agent starts it'
	ends 1 '^command +ok: sh'
	command_run --check AGENT_PORT=x WORKER_CHECK_SECONDS=0
	ends 1 '^settings +not ok: AGENT_PORT'
	ends 1 '^settings +not ok: WORKER_CHECK_SECONDS'
}

@test "once and check exclude each other" {
	run -2 "$bin/dcm-agent" --once --check
	run -2 "$bin/dcm-agent" --check --once
}
