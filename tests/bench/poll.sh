#!/bin/bash
# poll.sh: what an unchanged poll costs: processor time of the web server and
# its responders for one request, of a million agents with tokens of their
# own and heartbeats. On the fast path, beside a static file's 304; through a
# responder, beside a FastCGI program that answers a constant. All are asked
# with the same requests, in turns, and the middle of the rounds counts.
# Agents that poll every 30 seconds come on a connection each; a proxy in front
# keeps some alive.
#
# AGENTS (1000000); ROUNDS (3); SECONDS_EACH (5): how long each is measured,
# after one second of warmth; heartbeats are folded up to two seconds behind
# their polls, so that a short round would leave out what they cost. Before that
# each agent has polled once: its first report of a version is written at
# another cost, which beats.sh measures.
# shellcheck source=tests/bench/fleet.bash
. "$(dirname "$0")/fleet.bash"

agents=${AGENTS:-1000000}
ask=(--agents "$agents" --interval 0 --seconds "${SECONDS_EACH:-5}" --warm 1
    --connections 64 --token-key "$dir/state/token.key")
fleet_start "$agents"

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
	fleet_play --agents "$agents" --interval 20 --jitter 0 --warm 0 \
	    --seconds 21 --connections 64
	wait_until -t 15 reported || :
done

# one NAME URL PROGRAM [OPTION VALUE]: a round; its cost and its rate into
# files of the name.
one()
{
	bench_say "asking: $1"
	fleet_ask "$2" "$3" "${ask[@]}" "${@:4}"
	fleet_cost >>"$dir/$1.cost"
	fleet_value polls_per_second >>"$dir/$1.rate"
}

for ((round = 0; round < ${ROUNDS:-3}; round++)); do
	one fast "$base" controller
	one static "$peer" peer
	one fast-each "$base" controller --keep-alive off --sources 100
	one static-each "$peer" peer --keep-alive off --sources 100
	one slow "$slow" slow
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
