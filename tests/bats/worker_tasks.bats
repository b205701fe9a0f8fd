# worker_tasks.bats: the worker's tasks, with each engine of the queue: by
# $TRANSPORT, which here is the engine's name.
# transports: memory sqlite redis

load worker

engine=$TRANSPORT
[ "$engine" != standalone ] || engine=sqlite
KEY='X-API-Key: the-worker-key'

setup_file()
{
	target_start
	[ "$engine" != redis ] || port_free >"$dir/redis.port"
}

# A program dies with the test that started it, but not at once: the next test
# may find it still there.
setup()
{
	[ "$engine" = redis ] || return 0
	redis_again
	redis flushall
}

teardown()
{
	program_stop worker
	program_stop second KILL
	program_stop beats KILL
	program_stop redis KILL
}

redis()
{
	redis-cli -p "$(<"$dir/redis.port")" "$@" >"$dir/redis.out"
}

# On the same port, with what it had.
redis_again()
{
	mkdir -p "$dir/redis"
	program_start redis redis-server --port "$(<"$dir/redis.port")" \
	    --bind 127.0.0.1 --dir "$dir/redis" --save '' --appendonly yes \
	    --appendfsync always
	wait_until redis_answers
}

# Also an error is an answer to redis-cli: that it is still loading.
redis_answers()
{
	redis ping && [ "$(<"$dir/redis.out")" = PONG ]
}

queue_url()
{
	case $engine in
	memory) echo memory: ;;
	sqlite) echo "sqlite:$dir/queue.db" ;;
	redis) echo "redis://localhost:$(<"$dir/redis.port")/1" ;;
	esac
}

# start [NAME=value ...]: a worker with an empty queue.
start()
{
	rm -f "$dir"/queue.db*
	# what the workers before said is not of this one
	cat "$dir/worker.log" >>"$dir/workers.log" 2>/dev/null || :
	rm -f "$dir/worker.log"
	start_again "$@"
}

# With what the queue has.
start_again()
{
	worker_start ALLOW_CIDR=127.0.0.0/8 QUEUE_URL="$(queue_url)" "$@"
	wait_until state .tasks.queue_up
}

# second [NAME=value ...]: another worker on the same queue; $base stays.
second()
{
	second_port=$(port_free)
	program_start second env -i PATH="$PATH" BIND_ADDRESS=127.0.0.1 \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" STATE_DIR="$dir/second" \
	    ALLOW_CIDR=127.0.0.0/8 QUEUE_URL="$(queue_url)" \
	    WORKER_PORT="$second_port" "$@" "$bin/dcm-worker"
	wait_until port_open "$second_port"
}

# push: a task; its id in $task.
push()
{
	request GET '/hit?async=true'
	expect_status 202 || return
	task=$(jq -r .task_id "$dir/body")
}

# over: whether the task is; asked for as long as it may take.
over()
{
	request GET "/hit/$task?wait=30" && { [ "$status" != 200 ] ||
	    expect_json '.status == "completed" or .status == "failed"'; }
}

# ended STATUS [FILTER]: the task has come to that end.
ended()
{
	wait_until -t 120 over
	expect_status 200
	expect_json --arg status "$1" ".status == \$status and (${2:-true})"
}

# task_is ID STATUS: now; for waits.
task_is()
{
	[ "$(curl -s "$base/hit/$1" | jq -r .status)" = "$2" ]
}

@test "a task is queued, done, and its result kept" {
	start
	put_url "$target/hello"
	request GET '/hit?async=true'
	expect_status 202
	expect_json '.status == "queued" and (.task_id | length == 36) and
	    (keys | length == 2)'
	task=$(jq -r .task_id "$dir/body")
	expect_header Location "/hit/$task"
	ended completed
	expect_json --arg id "$task" '.task_id == $id and
	    .status == "completed" and .status_code == 200 and
	    .body == "hello\n" and .body_encoding == "utf-8" and
	    .error == null and .attempts == 1'
	request HEAD "/hit/$task"
	expect_status 200
}

@test "it is asked for by a query, by Prefer, or by the setting" {
	start
	put_url "$target/hello"
	request GET /hit
	expect_status 200
	request GET /hit 'Prefer: wait=5, Respond-Async;x=1'
	expect_status 202
	expect_header Preference-Applied respond-async
	request GET /hit 'Prefer: respond-asynchronously'
	expect_status 200
	request GET '/hit?async=false' 'Prefer: respond-async'
	expect_status 200
	request GET '/hit?async=maybe'
	expect_problem 400 async
	request HEAD '/hit?async=true'
	expect_status 200
	program_stop worker
	start HIT_MODE=async
	put_url "$target/hello"
	request GET /hit
	expect_status 202
	request GET '/hit?async=false'
	expect_status 200
	[ "$body" = hello ]
}

@test "without a configuration nothing is queued" {
	start
	request GET '/hit?async=true'
	expect_problem 503 configuration
	state '.tasks.accepted == 0'
}

@test "a target's own 4xx and 5xx are results" {
	start
	put_url "$target/status?404"
	push
	ended completed '.status_code == 404 and .body == "this is 404\n" and
	    .attempts == 1'
	put_url "$target/status?503"
	push
	ended completed '.status_code == 503 and .attempts == 1'
}

@test "a body that is not UTF-8 is base64, and says so" {
	start
	put_url "$target/gzip"
	push
	ended completed '.body_encoding == "base64"'
	[ "$(jq -r .body "$dir/body" | base64 -d | gzip -dc)" = unpacked ]
	put_url "$target/big?300"
	push
	ended completed '.body_encoding == "base64"'
	jq -r .body "$dir/body" | base64 -d >"$dir/got"
	python3 -c 'import sys
sys.stdout.buffer.write((bytes(range(256)) * 2)[:300])' | cmp - "$dir/got"
}

@test "MAX_RESULT_BYTES fits, one byte more fails without another try" {
	start MAX_RESULT_BYTES=100000
	put_url "$target/big?100000"
	push
	ended completed
	[ "$(jq -r .body "$dir/body" | base64 -d | wc -c)" = 100000 ]
	put_url "$target/big?100001"
	push
	ended failed '(.error | test("MAX_RESULT_BYTES")) and .attempts == 1 and
	    .body == null'
	put_url "$target/endless?result"
	push
	ended failed '.error | test("MAX_RESULT_BYTES")'
	wait_until event '^gone /endless\?result'
}

@test "what cannot be reached is tried again, then failed" {
	local port
	start WORKER_RETRY_MAX=2
	port=$(port_free)
	put_url "http://127.0.0.1:$port/"
	push
	ended failed '.attempts == 3 and (.error | test("reached")) and
	    .status_code == null'
	state '.tasks.tried_again == 2 and .tasks.failed == 1'
	log_has worker "task\\] $task is tried again"
	log_has worker "task\\] $task failed"
}

@test "a target that comes back completes a task that is tried again" {
	local port
	port=$(port_free)
	start WORKER_RETRY_MAX=100
	put_url "http://127.0.0.1:$port/"
	push
	wait_until state '.tasks.tried_again >= 1'
	wait_until task_is "$task" pending
	program_start back python3 -m http.server --bind 127.0.0.1 \
	    --directory "$BATS_TEST_TMPDIR" "$port"
	ended completed '.status_code == 200 and .attempts >= 2 and
	    .error == null'
	program_stop back
}

@test "with WORKER_RETRY_MAX=0 nothing is tried again" {
	start WORKER_RETRY_MAX=0
	put_url "http://127.0.0.1:1/"
	push
	ended failed '.attempts == 1'
}

@test "a refused address fails at once" {
	start ALLOW_CIDR=
	put_url "$target/hello"
	push
	ended failed '.attempts == 1 and (.error | test("ALLOW_CIDR"))'
}

@test "a task runs with the configuration of its 202" {
	local first
	start WORKER_CONCURRENCY=1
	put_url "$target/wait?$dir/go-own"
	push
	first=$task
	wait_until state '.tasks.running == 1'
	put "{\"url\":\"$target/echo\",\"headers\":{\"X-Mine\":\"one\"}}"
	push
	put "{\"url\":\"$target/echo\",\"headers\":{\"X-Mine\":\"two\"}}"
	task_is "$task" queued
	touch "$dir/go-own"
	ended completed '.body | test("X-Mine: one")'
	task=$first
	ended completed '.body == "waited"'
}

@test "WORKER_CONCURRENCY tasks run at once, the others wait" {
	local n
	start WORKER_CONCURRENCY=3
	put "{\"url\":\"$target/wait?$dir/go-many\",\"timeout_seconds\":300}"
	for n in {1..8}; do
		push
	done
	wait_until state '.tasks.running == 3'
	wait_until state '.tasks.queued == 5 and .tasks.pending == 3'
	put_url "$target/hello"
	request GET /hit
	expect_status 200
	touch "$dir/go-many"
	wait_until state '.tasks.completed == 8'
	wait_until state '.tasks.queued == 0 and .tasks.pending == 0'
}

@test "a full queue is 503 with Retry-After" {
	start QUEUE_MAX=3 WORKER_CONCURRENCY=1
	put_url "$target/wait?$dir/go-full"
	push
	push
	push
	request GET '/hit?async=true'
	expect_problem 503 QUEUE_MAX
	expect_header Retry-After '[0-9]+'
	touch "$dir/go-full"
	wait_until state '.tasks.completed == 3'
	push
	ended completed
}

@test "a result expires" {
	start RESULT_TTL_SECONDS=1
	put_url "$target/hello"
	push
	wait_until state '.tasks.completed == 1'
	wait_until task_is "$task" 404
	request GET "/hit/$task"
	expect_problem 404 expired
}

@test "wait answers at the end, or when its time is over" {
	start
	put_url "$target/wait?$dir/go-wait"
	push
	wait_until task_is "$task" pending
	request GET "/hit/$task?wait=1"
	expect_status 200
	expect_json '.status == "pending"'
	curl -s --max-time 60 "$base/hit/$task?wait=60" >"$dir/waited" &
	local pid=$!
	run curl -s --max-time 1 "$base/hit/$task?wait=60"
	[ "$status" = 28 ]
	touch "$dir/go-wait"
	wait $pid
	[ "$(jq -r .status "$dir/waited")" = completed ]
	request GET "/hit/$task?wait=61"
	expect_problem 400 wait
}

@test "what is no task is 404" {
	start
	request GET /hit/00000000-0000-4000-8000-000000000000
	expect_problem 404
	request GET /hit/no-task
	expect_problem 404
	request DELETE /hit/00000000-0000-4000-8000-000000000000
	expect_problem 404
	request GET '/tasks?after=00000000-0000-4000-8000-000000000000'
	expect_problem 404
}

@test "a list of tasks, by pages and by state" {
	local n ids=() seen
	start WORKER_CONCURRENCY=1
	put_url "$target/hello"
	for n in 1 2 3; do
		push
		ids+=("$task")
		ended completed
	done
	put_url "$target/wait?$dir/go-list"
	push
	ids+=("$task")
	wait_until task_is "$task" pending
	push
	ids+=("$task")
	request GET /tasks
	expect_status 200
	[ "$(jq -r '.[].task_id' "$dir/body")" = "$(printf '%s\n' "${ids[@]}")" ]
	expect_json '[.[].status] == ["completed", "completed", "completed",
	    "pending", "queued"]'
	expect_json '.[0].created_at | test("^[0-9-]+T[0-9:.]+Z$")'
	expect_json '.[0].ended_at != null and .[4].ended_at == null'
	request GET '/tasks?limit=2'
	expect_header Link "</tasks\\?after=${ids[1]}&limit=2>; rel=\"next\""
	request GET "/tasks?limit=2&after=${ids[1]}"
	[ "$(jq -r '.[0].task_id' "$dir/body")" = "${ids[2]}" ]
	request GET "/tasks?after=${ids[4]}"
	[ "$body" = '[]' ]
	request GET '/tasks?state=completed'
	expect_json 'length == 3'
	request GET '/tasks?state=queued'
	expect_json --arg id "${ids[4]}" 'map(.task_id) == [$id]'
	request GET '/tasks?state=else'
	expect_problem 400 state
	request GET '/tasks?limit=1001'
	expect_problem 400 limit
	touch "$dir/go-list"
	ended completed
}

@test "a removed task is gone, and cancelled if it runs" {
	start WORKER_CONCURRENCY=1
	put "{\"url\":\"$target/hang?removed\",\"timeout_seconds\":300}"
	push
	local runs=$task
	wait_until state '.tasks.running == 1'
	push
	request DELETE "/hit/$task"
	expect_status 204
	request GET "/hit/$task"
	expect_status 404
	request DELETE "/hit/$runs"
	expect_status 204
	wait_until event '^gone /hang\?removed'
	wait_until state '.tasks.running == 0'
	request GET "/hit/$runs"
	expect_status 404
	put_url "$target/hello"
	push
	ended completed
	request DELETE "/hit/$task"
	expect_status 204
	request GET /tasks
	[ "$body" = '[]' ]
	[ "$(grep -c '^gone /hang?removed' "$events")" = 1 ]
}

@test "a removed task is claimed no more" {
	[ "$engine" = redis ] || skip "there is no Redis"
	start
	put "{\"url\":\"$target/hang?claimed\",\"timeout_seconds\":300}"
	push
	wait_until claimed
	request DELETE "/hit/$task"
	expect_status 204
	wait_until state '.tasks.running == 0'
	redis config resetstat
	sleep 4		# longer than from one claim to the next
	refute claimed
}

# claimed: what runs is kept from the other workers.
claimed()
{
	redis info commandstats
	grep -q '^cmdstat_xclaim:' "$dir/redis.out"
}

@test "a group that was removed is made again, with what waits" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local runs
	start WORKER_CONCURRENCY=1
	put_url "$target/wait?$dir/go-group"
	push
	runs=$task
	wait_until state '.tasks.running == 1'
	push
	redis -n 1 xgroup destroy worker:hit:2:tasks workers
	[ "$(<"$dir/redis.out")" = 1 ]
	touch "$dir/go-group"
	ended completed
	task=$runs
	ended completed
	wait_until log_has worker 'the queue is made again'
	push
	ended completed
}

@test "only who has the key lists and removes" {
	start WORKER_API_KEY=the-worker-key
	request POST /config "$KEY" --data "{\"url\":\"$target/hello\"}"
	push
	ended completed
	request GET /tasks
	expect_problem 401
	request DELETE "/hit/$task" 'X-API-Key: wrong'
	expect_problem 401
	request GET /tasks "$KEY"
	expect_status 200
	request DELETE "/hit/$task" "$KEY"
	expect_status 204
}

@test "the end of the worker waits for what runs" {
	start
	put_url "$target/wait?$dir/go-end"
	push
	wait_until state '.tasks.running == 1'
	# once /state has answered, it has what was sent before, too
	exec 7<>"/dev/tcp/127.0.0.1/$worker_port"
	printf 'GET /hit/%s?wait=60 HTTP/1.0\r\nHost: a\r\n\r\n' "$task" >&7
	state '.tasks.running == 1'
	kill "$(program_pid worker)"
	grep -q '"status":"pending"' <&7
	exec 7>&-
	program_runs worker
	touch "$dir/go-end"
	wait_until program_gone worker
	log_has worker 'shutdown\] done'
	[ "$engine" != memory ] || return 0
	start_again
	ended completed '.body == "waited" and .attempts == 1'
}

@test "no task is lost after its 202 when the worker is killed" {
	local n tasks=()
	[ "$engine" != memory ] || skip "memory ends with the process"
	start WORKER_CONCURRENCY=4
	put_url "$target/wait?$dir/go-kill"
	for n in {1..30}; do
		push
		tasks+=("$task")
	done
	program_stop worker KILL
	touch "$dir/go-kill"
	start_again WORKER_CONCURRENCY=4
	request GET '/tasks?limit=1000'
	expect_json 'length == 30'
	for task in "${tasks[@]}"; do
		ended completed '.body == "waited"'
	done
	state '.tasks.completed == 30'
}

@test "killed again and again in the middle of pushes, every 202 is done" {
	local n round id pids
	[ "$engine" != memory ] || skip "memory ends with the process"
	: >"$dir/accepted"
	start
	for round in 1 2 3; do
		put_url "$target/hello"
		pids=()
		for n in 1 2 3 4; do
			while curl -sf --max-time 5 "$base/hit?async=true" \
			    >>"$dir/accepted"; do
				echo >>"$dir/accepted"
			done &
			pids+=($!)
		done
		wait_until accepted $((round * 8))
		sleep 0.$((RANDOM % 5 + 2))
		kill -KILL "$(program_pid worker)"
		wait "${pids[@]}" || true
		program_stop worker KILL
		start_again
	done
	# A line that was cut in the middle was no answer.
	grep -o '"task_id":"[^"]*","status":"queued"' "$dir/accepted" |
	    cut -d'"' -f4 >"$dir/ids"
	[ "$(wc -l <"$dir/ids")" -gt 20 ]
	while read -r id; do
		wait_until -t 60 task_is "$id" completed
	done <"$dir/ids"
}

@test "two workers share what one was given" {
	[ "$engine" = redis ] || skip "one worker has the queue"
	start WORKER_CONCURRENCY=2
	second WORKER_CONCURRENCY=2
	put_url "$target/wait?$dir/go-share"
	push
	push
	push
	push
	wait_until state '.tasks.running == 2'
	base=http://127.0.0.1:$second_port wait_until state '.tasks.running == 2'
	touch "$dir/go-share"
	ended completed
	request GET '/tasks?state=completed'
	base=http://127.0.0.1:$second_port
	request GET "/hit/$task"
	expect_json '.body == "waited"'
	redis -n 1 get "worker:hit:result:$task"
	json_true --arg id "$task" '.task_id == $id and .status == "completed" and
	    .status_code == 200 and .body == "waited"' "$dir/redis.out"
	redis -n 1 ttl "worker:hit:result:$task"
	[ "$(<"$dir/redis.out")" -gt 3500 ]
}

@test "a killed worker's task is taken over by another" {
	[ "$engine" = redis ] || skip "one worker has the queue"
	start
	put_url "$target/wait?$dir/go-over"
	push
	wait_until state '.tasks.running == 1'
	second
	program_stop worker KILL
	touch "$dir/go-over"
	base=http://127.0.0.1:$second_port
	wait_until -t 60 task_is "$task" completed
	request GET "/hit/$task"
	expect_json '.attempts == 2 and .body == "waited"'
}

@test "what a worker leaves at its end may be taken over at once" {
	[ "$engine" = redis ] || skip "one worker has the queue"
	local pid
	start
	put "{\"url\":\"$target/hang?left\",\"timeout_seconds\":300}"
	push
	wait_until state '.tasks.running == 1'
	pid=$(program_pid worker)
	kill -TERM "$pid"
	wait_until log_has worker 'shutdown\] signal'
	kill -TERM "$pid"
	wait_until program_gone worker
	# id, consumer, ms that it was not touched, how often it was given out
	redis -n 1 xpending worker:hit:2:tasks workers - + 10
	cat "$dir/redis.out"
	[ "$(sed -n 3p "$dir/redis.out")" -ge 10000 ]
	second
	base=http://127.0.0.1:$second_port
	wait_until task_is "$task" pending
	wait_until state '.tasks.running == 1'
}

@test "a worker that lives keeps its task beyond a lease" {
	[ "$engine" = redis ] || skip "one worker has the queue"
	start
	put "{\"url\":\"$target/wait?$dir/go-long\",\"timeout_seconds\":300}"
	push
	wait_until state '.tasks.running == 1'
	second
	sleep 14
	base=http://127.0.0.1:$second_port state '.tasks.running == 0'
	touch "$dir/go-long"
	ended completed '.attempts == 1'
}

@test "a Redis that restarts is waited for, and nothing is lost" {
	local kept waits
	[ "$engine" = redis ] || skip "there is no Redis"
	start WORKER_CONCURRENCY=1
	put_url "$target/wait?$dir/go-redis"
	push
	kept=$task
	wait_until state '.tasks.running == 1'
	push
	waits=$task
	program_stop redis KILL
	wait_until state '.tasks.queue_up == false'
	request GET '/hit?async=true'
	expect_problem 503 'cannot be reached'
	expect_header Retry-After '[0-9]+'
	request GET "/hit/$kept"
	expect_problem 503
	request GET /tasks
	expect_problem 503
	request DELETE "/hit/$kept"
	expect_problem 503
	put_url "$target/hello"
	request GET '/hit?async=false'
	expect_status 200
	touch "$dir/go-redis"
	sleep 0.5
	redis_again
	wait_until state .tasks.queue_up
	task=$kept
	ended completed '.body == "waited"'
	task=$waits
	ended completed '.body == "waited"'
	push
	ended completed '.body == "hello\n"'
}

@test "a Redis that does not answer is 503, and comes back" {
	[ "$engine" = redis ] || skip "there is no Redis"
	start
	put_url "$target/hello"
	push
	ended completed
	kill -STOP "$(program_pid redis)"
	request GET '/hit?async=true'
	expect_problem 503
	request GET /health
	expect_status 200
	kill -CONT "$(program_pid redis)"
	wait_until state .tasks.queue_up
	wait_until push
	ended completed
}

# accepted COUNT: so many lines of answers have come; for waits.
accepted()
{
	[ "$(wc -l <"$dir/accepted")" -ge "$1" ]
}

@test "a Redis killed amid pushes and ends: every 202 is done" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local n round pids id
	: >"$dir/accepted"
	start
	put_url "$target/hello"
	: >"$dir/go-on"
	pids=()
	for n in 1 2 3 4; do
		while [ -e "$dir/go-on" ]; do
			if curl -sf --max-time 20 "$base/hit?async=true"; then
				echo
			else
				sleep 0.1
			fi >>"$dir/accepted"
		done &
		pids+=($!)
	done
	for round in 1 2 3; do
		wait_until accepted $((round * 20))
		program_stop redis KILL
		redis_again
		wait_until state .tasks.queue_up
	done
	rm "$dir/go-on"
	wait "${pids[@]}"
	grep -o '"task_id":"[^"]*","status":"queued"' "$dir/accepted" |
	    cut -d'"' -f4 >"$dir/ids"
	[ "$(wc -l <"$dir/ids")" -ge 60 ]
	while read -r id; do
		wait_until -t 60 task_is "$id" completed
	done <"$dir/ids"
}

# was SCRIPT WORD...: a step of a worker of the version before. Like each of
# its steps it is one: the worker beside it sees no half of it.
was()
{
	redis -n 1 eval "local call, id = redis.call, ARGV[1]
	    local tasks, index = 'worker:hit:tasks', 'worker:hit:index'
	    local task = 'worker:hit:task:' .. id
	    local result = 'worker:hit:result:' .. id
	    local function drop()
	        local entry = call('HGET', task, 'entry')
	        call('XACK', tasks, 'workers', entry)
	        call('XDEL', tasks, entry)
	    end
	    $1
	    return 'done'" 0 "${@:2}"
	[ "$(<"$dir/redis.out")" = 'done' ]
}

# was_pushed ID PLACE
was_pushed()
{
	was "call('HSET', task, 'config', ARGV[3], 'created', 1700000000000,
	        'state', 0, 'attempts', 0, 'failures', 0,
	        'entry', call('XADD', tasks, '*', 'id', id))
	    call('ZADD', index, ARGV[2], id)
	    call('SET', 'worker:hit:arrivals', ARGV[2])" "$1" "$2" \
	    "{\"version\":1,\"data\":{\"url\":\"$target/hello\"}}"
}

# was_begun ID CONSUMER: the first that waits.
was_begun()
{
	redis -n 1 xreadgroup group workers "$2" count 1 \
	    streams worker:hit:tasks '>'
	grep -q "$1" "$dir/redis.out"
	was "call('HSET', task, 'state', 1, 'attempts', 1)" "$1"
}

# was_beating CONSUMER: it lives, and touches what it has begun, until the
# test ends.
was_beating()
{
	local port
	port=$(<"$dir/redis.port")
	program_start beats redis-cli -p "$port" -n 1 -r -1 -i 1 eval "
	    local tasks, me = 'worker:hit:tasks', ARGV[1]
	    local mine = redis.call('XPENDING', tasks, 'workers', '-', '+',
	        100, me)
	    for _, one in ipairs(mine) do
	        redis.call('XCLAIM', tasks, 'workers', me, 0, one[1], 'JUSTID')
	    end
	    return #mine" 0 "$1"
}

# was_failed ID: and waits to be tried again.
was_failed()
{
	was "drop()
	    call('HSET', task, 'failures', 1, 'error', 'before')
	    call('ZADD', 'worker:hit:later', 1700000000000, id)" "$1"
}

was_ended()
{
	was "drop()
	    call('DEL', task)
	    call('HSET', task, 'state', 2, 'attempts', 1,
	        'created', 1700000000000, 'ended', 1700000001000, 'error', '')
	    call('PEXPIRE', task, 600000)
	    call('SET', result, ARGV[2], 'PX', 600000)" "$1" \
	    "{\"task_id\":\"$1\",\"status\":\"completed\",
	    \"body\":\"then\",\"attempts\":1}"
}

@test "the queue in Redis of the version before is moved, and done" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local id=00000000-0000-4000-8000-00000000000 n
	redis -n 1 xgroup create worker:hit:tasks workers 0 mkstream
	# 1 is over, 2 was begun by who is gone, 3 is to be tried again, 4 waits
	for n in 1 2 3; do
		was_pushed "$id$n" "$n"
		was_begun "$id$n" gone
	done
	was_pushed "${id}4" 4
	was_ended "${id}1"
	was_failed "${id}3"
	start
	for n in 2 3 4; do
		task=$id$n
		ended completed '.body == "hello\n"'
		[ "$n" = 4 ] || expect_json '.attempts == 2'
	done
	task=${id}1
	ended completed '.body == "then"'
	put_url "$target/hello"
	push
	ended completed
	request GET /tasks
	expect_json --arg last "$task" '[.[].status] == ["completed",
	    "completed", "completed", "completed", "completed"] and
	    .[0].ended_at == "2023-11-14T22:13:21.000Z" and
	    .[2].error == null and .[3].task_id[-1:] == "4" and
	    .[1].created_at == "2023-11-14T22:13:20.000Z" and
	    .[4].task_id == $last'
	request DELETE "/hit/${id}1"
	expect_status 204
	request GET "/hit/${id}1"
	expect_status 404
	redis -n 1 exists worker:hit:later worker:hit:index \
	    "worker:hit:task:${id}2" "worker:hit:task:${id}3"
	[ "$(<"$dir/redis.out")" = 0 ]
	redis -n 1 xlen worker:hit:tasks
	[ "$(<"$dir/redis.out")" = 0 ]
}

@test "beside a worker of the version before: what it pushes, runs, ends" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local id=00000000-0000-4000-8000-00000000000
	redis -n 1 xgroup create worker:hit:tasks workers 0 mkstream
	was_pushed "${id}1" 1
	was_pushed "${id}2" 2
	was_begun "${id}1" gone
	was_begun "${id}2" gone
	was_beating gone
	start
	was_pushed "${id}3" 3
	task=${id}3
	ended completed '.body == "hello\n" and .attempts == 1'
	task_is "${id}1" pending
	task_is "${id}2" pending
	was_ended "${id}1"
	task=${id}1
	ended completed '.body == "then"'
	request DELETE "/hit/${id}2"
	expect_status 204
	task_is "${id}2" 404
	request GET /tasks
	expect_json 'map(.task_id[-1:]) == ["1", "3"]'
}

# swept ID: its record is gone; for waits.
swept()
{
	redis -n 1 hexists worker:hit:2:over "$1"
	[ "$(<"$dir/redis.out")" = 0 ]
}

@test "a result is there until it expires, whatever another's clock says" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local id=00000000-0000-4000-8000-000000000001
	start
	put_url "$target/hello"
	push
	ended completed
	# as a worker sees both whose clock is ahead
	redis -n 1 hset worker:hit:2:over "$task" '1 2 1 1 1 ' "$id" \
	    '1 2 1 1 1 '
	redis -n 1 zadd worker:hit:2:index 1000 "$id"
	wait_until swept "$id"
	ended completed '.body == "hello\n"'
}

@test "an entry that is no task leaves the others what is theirs" {
	[ "$engine" = redis ] || skip "there is no Redis"
	local id=00000000-0000-4000-8000-000000000001
	start
	put_url "$target/hello"
	push
	ended completed
	# all in one answer
	redis -n 1 eval "local function add(...)
	    return redis.call('XADD', KEYS[1], '*', ...) end
	    add('id', 'x')
	    add('task', 'no-id 1 0 0', 'config', ARGV[2])
	    add('task', ARGV[1], 'config', ARGV[2])
	    redis.call('HSET', KEYS[2], ARGV[1],
	    add('task', ARGV[1] .. ' 1700000000000 0 0', 'config', ARGV[2]))
	    return add('task', '', 'config', '')" 2 worker:hit:2:tasks \
	    worker:hit:2:live "$id" \
	    "{\"version\":1,\"data\":{\"url\":\"$target/status?404\"}}"
	task=$id
	ended completed '.status_code == 404'
	# of which nobody is asked for ever
	wait_until -t 60 nothing_left
}

nothing_left()
{
	redis -n 1 xlen worker:hit:2:tasks
	[ "$(<"$dir/redis.out")" = 0 ]
}

@test "a Redis that is not there at the start is waited for" {
	[ "$engine" = redis ] || skip "there is no Redis"
	program_stop redis
	worker_start ALLOW_CIDR=127.0.0.0/8 QUEUE_URL="$(queue_url)"
	put_url "$target/hello"
	request GET '/hit?async=true'
	expect_problem 503
	redis_again
	wait_until state .tasks.queue_up
	push
	ended completed
}

@test "a Redis that forgot everything gets a new queue" {
	[ "$engine" = redis ] || skip "there is no Redis"
	start
	put_url "$target/hello"
	push
	ended completed
	redis flushall
	wait_until log_has worker 'the queue is made again'
	push
	ended completed
}

@test "where no file may grow tasks are refused, and the worker lives" {
	[ "$engine" = sqlite ] || skip "there is no file"
	start
	put_url "$target/hello"
	[ "$(stat -c %a "$dir/queue.db")" = 600 ]
	prlimit --pid "$(program_pid worker)" --fsize=4096:
	request GET '/hit?async=true'
	expect_problem 503
	request GET /hit
	expect_status 200
	prlimit --pid "$(program_pid worker)" --fsize=unlimited:
	wait_until state .tasks.queue_up
	wait_until push
	ended completed
}

@test "killed on a full disk, it starts, hits, and has its tasks later" {
	[ "$engine" = sqlite ] || skip "there is no file"
	local go=$dir/go-disk
	start
	put_url "$target/wait?$go"
	push
	wait_until task_is "$task" pending
	# whose 202 comes when the first one's attempt is written down as well
	local first=$task
	push
	task=$first
	program_stop worker KILL
	rm -f "$dir/worker.log"		# it is to grow, a little
	worker_start ALLOW_CIDR=127.0.0.0/8 QUEUE_URL="$(queue_url)" \
	    prlimit --fsize=4096:
	put_url "$target/hello"
	request GET /hit
	expect_status 200
	request GET '/hit?async=true'
	expect_problem 503
	state '.tasks.queue_up == false'
	log_has worker 'error \[queue\] the queue cannot be written'
	: >"$go"
	prlimit --pid "$(program_pid worker)" --fsize=unlimited:
	wait_until state .tasks.queue_up
	ended completed '.attempts == 2'
}

@test "a 202 is sent when its task is on disk, and many share one sync" {
	[ "$engine" = sqlite ] || skip "there is no file"
	local n
	cc -D_GNU_SOURCE -shared -fPIC -o "$dir/order.so" \
	    "$top/tests/bats/order.c"
	rm -f "$dir/order"
	start WORKER_CONCURRENCY=1 LD_PRELOAD="$dir/order.so" \
	    ORDER="$dir/order" \
	    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
	put_url "$target/wait?$dir/go-order"
	push
	wait_until task_is "$task" pending
	: >"$dir/order"
	for n in {1..10}; do
		push
	done
	cat "$dir/order"
	[ "$(grep -c 202 "$dir/order")" = 10 ]
	# never two of them without a sync between, and one before the first
	awk '/sync/ { safe = 1 } /202/ { if (!safe) exit 1; safe = 0 }' \
	    "$dir/order"
	: >"$dir/order"
	# all at once: the worker stands still until they are there
	python3 - "$worker_port" "$(program_pid worker)" <<-'PY'
	import os
	import signal
	import socket
	import sys
	many = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	        for _ in range(200)]
	os.kill(int(sys.argv[2]), signal.SIGSTOP)
	for one in many:
	    one.sendall(b"GET /hit?async=true HTTP/1.1\r\nHost: a\r\n\r\n")
	os.kill(int(sys.argv[2]), signal.SIGCONT)
	for one in many:
	    assert b" 202 " in one.recv(65536)
	PY
	[ "$(grep -c 202 "$dir/order")" = 200 ]
	[ "$(grep -c sync "$dir/order")" -lt 100 ]
	touch "$dir/go-order"
	wait_until state '.tasks.completed == 211'
}

@test "the file of the version before is read" {
	[ "$engine" = sqlite ] || skip "there is no file"
	local id=00000000-0000-4000-8000-00000000000 n
	rm -f "$dir"/queue.db*
	# 1 waits, 2 ran, 3 is to be tried again, 4 and 5 are over
	python3 - "$dir/queue.db" "$top/sql/queue_001_task.sql" \
	    "{\"version\":1,\"data\":{\"url\":\"$target/hello\"}}" <<-'PY'
	import sqlite3
	import sys
	import time
	db = sqlite3.connect(sys.argv[1])
	db.executescript(open(sys.argv[2]).read())
	db.executescript("PRAGMA journal_mode = WAL; PRAGMA user_version = 1;"
	                 "PRAGMA application_id = 0x64637175;")
	db.execute("INSERT INTO config VALUES (7, 'some', ?)", [sys.argv[3]])
	then = 1700000000000
	now = int(time.time() * 1000)
	row = "00000000-0000-4000-8000-00000000000"
	for n, state, due, ended, attempts, failures, error, result in (
	        (1, 0, then, None, 0, 0, None, None),
	        (2, 1, None, None, 1, 0, None, None),
	        (3, 1, then + 9, None, 2, 2, "no luck", None),
	        (4, 2, None, now, 1, 0, None, '{"task_id":"four"}'),
	        (5, 3, None, now, 4, 4, "bad", '{"task_id":"five"}')):
	    db.execute("INSERT INTO task (id, state, config, created_at, due_at,"
	               " ended_at, attempts, failures, error, result)"
	               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	               [row + str(n), state, None if ended else 7, then, due,
	                ended, attempts, failures, error, result])
	db.commit()
	db.close()
	PY
	start_again
	for n in 1 2 3; do
		task=$id$n
		ended completed ".body == \"hello\\n\" and .attempts == $n"
	done
	request GET /tasks
	expect_json '[.[] | .status] == ["completed", "completed",
	    "completed", "completed", "failed"] and .[4].attempts == 4 and
	    .[4].error == "bad" and
	    .[3].created_at == "2023-11-14T22:13:20.000Z"'
	for n in four five; do
		curl -s "$base/hit/$id$([ $n = four ] && echo 4 || echo 5)" \
		    >"$dir/body"
		expect_json --arg n "$n" '.task_id == $n'
	done
	put_url "$target/hello"
	push
	ended completed
	request GET '/tasks?state=failed'
	expect_json 'map(.task_id[-1:]) == ["5"]'
}

@test "two workers do not share one file" {
	[ "$engine" = sqlite ] || skip "there is no file"
	start
	run env -i STATE_DIR="$dir/second" QUEUE_URL="$(queue_url)" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" WORKER_PORT="$(port_free)" \
	    timeout 60 "$bin/dcm-worker"
	[ "$status" = 1 ]
	[[ $output == *"another worker uses it"* ]]
}

@test "a file that is no queue, or a newer one, stops the worker" {
	[ "$engine" = sqlite ] || skip "there is no file"
	start
	program_stop worker
	printf 'no database at all, by far\n%.0s' {1..100} >"$dir/garbage.db"
	run env -i QUEUE_URL="sqlite:$dir/garbage.db" WORKER_PORT=0 \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" timeout 60 "$bin/dcm-worker"
	[ "$status" = 1 ]
	[[ $output == *garbage.db* ]]
	python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 99")' \
	    "$dir/queue.db"
	run env -i QUEUE_URL="$(queue_url)" WORKER_PORT=0 \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" timeout 60 "$bin/dcm-worker"
	[ "$status" = 1 ]
	[[ $output == *newer* ]]
	run env -i QUEUE_URL="sqlite:/nowhere/at/all.db" WORKER_PORT=0 \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" timeout 60 "$bin/dcm-worker"
	[ "$status" = 1 ]
}

# metric LINE: it is in /metrics; for waits.
metric()
{
	curl -s "$base/metrics" | grep -qE "^$1\$"
}

@test "the metrics tell how deep and how old the queue is" {
	start WORKER_CONCURRENCY=1
	put_url "$target/wait?$dir/go-deep"
	metric 'dcm_worker_queue_oldest_seconds 0(\.0*)?'
	push
	push
	push
	wait_until metric 'dcm_worker_queue_tasks\{state="queued"\} 2'
	wait_until metric 'dcm_worker_queue_tasks\{state="pending"\} 1'
	wait_until metric 'dcm_worker_queue_oldest_seconds [1-9][0-9.]*'
	touch "$dir/go-deep"
	wait_until metric 'dcm_worker_task_seconds_count\{end="completed"\} 3'
	wait_until metric 'dcm_worker_queue_oldest_seconds 0(\.0*)?'
	wait_until metric 'dcm_worker_queue_tasks\{state="queued"\} 0'
}

@test "the metrics tell of tasks" {
	start
	put_url "$target/hello"
	push
	ended completed
	request GET /hit
	request GET /metrics
	expect_status 200
	expect_header Content-Type 'text/plain; version=0.0.4.*'
	grep -qx 'dcm_worker_tasks_total{end="accepted"} 1' "$dir/body"
	grep -qx 'dcm_worker_task_seconds_count{end="completed"} 1' "$dir/body"
	grep -qx 'dcm_worker_hit_seconds_count{end="passed"} 1' "$dir/body"
	grep -qx 'dcm_worker_hits_total{end="passed"} 1' "$dir/body"
	grep -qx 'dcm_worker_queue_up 1' "$dir/body"
	grep -q '^dcm_worker_queue_oldest_seconds ' "$dir/body"
	grep -q '^dcm_worker_queue_tasks{state="queued"} ' "$dir/body"
	# Every name has its help and its type.
	awk '/^# HELP/ { help[$3] } /^# TYPE/ { type[$3] }
	    !/^#/ { name = $1; sub(/\{.*/, "", name)
		bare = name; sub(/_(bucket|sum|count)$/, "", bare)
		if (!(name in help) && !(bare in help) ||
		    !(name in type) && !(bare in type)) exit 1 }' "$dir/body"
}
