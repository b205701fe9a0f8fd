#!/bin/bash
# fold.sh: what it costs to write the heartbeats of a fleet down, and how long
# a publish takes beside that, without a web server in between.
#
# AGENTS (1000000): of whom each says something every thirty seconds.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"

agents=${AGENTS:-1000000}
mkdir "$dir/state"
STATE_DIR=$dir/state ADMIN_API_KEY=a AGENT_API_KEY=b \
    "$bin/dcm-controller" --migrate >"$dir/migrate.log" 2>&1
"$BUILD/bench/muster" "$dir/state/controller.db" "$agents" 1 >"$dir/muster.log"
"$BUILD/bench/fold" "$dir/state" "$agents" 1 >"$dir/fold"

value()
{
	awk -v name="$1" '$1 == name { print $2 }' "$dir/fold"
}
area="heartbeats of $agents agents"
need=$(bench_calc "$agents / 30")
bench_row "$area" 'nothing new : all of them every 30 s' \
    "$(value same)" "$need" 'a second of CPU' 'x>=3'
bench_row "$area" 'a version that was not known' \
    "$(value moved)" "$need" 'a second of CPU' 'x>=1'
bench_row "$area" 'an agent that was not known' \
    "$(value first)" "$need" 'a second of CPU' -
bench_row "$area" 'publish p99 beside it : alone' \
    "$(value folding)" "$(value quiet)" us -
