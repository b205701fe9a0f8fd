#!/bin/bash
# hold.sh: ten thousand agents whose polls are held: what one of them takes
# while nothing happens, and how soon all of them have what is published.
#
# AGENTS (10000, or as many as the limit of open files allows: run.sh says how
# that is reckoned); ROUNDS (3): publishes.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

limit=$(ulimit -Hn)
[ "$limit" != unlimited ] && [ "$limit" -le 65536 ] || limit=65536
allowed=$(((limit / 2 - 64) * 3 / 4))
agents=${AGENTS:-10000}
[ "$agents" -le "$allowed" ] || agents=$allowed
area="$agents held polls"
fleet_start "$agents"
fleet_play --agents "$agents" --connections "$agents" --hold 55 --warm 10 \
    --seconds $((10 * ${ROUNDS:-3} + 5)) --publish-at 5 --publish-every 10 \
    --svg "$BUILD/bench/hold.svg"
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
