#!/bin/bash
# hold.sh: ten thousand agents whose polls are held: what one of them takes
# while nothing happens, and how soon all of them have what is published.
#
# AGENTS (10000); ROUNDS (3): publishes. Where one process may not have the
# files for so many, as run.sh reckons, the controller is mounted in a lighttpd
# of several (server.max-worker); watch.fcgi is one process all the same.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

limit=$(ulimit -Hn)
[ "$limit" != unlimited ] && [ "$limit" -le 65536 ] || limit=65536
clients=$((limit / 2 - 64))
workers=1
agents=${AGENTS:-10000}
if [ "$agents" -gt $((clients * 3 / 4)) ]; then
	[ "$agents" -le $((limit - 100)) ] || agents=$((limit - 100))
	workers=$((agents / (clients * 3 / 4) + 1))
	TRANSPORT=mount HELD=$agents
	ulimit -n "$limit"
	printf '%s\n' "server.max-worker = $workers" \
	    "server.max-fds = $limit" \
	    "server.max-connections = $clients" >"$dir/mount.conf"
fi

# How many the controller says that it holds, second by second.
hold_count()
{
	while sleep 1 && [ -d "$dir" ]; do
		curl -s --max-time 5 -H "$ADMIN_KEY" "$base/metrics" |
		    sed -n 's/^dcm_polls_held //p' >>"$dir/held"
	done
}

area="$agents held polls"
fleet_start "$agents"
hold_count &
counter=$!
fleet_play --agents "$agents" --connections "$agents" --hold 55 --warm 10 \
    --seconds $((10 * ${ROUNDS:-3} + 5)) --publish-at 5 --publish-every 10 \
    --svg "$BUILD/bench/hold.svg"
kill "$counter"
bench_row "$area" 'held at once, as the controller counts' \
    "$(sort -n "$dir/held" | tail -n 1)" - polls ">=$agents"
bench_row "$area" 'lighttpd and responders, each poll' \
    "$(fleet_value kib_per_agent)" - KiB '<=25'
bench_row "$area" 'publish until the first half has it' \
    "$(fleet_value seen_p50_ms)" - ms -
bench_row "$area" 'publish until the last one has it' \
    "$(fleet_value seen_max_ms)" - ms '<=2000'
bench_row "$area" 'publish until accepted, the slowest' \
    "$(fleet_value publish_max_ms)" - ms -
bench_row "$area" 'refused, failed, or without the version' \
    "$(bench_calc "$(fleet_value refused) + $(fleet_value failed) +
    $(fleet_value behind)")" - agents '<=0'
