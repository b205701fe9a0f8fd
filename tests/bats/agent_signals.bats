# agent_signals.bats: how the agent ends, reads its settings again, and rests.

load helper
load agent

# stopped SIGNAL: whether it ends within two seconds while everybody hangs.
stopped()
{
	local since asked
	asked=$(count controller '.path == "/config"')
	agent_run REQUEST_TIMEOUT_SECONDS=60
	wait_until counts controller '.path == "/config"' $((asked + 1))
	since=$(date +%s%N)
	program_stop agent "$1"
	[ $((($(date +%s%N) - since) / 1000000)) -lt 2000 ]
}

@test "SIGTERM and SIGINT end it within two seconds, whatever hangs" {
	peers
	publish 1
	say controller '{"GET /config": {"do": "hang"}}'
	say worker '{"GET /state": {"do": "hang"}}'
	# more than once where the machine is too busy for two seconds
	wait_until stopped TERM
	log_has agent '\[shutdown\] SIGTERM'
	wait_until stopped INT
	log_has agent '\[shutdown\] SIGINT'
	log_has agent '\[shutdown\] stopped'
}

@test "it exits with 0 when it was told to stop" {
	agent_run
	kill "$(program_pid agent)"
	wait "$(program_pid agent)"
}

@test "SIGHUP polls now, past every cache" {
	peers
	publish 1 3600
	agent_run
	wait_until counts controller '.path == "/config"' 2
	publish 2 3600
	kill -s HUP "$(program_pid agent)"
	wait_until applied_is 1 2
	wait_until counts controller '.path == "/config"' 3
	asked controller 'map(select(.path == "/config")) | .[2] |
	    .headers["cache-control"] == "no-cache"'
}

@test "SIGHUP reads the file again: another key, another controller" {
	peers
	publish 1 3600
	echo 'CONTROLLER_API_KEY=first' >"$dir/agent.conf"
	echo "CONTROLLER_URL=$controller" >>"$dir/agent.conf"
	agent_arguments=(--config "$dir/agent.conf")
	agent_run CONTROLLER_API_KEY= CONTROLLER_URL=
	wait_until counts controller '.path == "/config"' 2
	sed -i 's/first/second/' "$dir/agent.conf"
	kill -s HUP "$(program_pid agent)"
	wait_until counts controller '.path == "/register"' 2
	asked controller 'map(select(.path == "/register")) |
	    .[1].headers["x-api-key"] == "second"'
	peer_start other
	put "$dir/other/config.json" '{"version": 2, "data": {}}'
	put "$dir/agent.conf" "CONTROLLER_API_KEY=second
	    CONTROLLER_URL=$other
	    AGENT_PORT=1"
	kill -s HUP "$(program_pid agent)"
	wait_until applied_is 1 2
	state ".controller.url == \"$other\" and
	    .poll_url == \"$other/config\""
}

@test "SIGHUP with another worker: the old one is not waited for" {
	peers
	peer_start other
	publish 1 3600
	say worker '{"POST /config": {"do": "hang"}}'
	echo "WORKER_URL=$worker" >"$dir/agent.conf"
	agent_arguments=(--config "$dir/agent.conf")
	agent_run WORKER_URL= REQUEST_TIMEOUT_SECONDS=60
	wait_until counts worker '.method == "POST"' 1
	put "$dir/agent.conf" "WORKER_URL=$other"
	kill -s HUP "$(program_pid agent)"
	wait_until test -s "$dir/other/applied"
	wait_until state '.applied_version == 1 and .worker.state == "ok"'
	refute log_has agent 'no worker at'
}

@test "a file that has become wrong changes nothing, and is complained of" {
	peers
	publish 1 3600
	echo 'AGENT_HOSTNAME=here' >"$dir/agent.conf"
	agent_arguments=(--config "$dir/agent.conf")
	agent_run
	wait_until applied_is 1
	echo "AGENT_METADATA='{'" >"$dir/agent.conf"
	kill -s HUP "$(program_pid agent)"
	wait_until log_has agent 'error \[init\].*AGENT_METADATA'
	wait_until log_has agent 'the settings stay as they were'
	publish 2 3600
	kill -s HUP "$(program_pid agent)"
	wait_until applied_is 1 2
}

@test "SIGHUP gives a refused configuration another chance" {
	peers
	publish 1 3600
	say worker '{"POST /config": [{"status": 400}, {"like": true}]}'
	agent_run
	wait_until state '.worker.state == "failed"'
	kill -s HUP "$(program_pid agent)"
	wait_until applied_is 1
	wait_until state '.worker.state == "ok"'
}

switches()
{
	awk '/ctxt_switches/ { n += $2 } END { print n }' \
	    "/proc/$(program_pid agent)/status"
}

@test "it is one thread, and rests when nothing happens" {
	peers
	publish 1 3600
	agent_run WORKER_CHECK_SECONDS=3600
	wait_until applied_is 1
	wait_until counts controller '.path == "/config"' 2
	grep -qx 'Threads:.1' "/proc/$(program_pid agent)/status"
	quiet()
	{
		local before
		before=$(switches)
		sleep 2
		[ "$(switches)" -le $((before + 1)) ]
	}
	wait_until quiet
}

# Wake-ups from sleep: the timer's, and the answer's.
sleeps()
{
	awk '/^voluntary_ctxt_switches/ { print $2 }' \
	    "/proc/$(program_pid agent)/status"
}

@test "a check and a poll cost two wake-ups each" {
	peers
	publish 1 1
	agent_run
	wait_until applied_is 1
	cheap()
	{
		local before asked
		before=$(sleeps)
		asked=$(($(count controller true) + $(count worker true)))
		sleep 8
		before=$(($(sleeps) - before))
		asked=$(($(count controller true) + $(count worker true) -
		    asked))
		echo "$before for $asked requests"
		[ "$asked" -ge 10 ] && [ $before -le $((asked * 2 + 3)) ]
	}
	# a connection may have been closed in between
	wait_until -t 120 cheap
}
