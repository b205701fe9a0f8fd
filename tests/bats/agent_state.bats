# agent_state.bats: what the agent remembers, and what it does not believe.

load helper
load agent

# An agent that has applied version 7 and was stopped.
make_state()
{
	peers
	publish 7
	agent_run
	wait_until applied_is 7
	wait_until grep -q '^version 7$' "$dir/state/agent.state"
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	program_stop agent
	program_stop controller
}

@test "the file is for its owner, and nothing is left beside it" {
	make_state
	[ "$(stat -c %a "$dir/state/agent.state")" = 600 ]
	[ "$(cd "$dir/state" && echo *)" = "agent.state agent.state.lock" ]
}

@test "it remembers who it is, where it polls and what was applied" {
	make_state
	agent_run
	state ".agent_id == \"$id\" and .applied_version == 7 and
	    .last_config_version == 7 and
	    .config_url == \"http://target/7\" and
	    .poll_url == \"$controller/config\" and
	    .poll_interval_seconds == 1"
	log_has agent "\[state\].*agent $id, version 7"
}

@test "a truncated file is put aside, and the id lives on" {
	make_state
	truncate -s -20 "$dir/state/agent.state"
	agent_run
	log_has agent 'warn \[state\].*truncated or altered; it is now.*bad-'
	state ".agent_id == \"$id\" and .applied_version == 0"
	test -f "$dir"/state/agent.state.bad-*
	peer_start controller
	wait_until state '.applied_version == 7'
	applied_is 7			# the worker had it all the time
	asked controller "all(.headers[\"x-agent-id\"] == \"$id\")"
}

@test "an altered file is put aside: no byte of it is delivered" {
	make_state
	sed -i 's|http://target/7|http://evil.x/7|' "$dir/state/agent.state"
	program_stop worker
	peer_start worker
	agent_run
	more worker '.path == "/state"' 3
	applied_is 7
	state ".agent_id == \"$id\" and .applied_version == 0"
}

@test "an empty file, noise, a folder: each is put aside" {
	make_state
	: >"$dir/state/agent.state"
	agent_run
	state ".agent_id != \"$id\" and .applied_version == 0"
	program_stop agent
	head -c 100000 /dev/urandom >"$dir/state/agent.state"
	agent_run
	program_stop agent
	rm "$dir/state/agent.state"
	mkdir "$dir/state/agent.state"
	agent_run
	log_has agent 'cannot be read: Is a directory'
	program_stop agent
	bad=("$dir"/state/agent.state.bad-*)
	[ ${#bad[@]} = 3 ]
	[ -f "$dir/state/agent.state" ]
}

@test "a file that cannot be written stops neither polls nor delivery" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	wait_until grep -q '^version 1$' "$dir/state/agent.state"
	rm -r "$dir/state"
	: >"$dir/state"			# a file where the folder was
	publish 2
	wait_until applied_is 1 2
	wait_until log_has agent 'warn \[state\].*cannot be written'
	publish 3
	wait_until applied_is 1 2 3
	wait_until state '.applied_version == 3'
	rm "$dir/state"
	wait_until grep -q '^version 3$' "$dir/state/agent.state"
	wait_until log_has agent 'is written again'
}

@test "a full disk is survived, and tried again" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	wait_until grep -q '^version 1$' "$dir/state/agent.state"
	prlimit --pid "$(program_pid agent)" --fsize=16:unlimited
	publish 2
	wait_until applied_is 1 2
	prlimit --pid "$(program_pid agent)" --fsize=unlimited:unlimited
	wait_until grep -q '^version 2$' "$dir/state/agent.state"
	two()
	{
		[ "$(cd "$dir/state" && echo *)" = \
		    "agent.state agent.state.lock" ]
	}
	wait_until two
}

# A folder in its place: like a full disk, also for root.
make_unlocked()
{
	peers
	publish 1
	mkdir "$dir/state/agent.state.lock"
	agent_run
	log_has agent 'warn \[state\].*agent.state.lock: Is a directory'
	wait_until applied_is 1
	wait_until grep -q '^version 1$' "$dir/state/agent.state"
}

@test "a lock that cannot be made at the start is made later" {
	make_unlocked
	rmdir "$dir/state/agent.state.lock"
	wait_until log_has agent 'agent.state is locked now'
	agent_fails
	[[ $output == *"is used by another dcm-agent"* ]]
}

@test "a file that another agent has locked meanwhile is left to it" {
	make_unlocked
	# the agent stands still, or it would be the first
	kill -STOP "$(program_pid agent)"
	rmdir "$dir/state/agent.state.lock"
	program_start owner flock "$dir/state/agent.state.lock" sleep 1000
	wait_until pgrep -P "$(program_pid owner)" -x sleep
	kill -CONT "$(program_pid agent)"
	wait_until log_has agent 'cannot be written: another dcm-agent uses it'
	publish 2
	wait_until applied_is 1 2
	wait_until state '.applied_version == 2'
	grep -q '^version 1$' "$dir/state/agent.state"
	kill "$(pgrep -P "$(program_pid owner)")"
	wait_until grep -q '^version 2$' "$dir/state/agent.state"
	wait_until log_has agent 'is written again'
}

@test "what a killed writer left behind is swept away" {
	make_state			# nothing will be saved any more
	echo half >"$dir/state/agent.state.new"
	: >"$dir/state/agent.state.other"
	agent_run
	[ ! -e "$dir/state/agent.state.new" ]
	[ -e "$dir/state/agent.state.other" ]
}

@test "another controller gets no token of the old one" {
	peers
	truth '{"version": 1, "data": {}, "token": "old-token"}'
	agent_run
	wait_until applied_is 1
	program_stop agent
	peer_start other
	put "$dir/other/config.json" '{"version": 1, "data": {}}'
	agent_run CONTROLLER_URL="$other"
	wait_until counts other '.path == "/register"' 1
	wait_until counts other '.path == "/config"' 1
	refute grep -q old-token "$dir/other/requests"
}

@test "killed over and over while it writes, it reads old or new" {
	peers
	publish 1
	local i n=1
	for i in 1 2 3 4 5 6 7 8; do
		agent_run
		publish $((n += 1))
		wait_until state ".last_config_version == $n"
		program_stop agent KILL
	done
	agent_run
	wait_until state ".applied_version == $n"
	refute grep -q 'truncated or altered' "$dir/agent.log"
}
