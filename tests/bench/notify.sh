#!/bin/bash
# notify.sh: agents that Redis or NATS tells of a change: from the publish
# until they have read it. Each played agent has a subscription of its own,
# and asks the controller as soon as it is told (HINT_SPREAD_SECONDS 0).
#
# AGENTS (1000); ROUNDS (10): publishes, one a second.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

agents=${AGENTS:-1000} rounds=${ROUNDS:-10}
area="$agents agents that are told"

# told NAME URL SETTING
told()
{
	wait_until port_open "${2##*:}"
	fleet_start "$agents" "$3=$2"
	fleet_play --agents "$agents" --interval 30 --subscribe "$2" \
	    --publish-at 1 --publish-every 1 --seconds $((rounds + 1)) \
	    --confirm off --svg "$BUILD/bench/$1.svg"
	for share in p50 p99 max; do
		bench_row "$area" "$1: publish until read, $share" \
		    "$(fleet_value seen_${share}_ms)" - ms -
	done
	bench_row "$area" "$1: refused, failed, or without the version" \
	    "$(bench_calc "$(fleet_value refused) + $(fleet_value failed) +
	    $(fleet_value behind)")" - agents '<=0'
	fleet_stop
}

port=$(port_free)
if command -v redis-server >/dev/null; then
	program_start redis redis-server --bind 127.0.0.1 --port "$port" \
	    --save '' --appendonly no
	told Redis "redis://127.0.0.1:$port" REDIS_URL
else
	bench_skip "$area" Redis 'there is no redis-server'
fi
port=$(port_free)
if command -v nats-server >/dev/null; then
	program_start nats nats-server -a 127.0.0.1 -p "$port"
	told NATS "nats://127.0.0.1:$port" NATS_URL
else
	bench_skip "$area" NATS 'there is no nats-server'
fi
