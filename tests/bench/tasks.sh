#!/bin/bash
# tasks.sh: tasks a second, from the first one asked for to the last result,
# with each engine of the queue, beside BullMQ on the same Redis. Each task
# fetches a small page of lighttpd, 64 at once. They are asked for by a process
# of its own, 64 at a time: ours over HTTP, BullMQ's over its own client.
#
# TASKS (20000): how many; ROUNDS (3): how often, ours and theirs in turn.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"
# of bats, to load the helper, which is here already
load() { :; }
# shellcheck source=tests/bats/worker.bash
. "$BATS_TEST_DIRNAME/worker.bash"

count=${TASKS:-20000} rounds=${ROUNDS:-3} area='tasks'

redis_fresh()
{
	redis-cli -p "$redis" flushall >"$dir/redis.out"
}

# ours ENGINE URL
ours()
{
	redis_fresh
	rm -rf "$dir/worker"
	worker_start ALLOW_CIDR=127.0.0.1 LOG_LEVEL=warn QUEUE_URL="$2" \
	    WORKER_CONCURRENCY=64 QUEUE_MAX=1000000
	wait_until state .tasks.queue_up
	put_url "$site/small.txt"
	python3 tests/bench/tasks_ask.py "$worker_port" "$count" >"$dir/took"
	bench_calc "$count / $(<"$dir/took")" >>"$dir/$1.rate"
	program_stop worker
}

peer()
{
	redis_fresh
	rm -f "$dir/bullmq.log"
	program_start bullmq node "$peer/bullmq.js" work "$site/small.txt" \
	    "$redis" "$count"
	wait_until grep -q ready "$dir/bullmq.log"
	node "$peer/bullmq.js" push "$site/small.txt" "$redis" "$count" \
	    >"$dir/begin"
	wait_until -t 300 program_gone bullmq
	bench_calc "$count / ($(tail -n 1 "$dir/bullmq.log") -
	    $(<"$dir/begin"))" >>"$dir/peer.rate"
}

# Sets $peer to its folder, or $why.
peer_install()
{
	peer=$PWD/$BUILD/bullmq
	mkdir -p "$peer"
	cp tests/bench/package.json tests/bench/package-lock.json \
	    tests/bench/bullmq.js tests/bench/.npmrc "$peer"
	if ! command -v npm >/dev/null; then
		why='npm is missing'
	elif ! (cd "$peer" && npm install --omit=optional \
	    --ignore-scripts --silent); then
		why='npm could not fetch BullMQ'
	fi >"$dir/npm.log" 2>&1
}

why=''
peer_install
redis=$(port_free)
mkdir -p "$dir/site" "$dir/redis"
echo 'hello, this is a small page' >"$dir/site/small.txt"
site_start
# no rewriting of the log in the round of one of them
program_start redis redis-server --port "$redis" --bind 127.0.0.1 \
    --dir "$dir/redis" --save '' --appendonly yes \
    --auto-aof-rewrite-percentage 0
wait_until redis-cli -p "$redis" ping
for ((i = 0; i < rounds; i++)); do
	ours memory memory:
	ours sqlite sqlite:
	ours redis "redis://127.0.0.1:$redis"
	[ -n "$why" ] || peer
done
for engine in redis sqlite memory; do
	rate=$(bench_median <"$dir/$engine.rate")
	if [ -n "$why" ]; then
		bench_row "$area" "in $engine" "$rate" - tasks/s -
		bench_skip "$area" "in $engine : BullMQ on Redis" "$why"
	else
		bench_row "$area" "in $engine : BullMQ on Redis" "$rate" \
		    "$(bench_median <"$dir/peer.rate")" tasks/s 'x>=2'
	fi
done
