#!/bin/bash
# tasks.sh: tasks a second, from the first 202 to the last result, with each
# engine of the queue, beside BullMQ on the same Redis. Each task fetches a
# small page of lighttpd, 64 at once; ours are asked for over HTTP, BullMQ's
# are added by a process of their own.
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

# seconds COMMAND...: how long it takes.
seconds()
{
	local begin=$EPOCHREALTIME
	"$@" >&2
	bench_calc "$EPOCHREALTIME - $begin"
}

# ask: for $count tasks, 50 connections at once, and waits for their end.
ask()
{
	python3 -c '
import socket
import sys
port, left = int(sys.argv[1]), int(sys.argv[2])
many = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
while left > 0:
    batch = [min(8, max(0, left - 8 * i)) for i in range(len(many))]
    left -= sum(batch)
    for one, n in zip(many, batch):
        one.sendall(b"GET /hit?async=true HTTP/1.1\r\nHost: a\r\n\r\n" * n)
    for one, n in zip(many, batch):
        got = b""
        while got.count(b"\"queued\"}") < n:
            piece = one.recv(65536)
            if not piece or b" 503 " in got:
                sys.exit(got)
            got += piece' "$worker_port" "$count"
	wait_until -t 300 state ".tasks.completed == $count"
}

# ours ENGINE URL
ours()
{
	local took
	redis_fresh
	rm -rf "$dir/worker"
	worker_start ALLOW_CIDR=127.0.0.1 LOG_LEVEL=warn QUEUE_URL="$2" \
	    WORKER_CONCURRENCY=64 QUEUE_MAX=1000000
	wait_until state .tasks.queue_up
	put_url "$site/small.txt"
	took=$(seconds ask)
	bench_calc "$count / $took" >>"$dir/$1.rate"
	program_stop worker
}

peer_push()
{
	node "$peer/bullmq.js" push "$site/small.txt" "$redis" "$count"
	wait_until -t 300 program_gone bullmq
}

peer()
{
	local took
	redis_fresh
	rm -f "$dir/bullmq.log"
	program_start bullmq node "$peer/bullmq.js" work "$site/small.txt" \
	    "$redis" "$count"
	wait_until grep -q ready "$dir/bullmq.log"
	took=$(seconds peer_push)
	bench_calc "$count / $took" >>"$dir/peer.rate"
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
program_start redis redis-server --port "$redis" --bind 127.0.0.1 \
    --dir "$dir/redis" --save '' --appendonly yes
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
