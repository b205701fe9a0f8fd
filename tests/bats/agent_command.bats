# agent_command.bats: WORKER_COMMAND: the worker as a child of the agent.

load helper
load agent

# worker_at: a port for a worker that is not there yet; sets $worker.
worker_at()
{
	peer_start controller
	publish 1
	worker=http://127.0.0.1:$(port_free)
}

# supervise COMMAND [NAME=value ...]
supervise()
{
	local command=$1
	shift
	agent_run WORKER_COMMAND="$command" WORKER_PORT="${worker##*:}" \
	    STATE_DIR="$dir/state" "$@"
}

# script NAME: a program of /bin/sh from standard input.
script()
{
	{ echo '#!/bin/sh'; cat; } >"$dir/$1"
	chmod 755 "$dir/$1"
}

# The process numbers that the agent said it started, one a line.
started()
{
	sed -n 's/.*\[supervisor\] started .*, process //p' "$dir/agent.log"
}

starts()
{
	[ "$(started | wc -l)" -ge "$1" ]
}

worker_has()
{
	[ "$(curl -s "$worker/state" | jq .version)" = "$1" ]
}

alive()
{
	! process_gone "$1"
}

children()
{
	pgrep -P "$(program_pid agent)"
}

@test "the worker is started, served, and heard in the log" {
	worker_at
	supervise "$bin/dcm-worker"
	wait_until worker_has 1
	wait_until log_has agent 'info \[output\] .*\[config\].*version 1'
	[ "$(started | wc -l)" = 1 ]
	[ "$(tr '\0' ' ' <"/proc/$(started)/cmdline")" = "$bin/dcm-worker " ]
}

@test "without WORKER_COMMAND the agent has no children" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	refute children
}

@test "the words are the program's, without a shell or quotes" {
	worker_at
	script words <<-'E'
		for word; do echo "word <$word>"; done
		exec sleep 1000
	E
	supervise "$dir/words  one \$HOME  'a b' * ;"
	wait_until log_has agent 'word <;>'
	log_has agent '\[output\] word <one>$'
	log_has agent '\[output\] word <\$HOME>$'
	log_has agent "\\[output\\] word <'a>$"
	log_has agent "\\[output\\] word <b'>$"
	log_has agent '\[output\] word <\*>$'
	program_stop agent
	agent_fails WORKER_COMMAND='   '
	grep -q 'WORKER_COMMAND' <<<"$output"
}

@test "the worker sees no credential of the controller" {
	worker_at
	script show <<-E
		env >"$dir/env.new"
		mv "$dir/env.new" "$dir/env"
		exec sleep 1000
	E
	echo key-secret >"$dir/key"
	supervise "$dir/show" CONTROLLER_API_KEY= \
	    CONTROLLER_API_KEY_FILE="$dir/key" API_KEY=b-secret \
	    CONTROLLER_USERNAME=c-secret CONTROLLER_PASSWORD=d-secret \
	    ADMIN_PASSWORD=e-secret AGENT_API_KEY=f-secret PORT=81 \
	    AGENT_PASSWORD_FILE="$dir/key" WORKER_API_KEY=seen QUEUE_MAX=7
	wait_until test -e "$dir/env"
	refute grep -E 'secret|^CONTROLLER|^API_KEY|^ADMIN|^AGENT|_FILE=|^PORT=' \
	    "$dir/env"
	grep -qx WORKER_API_KEY=seen "$dir/env"
	grep -qx QUEUE_MAX=7 "$dir/env"
	grep -q ^PATH= "$dir/env"
}

@test "it inherits no descriptor, no blocked and no ignored signal" {
	worker_at
	supervise "sleep 1000"
	local pid
	wait_until starts 1
	pid=$(started)
	wait_until grep -qx sleep "/proc/$pid/comm"
	# while it loads its libraries, it has those open
	three()
	{
		[ "$(echo /proc/"$pid"/fd/*)" = \
		    "/proc/$pid/fd/0 /proc/$pid/fd/1 /proc/$pid/fd/2" ]
	}
	wait_until three
	[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
	grep -q '^SigBlk:.0*$' "/proc/$pid/status"
	# 32 and 33 are the C library's own, which it lets nobody touch
	[ $((16#$(sed -n 's/^SigIgn:.//p' "/proc/$pid/status") &
	    0x7fffffff)) = 0 ]
}

@test "a worker that is killed is started again, and given its configuration" {
	worker_at
	supervise "$bin/dcm-worker" WORKER_CHECK_SECONDS=60
	wait_until worker_has 1
	kill -s KILL "$(started)"
	wait_until starts 2
	wait_until worker_has 1
	log_has agent 'warn \[supervisor\] .*SIGKILL'
	# It was looked for at once, not after 60 seconds.
	log_has agent 'warn \[worker\] no worker at'
	refute alive "$(started | head -n 1)"
}

@test "a worker that cannot start is tried with backoff, and nothing else waits" {
	worker_at
	local since=$SECONDS
	supervise false BACKOFF_MAX_SECONDS=2
	wait_until starts 4
	publish 2
	more controller '.path == "/config"' 3
	# Full jitter, below 2 s: one a second, and no busy loop.
	[ "$(started | wc -l)" -lt $((20 + 3 * (SECONDS - since))) ]
	log_has agent 'the worker ended with status 1'
	program_stop agent
	supervise "$dir/nowhere"
	wait_until log_has agent '\[output\] .*/nowhere: No such file'
	wait_until log_has agent 'status 127'
	wait_until state '.controller.state == "polling"'
}

@test "what it says is bounded and escaped, and cannot forge a line" {
	worker_at
	script talk <<-'E'
		printf 'red \033[31m\ttab\rback\r\n'
		printf 'a\0b\n\n\n'
		head -c 5000 /dev/zero | tr '\0' y
		printf '\nlast without end' >&2
	E
	supervise "$dir/talk"
	wait_until log_has agent 'last without end$'
	log_has agent '\[output\] red \\x1b\[31m\\x09tab\\x0dback$'
	log_has agent '\[output\] a\?b$'
	[ "$(grep -cE '\[output\] y{1024}$' "$dir/agent.log")" -ge 4 ]
	[ "$(wc -L <"$dir/agent.log")" -lt 1200 ]
	refute grep -qE '\[output\] $' "$dir/agent.log"
}

@test "one that floods the log and one that closes it delay nothing" {
	worker_at
	supervise yes LOG_LEVEL=warn
	more controller '.path == "/config"' 3
	curl -sf --max-time 30 "$agent/state" >/dev/null
	program_stop agent
	script quiet <<-'E'
		exec >&- 2>&-
		exec sleep 1000
	E
	supervise "$dir/quiet"
	wait_until starts 1
	local before after
	wait_until counts controller true 3
	before=$(awk '/^voluntary/ { print $2 }' \
	    "/proc/$(program_pid agent)/status")
	sleep 2
	after=$(awk '/^voluntary/ { print $2 }' \
	    "/proc/$(program_pid agent)/status")
	[ $((after - before)) -lt 100 ]
}

@test "it is stopped with SIGTERM, and the agent ends with 0" {
	worker_at
	script polite <<-E
		trap 'echo bye; exit 0' TERM
		echo ready
		while :; do sleep 0.1; done
	E
	supervise "$dir/polite"
	wait_until log_has agent 'ready$'
	local pid
	pid=$(started)
	program_stop agent
	refute alive "$pid"
	log_has agent '\[output\] bye$'
	log_has agent '\[shutdown\] stopped$'
}

@test "one that ignores SIGTERM is killed after ten seconds" {
	worker_at
	script deaf <<-'E'
		trap '' TERM
		sleep 1000 &
		echo "ready $!"
		while :; do sleep 1; done
	E
	supervise "$dir/deaf"
	wait_until log_has agent 'ready'
	local pid other since=$SECONDS
	pid=$(started)
	other=$(sed -n 's/.*\[output\] ready //p' "$dir/agent.log")
	program_stop agent
	[ $((SECONDS - since)) -ge 9 ]
	refute alive "$pid"
	wait_until refute alive "$other"
	log_has agent 'does not stop: killed'
	# Told twice, it does not wait.
	supervise "$dir/deaf"
	deaf()
	{
		[ "$(grep -c '\[output\] ready' "$dir/agent.log")" = 2 ]
	}
	wait_until deaf
	kill "$(program_pid agent)"
	told()
	{
		[ "$(grep -c '\[shutdown\] SIGTERM' "$dir/agent.log")" = 2 ]
	}
	wait_until told
	since=$SECONDS
	kill "$(program_pid agent)"
	wait_until program_gone agent
	[ $((SECONDS - since)) -le 8 ]
}

@test "the worker and what it started die with an agent that is killed" {
	worker_at
	script family <<-'E'
		trap '' TERM
		sleep 1000 &
		echo "ready $!"
		while :; do sleep 1; done
	E
	supervise "$dir/family"
	wait_until log_has agent 'ready'
	local pid other guard
	pid=$(started)
	other=$(sed -n 's/.*\[output\] ready //p' "$dir/agent.log")
	guard=$(ps -o pgid= "$pid")
	guard=${guard// /}
	wait_until grep -qx dcm-guard "/proc/$guard/comm"
	alive "$other"
	program_stop agent KILL
	wait_until refute alive "$pid"
	wait_until refute alive "$other"
	wait_until refute alive "$guard"
}

@test "a worker that signals its own group does not blind the guard" {
	worker_at
	script group <<-'E'
		trap '' USR1
		sleep 1000 &
		kill -USR1 0
		echo "ready $!"
		while :; do sleep 1; done
	E
	supervise "$dir/group"
	wait_until log_has agent 'ready'
	local other
	other=$(sed -n 's/.*\[output\] ready //p' "$dir/agent.log")
	alive "$other"
	program_stop agent KILL
	wait_until refute alive "$other"
}

@test "killed and started again and again, there is one worker and it serves" {
	worker_at
	for _ in 1 2 3 4 5; do
		supervise "$bin/dcm-worker"
		wait_until worker_has 1
		program_stop agent KILL
	done
	supervise "$bin/dcm-worker"
	wait_until worker_has 1
	local pid left=0
	for pid in $(started); do
		# another program may have the number by now
		! grep -qs "$dir" "/proc/$pid/environ" || left=$((left + 1))
	done
	[ $left = 1 ]
}

@test "a port that is taken is waited for" {
	worker_at
	program_start taken python3 -c 'import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
time.sleep(1000)' "${worker##*:}"
	wait_until port_open "${worker##*:}"
	supervise "$bin/dcm-worker"
	wait_until starts 2
	program_stop taken
	wait_until worker_has 1
}

@test "what an ended worker leaves is killed before the next one starts" {
	worker_at
	script leaves <<-'E'
		sleep 1000 &
		echo "left $!"
	E
	supervise "$dir/leaves"
	wait_until starts 2
	log_has agent '\[output\] left [0-9]'
	wait_until process_gone "$(sed -n 's/.*\[output\] left //p' \
	    "$dir/agent.log" | head -n 1)"
}
