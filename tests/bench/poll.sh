#!/bin/bash
# poll.sh: what an unchanged poll costs: processor time of the web server and
# its responders for one request, of a million agents with tokens of their
# own and heartbeats. On the fast path, beside a static file's 304; through a
# responder, beside a FastCGI program that answers a constant. All are asked
# with the same requests, in turns, and the middle of the rounds counts.
# Agents that poll every 30 seconds come on a connection each; a proxy in front
# keeps some alive.
#
# AGENTS (1000000); ROUNDS (3); SECONDS_EACH (5): how long each is asked; twice
# as long where connections are kept alive: that ratio is the closest.
# Heartbeats are folded in lumps, up to four seconds behind their polls and by
# the responders of whichever of the two controllers comes first: a round ends
# when its last one is folded, and both are counted. Before all that each agent
# has polled once: its first report of a version is written at another cost,
# which beats.sh measures. So is the one with which an agent comes back: the
# interval is so long that nobody is missed whose turn comes late.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

agents=${AGENTS:-1000000}
seconds=${SECONDS_EACH:-5}
ask=(--agents "$agents" --interval 0 --seconds "$seconds" --warm 0
    --connections 64 --token-key "$dir/state/token.key")
longer=(--seconds $((2 * seconds)))
fleet_start "$agents" DEFAULT_POLL_INTERVAL=3600

# The same again without the fast path; both have one state.
port=$(port_free)
mapfile -t settings <"$dir/controller.env"
program_start slow env -i PATH="$PATH" DCM_BIN="$bin" DCM_FAST=off \
    CONTROLLER_PORT="$port" "${settings[@]}" lighttpd/run.sh
slow=http://127.0.0.1:$port
wait_until curl -sf "$slow/health"

port=$(port_free)
mkdir "$dir/site"
curl -s -H "$AGENT_KEY" -o "$dir/site/config" "$base/config"
cat >"$dir/peer.conf" <<CONF
server.modules = ("mod_fastcgi")
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$dir/site"
mimetype.assign = ("" => "application/json")
fastcgi.server = ("/constant" => (("socket" => "$dir/peer",
    "bin-path" => "$PWD/$BUILD/tests/other.fcgi", "max-procs" => 2,
    "check-local" => "disable")))
CONF
program_start peer lighttpd -D -f "$dir/peer.conf"
peer=http://127.0.0.1:$port
wait_until curl -sf "$peer/constant"

reported()
{
	request GET "/agents?version=1&limit=1" "$ADMIN_KEY" &&
	    expect_header X-Total-Count "$agents"
}
while ! reported; do
	bench_say "each of $agents agents polls once"
	fleet_play --agents "$agents" --interval 40 --jitter 0 --warm 0 \
	    --seconds 41 --connections 64
	wait_until -t 15 reported || :
done

# used PROGRAM...: their processor time so far, and that of their responders.
used()
{
	local name pids=()
	for name; do
		pids+=("$(program_pid "$name")")
	done
	bench_cpu "${pids[@]}"
}

folded()
{
	[ -z "$(find "$dir/state/beats" -name '[0-9]*')" ]
}

# one NAME URL "PROGRAM..." [OPTION VALUE]: a round against the first program;
# what all of them used for a poll, and the rate, into files of the name.
one()
{
	local before programs=()
	read -ra programs <<<"$3"
	bench_say "asking: $1"
	wait_until -t 60 folded
	before=$(used "${programs[@]}")
	fleet_ask "$2" "${programs[0]}" "${ask[@]}" "${@:4}"
	wait_until -t 60 folded
	bench_calc "($(used "${programs[@]}") - $before) /
	    $(fleet_value polls)" >>"$dir/$1.cost"
	fleet_value polls_per_second >>"$dir/$1.rate"
}

for ((round = 0; round < ${ROUNDS:-3}; round++)); do
	one fast "$base" 'controller slow' "${longer[@]}"
	one static "$peer" peer "${longer[@]}"
	one fast-each "$base" 'controller slow' --keep-alive off --sources 100
	one static-each "$peer" peer --keep-alive off --sources 100
	one slow "$slow" 'slow controller'
	one constant "$peer/constant" peer
done
cost()
{
	bench_median <"$dir/$1.cost"
}
area="one unchanged poll, of $agents agents"
bench_row "$area" "fast path : lighttpd's static 304, a connection each" \
    "$(cost fast-each)" "$(cost static-each)" 'us of CPU' 'x<=1.6'
bench_row "$area" "fast path : lighttpd's static 304, kept alive" \
    "$(cost fast)" "$(cost static)" 'us of CPU' 'x<=1.6'
bench_row "$area" "fast path, kept alive, with the load on the same cores" \
    "$(bench_median <"$dir/fast.rate")" - polls/s '>=30000'
bench_row "$area" "responder : libfcgi's constant" \
    "$(cost slow)" "$(cost constant)" 'us of CPU' 'x<=1.2'
bench_row "$area" "responder : fast path" \
    "$(cost slow)" "$(cost fast)" 'us of CPU' -
