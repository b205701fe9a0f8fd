#!/bin/bash
# fleet.sh: a million registered agents that poll every 30 seconds, for two
# minutes, with a publish in the middle; and a fleet whose controller is
# restarted.
#
# lighttpd has a process for each core. The agents come over connections that
# are kept alive, as from a proxy: by HTTP/2, eight requests at once on each,
# which is what lighttpd takes; and once more by HTTP/1.1, one request at a
# time on each of eight times as many. There are few enough that one is used
# again before TCP acknowledges with a packet of its own what the next request
# would. All of it is in a network of its own, where that may be made: a
# machine's firewall, or that of its containers, would follow each packet, and
# a machine that paces what it sends (BBR) would set a timer for each.
#
# AGENTS (1000000), INTERVAL (30), SECONDS_EACH (120), CONNECTIONS (32).
# PLOT=FILE keeps the picture of how the version spread (SVG), CSV=FILE the
# numbers of each second.
PATH=$PATH:/usr/sbin:/sbin
alone=-rn
[ "$(id -u)" != 0 ] || alone=-n
if [ -z "${FLEET_ALONE:-}" ] &&
    unshare "$alone" ip link set lo up 2>/dev/null; then
	# shellcheck disable=SC2016	# the other shell expands it
	FLEET_ALONE=1 exec unshare "$alone" sh -c \
	    'ip link set lo up
	    echo reno >/proc/sys/net/ipv4/tcp_congestion_control
	    exec "$@"' fleet "$0" "$@"
fi

# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

agents=${AGENTS:-1000000} interval=${INTERVAL:-30}
seconds=${SECONDS_EACH:-120} connections=${CONNECTIONS:-32}
plot=${PLOT:-$BUILD/bench/spread.svg} csv=${CSV:-$BUILD/bench/spread.csv}
mkdir -p "$BUILD/bench"

TRANSPORT=mount
cat >"$dir/mount.conf" <<CONF
server.max-worker = $(nproc)
server.max-keep-alive-requests = 10000
server.max-fds = 4096
CONF

fleet_start "$agents"

# spread AREA AIM [OPTION VALUE]...: two minutes of that fleet.
spread()
{
	local area=$1 aim=$2 share
	shift 2
	fleet_play --agents "$agents" --interval "$interval" \
	    --warm "$interval" --seconds "$seconds" \
	    --publish-at $((seconds / 2)) "$@"
	bench_row "$area" 'polls answered' \
	    "$(fleet_value polls_per_second)" - polls/s -
	bench_row "$area" 'refused, failed or too late' \
	    "$(bench_calc "$(fleet_value refused) + $(fleet_value failed)")" \
	    - polls '<=0'
	bench_row "$area" 'agents without the new version' \
	    "$(fleet_value behind)" - agents '<=0'
	for share in p50 p99; do
		bench_row "$area" "publish until seen, $share" \
		    "$(bench_calc "$(fleet_value seen_${share}_ms) / 1000")" \
		    - s -
	done
	bench_row "$area" 'publish until seen, max' \
	    "$(bench_calc "$(fleet_value seen_max_ms) / 1000")" - s "$aim"
	bench_row "$area" 'publish until accepted' \
	    "$(fleet_value publish_max_ms)" - ms -
	bench_row "$area" 'due until answered, p99' \
	    "$(fleet_value latency_p99_ms)" - ms -
	bench_row "$area" 'lighttpd' \
	    "$(fleet_value lighttpd_us_per_poll)" - 'us of CPU' -
	bench_row "$area" 'responders, with all heartbeats' \
	    "$(fleet_value responders_us_per_poll)" - 'us of CPU' -
	bench_row "$area" 'the load itself' \
	    "$(fleet_value own_us_per_poll)" - 'us of CPU' -
}

area="$agents agents, every $interval s, a publish in the middle"
spread "$area" "<=$(bench_calc "$interval * 1.1")" \
    --connections "$connections" --streams 8 --svg "$plot" --csv "$csv"
spread "the same by HTTP/1.1" - --connections $((connections * 8))
fleet_stop

# The restart: a tenth of that fleet, at ten seconds, so that it is short.
few=$((agents / 10))
fleet_start "$few"
fleet_play --agents "$few" --interval 10 --warm 10 --seconds 30 &
player=$!
sleep 15
program_stop controller
sleep 3
controller_again
wait "$player"
bench_row "$area" "a restart, 3 s away: busiest second : mean" \
    "$(fleet_value peak_over_mean)" 1 '' -
