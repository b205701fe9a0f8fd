# e2e.bats: from an administrator's curl to the bytes of a web server.
#
# Each test stands on the one before. The controller is mounted below a
# prefix; its log tells every poll.

load helper

setup_file()
{
	export TRANSPORT=mount PROGRAMS_STAY=1
	controller_start DEFAULT_POLL_INTERVAL=1 LOG_LEVEL=debug
	target_start
	head -c 300000 /dev/urandom >"$dir/target/first.bin"
	head -c 70000 /dev/urandom >"$dir/target/second.bin"
	echo "the third page" >"$dir/target/third.txt"
	worker_start
	agent_start
}

# Ends the file at the first failure: the rest would only wait.
setup()
{
	[ ! -e "$dir/broken" ] || skip "an earlier step failed"
	touch "$dir/broken"
}

teardown()
{
	[ -z "$BATS_TEST_COMPLETED" ] || rm -f "$dir/broken"
}

publish()
{
	request POST "/config$2" "${ADMIN[@]}" --data "{\"url\":\"$target/$1\"}"
}

# polls [STATUS]: how many configurations were asked for.
polls()
{
	grep -c "\"GET /config\" ${1:-}" "$dir/controller.log" || :
}

more_polls()
{
	[ "$(polls "$2")" -ge "$1" ]
}

worker_has()
{
	[ "$(curl -s "$worker/state" | jq .version)" = "$1" ]
}

hit_is()
{
	curl -sf "$worker/hit" | cmp - "$dir/target/$1"
}

agent_state()
{
	[ "$(curl -s "$agent/state" | jq "$1")" = true ]
}

@test "the agent registers under a UUID, which the controller lists" {
	wait_until agent_state .controller.registered
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	[[ $id =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}- ]]
	request GET /agents "${ADMIN[@]}"
	expect_status 200
	expect_json "length == 1 and .[0].id == \"$id\""
}

@test "before the first publish a hit is answered with 503" {
	[ "$(curl -so "$dir/hit" -w '%{http_code}' "$worker/hit")" = 503 ]
}

@test "a published configuration is delivered by the very next poll" {
	wait_until more_polls 1
	# one that is under way would be in the log behind the publish
	kill -s STOP "$(program_pid agent)"
	silent()
	{
		local count
		count=$(polls)
		sleep 3
		[ "$(polls)" = "$count" ]
	}
	wait_until silent
	publish first.bin
	kill -s CONT "$(program_pid agent)"
	expect_status 201
	expect_json '.version == 1'
	wait_until worker_has 1
	# Of all polls since the publish, the first had the news.
	sed -n '/"POST .config" 201/,$p' "$dir/controller.log" |
	    grep '"GET /config"' | head -n 1 | grep -q '" 200 '
}

@test "a hit returns the target's bytes and type" {
	hit_is first.bin
	curl -sI "$worker/hit" | grep -qi '^content-type: application/octet'
}

@test "a changed configuration is followed" {
	publish second.bin
	expect_status 201
	expect_json '.version == 2'
	wait_until worker_has 2
	hit_is second.bin
}

@test "the worker's log shows each change with version and URL" {
	log_has worker "\[config\].*version 1.*$target/first.bin"
	log_has worker "\[config\].*version 2.*$target/second.bin"
}

@test "unchanged polls are answered with 304 and each version once with 200" {
	wait_until more_polls $(($(polls 304) + 3)) 304
	sed -n '/"POST .config" 201/,$p' "$dir/controller.log" >"$dir/since"
	[ "$(grep -c '"GET /config" 200' "$dir/since")" = 2 ]
	refute grep -E '"GET /config" (1|30[^4]|[45])' "$dir/since"
}

@test "the controller sees what the worker has applied" {
	applied()
	{
		request GET /agents "${ADMIN[@]}"
		expect_json '.[0].applied_version == 2 and .[0].state == "ok"
		    and .[0].up_to_date'
	}
	wait_until applied
}

@test "with the controller gone a hit is still answered" {
	controller_stop
	hit_is second.bin
	wait_until log_has agent 'controller|unreachable|backoff|again'
	hit_is second.bin
}

@test "when the controller is back the next change arrives" {
	controller_again
	publish third.txt
	expect_status 201
	expect_json '.version == 3'
	wait_until -t 60 worker_has 3
	hit_is third.txt
}

@test "an interval changed at run time is the agent's from the next poll" {
	request POST '/config?poll_interval=3600' "${ADMIN[@]}" \
	    --data "{\"url\":\"$target/first.bin\"}"
	expect_status 201
	wait_until agent_state '.poll_interval_seconds == 3600 and
	    .applied_version == 4'
	# The news goes upstream once more, so that the controller knows long
	# before the interval is over; then there is silence.
	known()
	{
		request GET /agents "${ADMIN[@]}"
		expect_json '.[0].applied_version == 4 and .[0].up_to_date' &&
		request GET /rollout "${ADMIN[@]}" &&
		expect_json '.version == 4 and .agents.up_to_date == 1'
	}
	wait_until -t 30 known
	quiet()
	{
		local count
		count=$(polls)
		sleep 3
		[ "$(polls)" = "$count" ]
	}
	wait_until quiet
	request POST '/config?poll_interval=1' "${ADMIN[@]}" \
	    --data "{\"url\":\"$target/second.bin\"}"
	expect_status 201
	kill -s HUP "$(program_pid agent)"
	wait_until worker_has 5
	wait_until more_polls $(($(polls) + 3))
}

@test "an agent that starts again keeps its id and the worker its work" {
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	program_stop agent
	hit_is second.bin
	agent_start
	wait_until agent_state ".agent_id == \"$id\" and .applied_version == 5"
	request GET /agents "${ADMIN[@]}"
	expect_json 'length == 1'
}

@test "a worker that starts again is given its configuration" {
	program_stop worker KILL
	worker_start
	wait_until worker_has 5
	hit_is second.bin
}

# once OPTION [NAME=value ...]: a second agent, as a command.
once()
{
	local option=$1
	shift
	env -i PATH="$PATH" STATE_DIR="$dir/second" CONTROLLER_URL="$base" \
	    CONTROLLER_USERNAME=agent CONTROLLER_PASSWORD=agent-secret \
	    WORKER_URL="$worker" WORKER_API_KEY=worker-key-of-the-tests \
	    "$@" "$bin/dcm-agent" "$option" 2>"$dir/second.log"
}

@test "--check finds all well, registers nobody, and names what is wrong" {
	once --check >"$dir/check"
	[ "$(grep -c ' ok' "$dir/check")" = 6 ]
	run once --check CONTROLLER_PASSWORD=wrong WORKER_API_KEY=wrong
	[ "$status" = 1 ]
	grep -q '^credential *not ok: .*401' <<<"$output"
	grep -q '^worker key *not ok: .*401' <<<"$output"
	run once --check CONTROLLER_USERNAME=admin \
	    CONTROLLER_PASSWORD=admin-secret
	grep -q '^credential *not ok: .*403' <<<"$output"
	run once --check CONTROLLER_URL="${base%/some/where}"
	grep -q '^controller *not ok: .*CONTROLLER_URL' <<<"$output"
	request GET /agents "${ADMIN[@]}"
	expect_json 'length == 1'
	[ ! -e "$dir/second" ]
}

@test "--once delivers to a worker and reports it" {
	program_stop agent
	publish third.txt '?poll_interval=3600'
	expect_status 201
	[ "$(once --once)" = "version 6 is applied" ]
	worker_has 6
	hit_is third.txt
	reported()
	{
		request GET /agents "${ADMIN[@]}"
		expect_json 'map(select(.applied_version == 6 and
		    .state == "ok")) | length == 1'
	}
	wait_until reported
}
