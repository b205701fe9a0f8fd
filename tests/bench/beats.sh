#!/bin/bash
# beats.sh: what heartbeats do to those who publish: how long a publish takes
# while a fleet's heartbeats are written down, beside the same with a fleet
# that sends none. And how long GET /health takes, which a responder answers
# without its store: what a publish has of lighttpd's turns over hundreds of
# ready connections, and of waiting for a processor, that has it too.
#
# AGENTS (300000), every 10 seconds; SECONDS_EACH (20): a publish in each.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

agents=${AGENTS:-300000} seconds=${SECONDS_EACH:-20}
area="publishing beside $agents agents that poll every 10 s"

# health SECONDS: the 99th percentile, in ms.
health()
{
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		curl -sf -o "$dir/health" -w '%{time_total}\n' "$base/health"
		sleep 0.05
	done | sort -n | awk '{ t[NR] = $1 }
	    END { print t[int(NR * 0.99 + 0.99)] * 1000 }'
}

fleet_start "$agents"
fleet_play --agents 1 --interval 1 --warm 0 --seconds "$seconds" \
    --publish-at 1 --publish-every 1
alone=$(fleet_value publish_p99_ms)
healthy=$(health 10)
fleet_play --agents "$agents" --interval 10 --warm 10 --confirm off \
    --seconds "$seconds" --publish-at 1 --publish-every 1 \
    --connections 1000 &
player=$!
sleep 11
beside=$(health $((seconds - 2)))
wait "$player"
bench_row "$area" 'accepted, p50' "$(fleet_value publish_p50_ms)" - ms -
bench_row "$area" 'accepted, p99 : alone' "$(fleet_value publish_p99_ms)" \
    "$alone" ms -
bench_row "$area" 'GET /health the same way, p99 : alone' "$beside" \
    "$healthy" ms -
bench_row "$area" 'not accepted' "$(fleet_value unpublished)" - \
    publishes '<=0'
bench_row "$area" 'polls refused or failed' \
    "$(bench_calc "$(fleet_value refused) + $(fleet_value failed)")" - \
    polls '<=0'

# The last ones are in the list within five seconds of their poll.
listed()
{
	request GET "/agents?version=$version&limit=1" "$ADMIN_KEY" &&
	    [ "$(header X-Total-Count)" -gt 0 ]
}
request GET /config "$ADMIN_KEY"
version=$(jq .version <<<"$body")
fleet_play --agents 1 --interval 1 --warm 0 --seconds 1
begun=$(date +%s%N)
wait_until -t 60 listed
bench_row "$area" 'a heartbeat until it is in /agents' \
    "$(bench_calc "($(date +%s%N) - $begun) / 1e9")" - s '<=5'
