# agent_hints.bats: brokers that flood, lie or hang, and controllers that
# cannot hold a poll: the agent reads no more often than it should, and lives.

load helper
load agent
load broker

polled='.path == "/config" and .method == "GET"'
held='.path == "/config?wait=55"'

# memory: the agent's resident set, in MB. A sanitizer has much of its own.
memory()
{
	awk '/^VmRSS/ { print int($2 / 1024) }' \
	    "/proc/$(program_pid agent)/status"
}

# quiet: an agent whose controller wants a poll an hour, that has version 1.
quiet()
{
	peers
	publish 1 3600
	agent_run "$@"
	wait_until applied_is 1
	# the news of it are upstream, within five seconds
	wait_until counts controller "$polled and
	    .headers[\"x-applied-version\"] == \"1\"" 1
}

@test "a burst of messages is one read, within HINT_SPREAD_SECONDS" {
	played burst
	quiet DISTRIBUTION_STRATEGY=NATS HINT_SPREAD_SECONDS=2 \
	    NATS_URL="nats://127.0.0.1:$played"
	# 200 come with the subscription, and with each ping
	local fresh="$polled and .headers[\"cache-control\"] == \"no-cache\""
	wait_until counts controller "$fresh" 1
	sleep 3
	[ "$(count controller "$fresh")" -le "$(wc -l <"$dir/played.burst.sent")" ]
}

@test "a flood of messages is two reads a second, and no memory" {
	played flood
	quiet DISTRIBUTION_STRATEGY=NATS NATS_URL="nats://127.0.0.1:$played"
	before=$(memory)
	local n since=$SECONDS
	n=$(count controller "$polled")
	sleep 5
	wait_until counts controller "$polled" $((n + 2))
	n=$(($(count controller "$polled") - n))
	[ $n -le $(((SECONDS - since) * 2 + 4)) ]
	publish 2 3600
	wait_until applied_is 1 2
	[ $(($(memory) - before)) -lt 20 ]
	local since=${EPOCHREALTIME/./}
	program_stop agent
	[ $((${EPOCHREALTIME/./} - since)) -lt 20000000 ]
}

@test "nonsense from a broker is survived, with bounded memory" {
	local manner way
	local since
	peers
	publish 1
	for manner in garbage endless kick tls; do
		played $manner
		for way in redis nats; do
			[ $manner-$way != tls-redis ] || continue
			rm -f "$dir/played.$manner.met"
			since=$SECONDS
			agent_run DISTRIBUTION_STRATEGY=${way^^} \
			    "${way^^}_URL=$way://127.0.0.1:$played"
			[ $manner-$way = endless-redis ] ||
			    wait_until state '.hints_error != null'
			# it tries again, with backoff
			wait_until met $manner 2
			refute met $manner $((30 + 3 * (SECONDS - since)))
			wait_until state '.controller.state == "polling"'
			state '.hints == "connecting"'
			[ "$(memory)" -lt 150 ]
			program_stop agent
			log_has agent stopped
		done
	done
	# Who wants TLS is told no credential in the clear.
	refute grep -s CONNECT "$dir/played.tls.said"
}

met()
{
	[ "$(wc -l <"$dir/played.$1.met")" -ge "$2" ]
}

@test "a name that is long in being resolved blocks nothing" {
	peers
	publish 1
	agent_run DISTRIBUTION_STRATEGY=NATS \
	    NATS_URL=nats://no-such-host.invalid,nats://nor.this.invalid
	wait_until applied_is 1
	more controller "$polled" 3
	state '.hints == "connecting"'
	local since=${EPOCHREALTIME/./}
	program_stop agent
	[ $((${EPOCHREALTIME/./} - since)) -lt 20000000 ]
}

@test "a controller that cannot hold a poll is asked once an interval" {
	peers
	publish 1 2
	say controller '{"GET /config?wait=55": {"status": 304}}'
	agent_run DISTRIBUTION_STRATEGY=WATCH
	wait_until applied_is 1
	# its acknowledgement is news, which are told between the polls
	wait_until counts controller "$held and
	    .headers[\"x-applied-version\"] == \"1\"" 1
	more controller "$held" 3
	asked controller "[.[] | select($held) | .time] | .[-3:] |
	    .[1] - .[0] >= 1.7 and .[2] - .[1] >= 1.7"
}

@test "a controller that refuses to hold a poll is polled as ever" {
	peers
	publish 1 1
	say controller '{"GET /config?wait=55": {"status": 400}}'
	agent_run DISTRIBUTION_STRATEGY=WATCH
	wait_until applied_is 1
	publish 2 1
	wait_until applied_is 1 2
	publish 3 1
	wait_until applied_is 1 2 3
}

@test "a held poll has its time, and then the time of a request" {
	peers
	publish 1 1
	say controller '{"GET /config?wait=55": {"status": 304, "delay": 5}}'
	agent_run DISTRIBUTION_STRATEGY=WATCH REQUEST_TIMEOUT_SECONDS=2
	wait_until applied_is 1
	more controller "$held" 2
	state '.controller.error == null and .hints == "held"'
	# The worker's news do not wait for its end.
	say worker '{"GET /state": {"do": "reset"},
	    "POST /config": {"do": "reset"}}'
	wait_until counts controller '.headers["x-agent-state"] ==
	    "no-worker"' 1
}

@test "a strategy wants its setting, and a good one" {
	agent_fails DISTRIBUTION_STRATEGY=REDIS
	[[ $output == *REDIS_URL*not*set* ]]
	agent_fails DISTRIBUTION_STRATEGY=NATS
	[[ $output == *NATS_URL*not*set* ]]
	agent_fails DISTRIBUTION_STRATEGY=CARRIER
	[[ $output == *POLLER*WATCH*REDIS*NATS* ]]
	agent_fails DISTRIBUTION_STRATEGY=NATS NATS_URL=tls://u:s3cret@h
	[[ $output == *NATS_URL* && $output != *s3cret* ]]
	agent_fails DISTRIBUTION_STRATEGY=REDIS REDIS_URL=redis://u:s3cret@h:x
	[[ $output == *REDIS_URL* && $output != *s3cret* ]]
	agent_fails DISTRIBUTION_STRATEGY=NATS NATS_URL=nats://h \
	    HINT_SPREAD_SECONDS=3601
	[[ $output == *HINT_SPREAD_SECONDS*3600* ]]
}

@test "the brokers' URLs are kept from a worker that the agent starts" {
	peer_start controller
	publish 1
	worker=http://127.0.0.1:$(port_free)
	agent_run DISTRIBUTION_STRATEGY=NATS NATS_URL=nats://s3cret@127.0.0.1 \
	    REDIS_URL=redis://:s3cret@127.0.0.1 \
	    WORKER_COMMAND="$bin/dcm-worker"
	wait_until log_has agent 'started .*, process [0-9]+'
	pid=$(sed -n 's/.*started .*, process //p' "$dir/agent.log")
	# until it becomes the worker it is a copy of the agent
	wait_until grep -q dcm-worker "/proc/$pid/comm"
	wait_until grep -az STATE_DIR "/proc/$pid/environ"
	refute grep -az s3cret "/proc/$pid/environ"
}
