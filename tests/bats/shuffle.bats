# shuffle.bats: controller, responders, agent and worker are killed and
# started again in random order, with a publish every second; in the end
# everything is as if nothing had happened.
#
# SEED chooses the order, and is printed; the same seed is the same order.
# SHUFFLE_SECONDS is how long it goes on: 20, or 120 in `make test-all`.

load helper

# Sets $seed and $seconds, and says how to do it again.
setup()
{
	dir=$BATS_TEST_TMPDIR
	seed=${SEED:-1}
	seconds=${SHUFFLE_SECONDS:-20}
	if [ -n "${ALL:-}" ] && [ -z "${SHUFFLE_SECONDS:-}" ]; then
		seconds=120
	fi
	echo "# SEED=$seed SHUFFLE_SECONDS=$seconds" >&3
	eval "wait_really() $(declare -f wait_until | tail -n +2)"
}

teardown()
{
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		tail -n 30 "$dir"/{controller,agent,worker}.log 2>/dev/null
		cat "$dir/plan" 2>/dev/null
	fi
	programs_stop
}

# plan VICTIM...: lines "MILLISECONDS kill VICTIM SIGNAL", "… start VICTIM":
# each is down for up to 1.5 s, several may be at once, and nobody waits for
# a start before the next kill.
plan()
{
	awk -v seed="$seed" -v seconds="$seconds" -v names="$*" '
	function up_to(n) { return int(rand() * n) }
	BEGIN {
		srand(seed)
		count = split(names, name, " ")
		for (at = 300; at < seconds * 1000; at += 50 + up_to(900)) {
			victim = name[1 + up_to(count)]
			how = rand() < .6 ? "KILL" : "TERM"
			down = up_to(1500)
			if (at < back[victim])
				continue
			print at, "kill", victim, how
			if (victim == "responder")
				continue
			back[victim] = at + down
			print at + down, "start", victim, "-"
		}
	}' | sort -sn >"$dir/plan"
}

# --- the hand ---------------------------------------------------------------

# Nobody waits for a start while it shuffles.
# shellcheck disable=SC2317	# the helper calls it
patient()
{
	wait_until()
	{
		wait_really "$@"
	}
}

# shellcheck disable=SC2317	# the helper calls it
hasty()
{
	wait_until()
	{
		case $1 in
		curl | controller_answers) ;;
		*) wait_really "$@" ;;
		esac
	}
}

start_controller()
{
	controller_standalone || :
}

start_agent()
{
	agent_start BACKOFF_MAX_SECONDS=2 WORKER_CHECK_SECONDS=1 \
	    REQUEST_TIMEOUT_SECONDS=2 "${agent_more[@]}"
}

start_worker()
{
	worker_start
}

# Not what run.sh executes before it is lighttpd.
kill_responder()
{
	local all
	mapfile -t all < <(pgrep -P "$(program_pid controller)" 'fcgi$' || :)
	[ ${#all[@]} -eq 0 ] ||
	    kill -s "$1" "${all[$((at % ${#all[@]}))]}" || :
}

# The agent's own: started again by the agent.
kill_child()
{
	local pid
	pid=$(sed -n 's/.*\[supervisor\] started .*, process //p' \
	    "$dir/agent.log" | tail -n 1)
	[ -z "$pid" ] || kill -s "$1" "$pid" 2>/dev/null || :
}

start_child()
{
	:
}

# Microseconds.
now()
{
	echo "${EPOCHREALTIME/[.,]/}"
}

shuffle()
{
	local at what who how left
	while read -r at what who how; do
		left=$((began + at * 1000 - $(now)))
		[ $left -le 0 ] || sleep "$((left / 1000000)).$(printf %06d \
		    $((left % 1000000)))"
		case $what-$who in
		kill-responder | kill-child) "kill_$who" "$how" ;;
		kill-*) program_stop "$who" "$how" ;;
		start-*) "start_$who" ;;
		esac
	done <"$dir/plan"
}

# A publish every second, whoever is there to take it.
publishing()
{
	local n=0 version
	trap - EXIT ERR DEBUG
	while [ ! -e "$dir/enough" ]; do
		n=$((n + 1))
		version=$(curl -s --max-time 3 -H "$ADMIN_KEY" \
		    -d "{\"url\":\"http://127.0.0.1:9/$n\"}" "$base/config" |
		    jq -r 'select(.message) | .version' 2>/dev/null) || :
		if [ -n "$version" ]; then
			echo "$version" >>"$dir/published"
			sleep 1
		else
			sleep 0.2	# it is not there
		fi
	done
}

# --- what must be true ------------------------------------------------------

newest()
{
	curl -sf -H "$ADMIN_KEY" -H 'Cache-Control: no-cache' \
	    "$base/config" | jq .version
}

# The worker, the agent, the state file and the controller's list agree.
everywhere()
{
	local version id
	version=$(newest)
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	[ -n "$version" ] && [ "$version" -gt 0 ] &&
	[ "$(curl -s "$worker/state" | jq .version)" = "$version" ] &&
	[ "$(curl -s "$agent/state" | jq .applied_version)" = "$version" ] &&
	grep -qx "version $version" "$dir/agent/agent.state" &&
	[ "$(curl -s -H "$ADMIN_KEY" "$base/agents/$id" |
	    jq ".applied_version == $version and .up_to_date and
	    .state == \"ok\"")" = true ] &&
	[ "$(curl -s -H "$ADMIN_KEY" "$base/rollout" |
	    jq ".version == $version and .agents.up_to_date == 1")" = true ]
}

# applied_well LOG: to each instance each version once, and never an older
# one after a newer one.
applied_well()
{
	awk '
	/\[init\] dcm-worker .* instance / { last = 0; instances++; next }
	/\[config\] version / {
		sub(/.*\[config\] version /, "")
		version = $1 + 0
		applied++
		if (version == last)
			print "twice: " version
		else if (version < last)
			print "backwards: " version " after " last
		else {
			last = version
			next
		}
		bad = 1
	}
	END {
		print instances " instances, " applied " applied"
		exit bad || instances < 2 || applied < 3
	}' "$1"
}

# No temporary file beside the state, no socket, no process; a responder that
# lighttpd was just starting ends after it.
nothing_left()
{
	wait_until nothing_found || nothing_found
}

nothing_found()
{
	local found pid
	found=$(find "$dir/agent" "$dir/worker" -mindepth 1 \
	    ! -name agent.state ! -name agent.state.lock \
	    ! -name 'queue-*.db*')
	found+=$(find "$dir/state" \( -name '*.new' -o -name '*.tmp*' -o \
	    -name '*.bad-*' -o -name '*.??????' \) ! -name '*.db-???' \
	    ! -path '*/run/*')
	# What lighttpd that was killed left is removed by the next one.
	[ "$(find "$dir/state/run" -mindepth 1 -maxdepth 1 2>/dev/null |
	    wc -l)" -le 1 ] || found+=$(find "$dir/state/run")
	for pid in /proc/[0-9]*; do
		[ "$pid" != "/proc/$$" ] &&
		    grep -qsz "^STATE_DIR=$dir/" "$pid/environ" &&
		    found+=" $pid: $(tr '\0' ' ' <"$pid/cmdline")"
	done
	[ -z "$found" ] || {
		echo "left: $found" >&2
		return 1
	}
}

# Everything, with its folders left as they are.
stop_all()
{
	local pid
	for pid in "$dir"/*.pid; do
		program_stop "$(basename "$pid" .pid)"
	done
}

begin()
{
	agent_more=("$@")
	controller_start DEFAULT_POLL_INTERVAL=1
	: >"$dir/published"
	began=$(now)
	hasty
}

finish()
{
	touch "$dir/enough"
	wait "$1"
	patient
	wait_until curl -sf "$base/health"
	echo "$(wc -l <"$dir/plan") steps," \
	    "$(wc -l <"$dir/published") versions"
	wait_until -t 180 everywhere
	# What was accepted was kept.
	[ "$(newest)" -ge "$(sort -n "$dir/published" | tail -n 1)" ]
	[ "$(sort -n "$dir/published" | uniq -d)" = '' ]
	sort -nc "$dir/published"
	[ "$(wc -l <"$dir/published")" -ge 3 ]
}

@test "whatever is killed in whatever order, the newest is everywhere" {
	begin
	start_worker
	start_agent
	plan controller responder agent worker
	publishing 3>&- &
	local publisher=$!
	shuffle
	finish $publisher
	applied_well "$dir/worker.log"
	# It has been one agent all along.
	[ "$(curl -s -H "$ADMIN_KEY" "$base/agents" | jq length)" = 1 ]
	stop_all
	nothing_left
}

@test "the same with a worker that is the agent's child" {
	begin WORKER_COMMAND="$bin/dcm-worker" BIND_ADDRESS=127.0.0.1 \
	    ALLOW_CIDR=127.0.0.0/8
	port_kept worker
	worker=http://127.0.0.1:$(<"$dir/worker.port")
	export worker
	mkdir -p "$dir/worker"
	agent_more+=(WORKER_PORT="${worker##*:}" STATE_DIR="$dir/agent")
	start_agent
	plan controller agent child
	publishing 3>&- &
	local publisher=$!
	shuffle
	finish $publisher
	applied_well "$dir/agent.log"
	stop_all
	nothing_left
}
