# agent_wake.bats: a change is there at once, although the agent polls once
# an hour; and whatever happens to the messenger, nothing is lost. Controller,
# worker and brokers are real.
# transports: watch redis nats

load helper
load broker

setup_file()
{
	export PROGRAMS_STAY=1 way=$TRANSPORT TRANSPORT=standalone
	redis_start
	nats_start
	controller_start REDIS_URL="$redis" NATS_URL="$nats" \
	    DEFAULT_POLL_INTERVAL=3600
	worker_start
}

setup()
{
	TRANSPORT=standalone
	redis=redis://127.0.0.1:$(<"$dir/redis.port")
	nats=nats://127.0.0.1:$(<"$dir/nats.port")
}

teardown()
{
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		tail -n 30 "$dir/agent.log"
	fi
	program_stop agent
	[ ! -e "$dir/agent.log" ] ||
	    mv "$dir/agent.log" "$dir/agent.log.$BATS_TEST_NUMBER"
}

# wake [NAME=value ...]: an agent with the strategy, subscribed.
wake()
{
	agent_start DISTRIBUTION_STRATEGY="${way^^}" REDIS_URL="$redis" \
	    NATS_URL="$nats" BACKOFF_MAX_SECONDS=2 \
	    REQUEST_TIMEOUT_SECONDS=2 "$@"
	wait_until woken
	wait_until state '.controller.last_answer_at != null or
	    .hints == "held"'
}

state()
{
	curl -s --max-time 20 "$agent/state" | json_true "$1"
}

woken()
{
	state '.hints == "held" or .hints == "subscribed"'
}

# publish PATH: sets $version.
publish()
{
	request POST /config "${ADMIN[@]}" --data "{\"url\":\"http://t/$1\"}"
	expect_status 201
	version=$(jq .version "$dir/body")
}

# arrived: the worker has what was published last.
arrived()
{
	[ "$(curl -s "$worker/state" | jq .version)" = "$version" ]
}

# known: and that is known upstream.
known()
{
	request GET /agents "${ADMIN[@]}" &&
	    expect_json "any(.[]; .applied_version == $version)"
}

broker_pause()
{
	kill -STOP "$(program_pid "$way")"
}

broker_go()
{
	kill -CONT "$(program_pid "$way")"
}

@test "a publish reaches the worker although the interval is an hour" {
	publish first
	wake
	wait_until arrived
	state ".strategy == \"${way^^}\" and .poll_interval_seconds == 3600"
	for n in 1 2 3 4 5; do
		publish "next/$n"
		wait_until arrived
	done
	wait_until state ".applied_version == $version"
	wait_until known
}

@test "what was published while the messenger was away is read at once" {
	wake
	publish before
	wait_until arrived
	if [ "$way" = watch ]; then
		controller_stop
		wait_until state '.controller.error != null'
		controller_again
	else
		wait_until known	# by a poll, which is to be the last one
		program_stop "$way" KILL
		wait_until state '.hints == "connecting"'
		publish away
		sleep 1
		refute arrived
		"${way}_start"
		wait_until woken
		wait_until arrived
		state '.hints_error == null'
	fi
	# Also one that could not be held is followed by held ones.
	publish back
	wait_until -t 60 arrived
	publish again
	wait_until -t 60 arrived
}

@test "a broker that is paused is noticed, and the agent goes on" {
	[ "$way" != watch ] || skip "there is no broker"
	wake
	broker_pause
	publish paused
	wait_until -t 120 state '.hints == "connecting" and
	    .hints_error == "it does not answer"' || failed=1
	state '.worker.state == "ok"' || failed=1
	broker_go
	[ -z "${failed-}" ]
	wait_until woken
	wait_until arrived
	publish on
	wait_until arrived
}

@test "a message that is lost costs one interval" {
	[ "$way" != watch ] || skip "there is no message"
	request POST '/config?poll_interval=2' "${ADMIN[@]}" \
	    --data '{"url":"http://t/interval"}'
	# a broker that the controller does not know
	local known=$redis known_nats=$nats
	cp "$dir/$way.port" "$dir/known.port"
	cp "$dir/$way.pid" "$dir/known.pid"
	port_free >"$dir/$way.port"
	"${way}_start"
	wake
	publish lost
	wait_until arrived
	refute log_has agent 'polling goes on'
	program_stop agent
	program_stop "$way"
	mv "$dir/known.port" "$dir/$way.port"
	mv "$dir/known.pid" "$dir/$way.pid"
	request POST '/config?poll_interval=3600' "${ADMIN[@]}" \
	    --data '{"url":"http://t/interval"}'
}

@test "of several servers one that is there is found" {
	[ "$way" = nats ] || skip "there is one"
	local other=$nats
	wake NATS_URL="nats://127.0.0.1:9,nats://127.0.0.2:9,$nats"
	publish several
	wait_until arrived
}

@test "passwords and tokens open a broker, from a file as well" {
	[ "$way" != watch ] || skip "there is no broker"
	program_stop "$way"
	if [ "$way" = redis ]; then
		redis_start --requirepass 's3cret@'
		echo "redis://:s3cret%40@${redis#*//}" >"$dir/url"
	else
		nats_start nats --user me --pass 's3cret@'
		echo "nats://me:s3cret%40@${nats#*//}" >"$dir/url"
	fi
	wake "${way^^}_URL=" "${way^^}_URL_FILE=$dir/url"
	refute log_has agent 's3cret'
	if [ "$way" = nats ]; then
		program_stop agent
		program_stop nats
		nats_start nats --auth tok3n
		wake NATS_URL="nats://tok3n@${nats#*//}"
		refute log_has agent tok3n
	fi
	program_stop agent
	program_stop "$way"
	"${way}_start"
}

@test "an agent with a wrong password polls on and says so" {
	[ "$way" != watch ] || skip "there is no broker"
	program_stop "$way"
	if [ "$way" = redis ]; then
		redis_start --requirepass right
		wrong=redis://:wr0ng@${redis#*//}
	else
		nats_start nats --user me --pass right
		wrong=nats://me:wr0ng@${nats#*//}
	fi
	request POST '/config?poll_interval=2' "${ADMIN[@]}" \
	    --data "{\"url\":\"http://t/wrong\"}"
	agent_start DISTRIBUTION_STRATEGY="${way^^}" "${way^^}_URL=$wrong" \
	    BACKOFF_MAX_SECONDS=2
	wait_until state '.hints == "connecting" and (.hints_error |
	    test("WRONGPASS|invalid password|Authorization Violation"))'
	publish polled
	wait_until arrived
	wait_until log_has agent 'hints.*(WRONGPASS|invalid pass|Authorization)'
	refute log_has agent wr0ng
	# once for a reason, not at each attempt
	sleep 3
	grep -o 'warn .*polling goes on' "$dir/agent.log" >"$dir/reasons"
	[ -z "$(uniq -d "$dir/reasons")" ]
	[ "$(wc -l <"$dir/reasons")" -le 3 ]
	program_stop agent
	program_stop "$way"
	"${way}_start"
	request POST '/config?poll_interval=3600' "${ADMIN[@]}" \
	    --data '{"url":"http://t/wrong"}'
}

@test "SIGTERM ends it at once, held or subscribed" {
	wake
	publish steady
	wait_until arrived
	sleep 2			# the next one is held
	local since=${EPOCHREALTIME/./}
	program_stop agent
	# and not at the end of a hold
	[ $((${EPOCHREALTIME/./} - since)) -lt 20000000 ]
	log_has agent 'stopped'
}

@test "SIGHUP with another strategy: at once" {
	cat >"$dir/agent.conf" <<-CONF
	DISTRIBUTION_STRATEGY=POLLER
	NATS_URL=$nats
	REDIS_URL=$redis
	CONF
	port_kept agent
	agent=http://127.0.0.1:$(<"$dir/agent.port")
	program_start agent env -i PATH="$PATH" AGENT_PORT="${agent##*:}" \
	    STATE_DIR="$dir/agent" CONTROLLER_URL="$base" \
	    CONTROLLER_USERNAME=agent CONTROLLER_PASSWORD=agent-secret \
	    WORKER_URL="$worker" WORKER_API_KEY=worker-key-of-the-tests \
	    "$bin/dcm-agent" --config "$dir/agent.conf"
	wait_until state '.hints == "none" and .controller.registered'
	sed -i "s/POLLER/${way^^}/" "$dir/agent.conf"
	kill -HUP "$(program_pid agent)"
	wait_until woken
	publish hup
	wait_until arrived
	sed -i "s/=${way^^}$/=POLLER/" "$dir/agent.conf"
	kill -HUP "$(program_pid agent)"
	wait_until state '.hints == "none"'
}
