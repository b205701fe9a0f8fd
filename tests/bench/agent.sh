#!/bin/bash
# agent.sh: what an agent costs while nothing happens: memory, wake-ups and
# processor time of a poll or a check, each once a second. Beside it a shell
# that does the same with curl and sleep, on the same controller and worker.
#
# SECONDS_EACH (20): how long each is looked at.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"

seconds=${SECONDS_EACH:-20}
controller_start DEFAULT_POLL_INTERVAL=1
curl -sf -o "$dir/said" -H "$ADMIN_KEY" -d '{"url":"http://127.0.0.1:9/"}' \
    "$base/config"
worker_start WORKER_CONCURRENCY=1
agent_start WORKER_CHECK_SECONDS=1

number()
{
	curl -s "$agent/metrics" | awk -v name="$1" '
	    index($1, name) == 1 { n += $2 } END { print n + 0 }'
}

asked()
{
	bench_calc "$(number dcm_agent_polls_total) +
	    $(number dcm_agent_worker_checks_total)"
}

# status PID NAME: a number of /proc/PID/status.
status()
{
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

# spent PID: microseconds of processor time, with children that have ended.
spent()
{
	sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '
	    { printf "%.0f\n", ($12 + $13 + $14 + $15) / hz * 1e6 }'
}

# schedule PID: nanoseconds of processor time; finer than ticks.
schedule()
{
	awk '{ print $1 }' "/proc/$1/schedstat"
}

quiet()
{
	[ "$(number dcm_agent_applied_version)" = 1 ] &&
	    [ "$(number 'dcm_agent_polls_total{result="unchanged"}')" -ge 5 ]
}
wait_until quiet

bench_say "an agent, for $seconds s"
pid=$(program_pid agent)
requests=$(asked)
# The reading itself wakes it: the first and the last are left out alike.
wakes=$(status "$pid" voluntary_ctxt_switches)
took=$(schedule "$pid")
sleep "$seconds"
wakes=$(bench_calc "$(status "$pid" voluntary_ctxt_switches) - $wakes")
took=$(bench_calc "$(schedule "$pid") - $took")
requests=$(bench_calc "$(asked) - $requests")
memory=$(bench_memory "$pid")

bench_say "a shell with curl, for $seconds s"
cat >"$dir/loop.sh" <<-SH
n=0
while :; do
	curl -s -o "$dir/config" -D "$dir/heads" -H "$AGENT_KEY" \
	    -H 'If-None-Match: *' "$base/config"
	curl -s -o "$dir/worker.state" "$worker/state"
	n=\$((n + 1))
	echo \$n >"$dir/rounds"
	sleep 1
done
SH
program_start loop sh "$dir/loop.sh"
wait_until test -s "$dir/rounds"
loop=$(program_pid loop)
rounds=$(<"$dir/rounds") since=$(spent "$loop")
sleep "$seconds"
since=$(bench_calc "$(spent "$loop") - $since")
rounds=$(bench_calc "2 * ($(<"$dir/rounds") - $rounds)")
shell=$(bench_memory "$loop")

bench_row agent 'memory while nothing happens' "$memory" "$shell" KiB '<=8192'
bench_row agent 'wake-ups for a poll or a check' \
    "$(bench_calc "$wakes / $requests")" - wake-ups '<=2.2'
bench_row agent 'processor time for a poll or a check' \
    "$(bench_calc "$took / 1000 / $requests")" \
    "$(bench_calc "$since / $rounds")" us 'x<=0.5'
