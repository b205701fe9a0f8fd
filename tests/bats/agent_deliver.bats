# agent_deliver.bats: the worker gets the newest, once, in order, whatever
# happens to it or to the agent.

load helper
load agent

given='.path == "/config" and .method == "POST"'
problem='"headers": {"Content-Type": "application/problem+json"}'

@test "the controller's answer is given byte for byte, with tag and key" {
	peers
	publish 1
	agent_run WORKER_API_KEY=worker-key
	wait_until applied_is 1
	asked worker "map(select($given)) | .[0] |
	    .headers[\"x-api-key\"] == \"worker-key\" and
	    (.headers.etag | test(\"^.1-[0-9a-f]{16}.$\")) and
	    .headers[\"content-type\"] == \"application/json\" and
	    (.body | fromjson | .data.url == \"http://target/1\")"
	wait_until log_has agent '\[worker\] version 1 applied'
	asked worker 'map(select(.path == "/state") | .headers["x-api-key"]) |
	    all(. == null)'
}

@test "version 0 is never given" {
	peers
	agent_run
	more worker '.path == "/state"' 3
	[ "$(count worker "$given")" = 0 ]
	request GET /health
	expect_status 200
}

@test "a refusal is not tried again until the version changes" {
	peers
	publish 1
	say worker "{\"POST /config\": {\"status\": 400, $problem,
	    \"body\": \"{\\\"detail\\\": \\\"url: not mine\\\"}\"}}"
	agent_run
	wait_until state '.worker.state == "failed"'
	wait_until state '.worker.error == "worker answered 400: url: not mine" and
	    .last_config_version == 1 and .applied_version == 0'
	more worker '.path == "/state"' 3
	[ "$(count worker "$given")" = 1 ]
	more controller '.headers["x-agent-state"] == "failed"'
	request GET /health
	expect_status 503
	expect_json '.status == "failed" and (.detail | test("not mine"))'
	say worker '{}'
	publish 2
	wait_until applied_is 2
	wait_until state '.worker.state == "ok" and .worker.error == null'
	request GET /health
	expect_status 200
	refute grep -q '^version 1$' "$dir/state/agent.state"
}

@test "everything else is tried again, and nothing is applied twice" {
	peers
	publish 1
	say worker '{"POST /config": [
	    {"status": 500}, {"status": 503}, {"status": 302},
	    {"status": 429, "headers": {"Retry-After": "0"}},
	    {"status": 200, "body": "<html>"},
	    {"status": 200, "body": "{\"version\": 9}"},
	    {"do": "reset"}, {"do": "truncate"}, {"like": true}]}'
	agent_run
	wait_until -t 60 applied_is 1
	wait_until state '.applied_version == 1 and .worker.state == "ok"'
	[ "$(count worker "$given")" = 9 ]
}

@test "a worker that asks for patience is given it" {
	peers
	say worker '{"POST /config": [
	    {"status": 429, "headers": {"Retry-After": "3"}},
	    {"like": true}]}'
	publish 1
	agent_run
	wait_until applied_is 1
	asked worker '[.[] | select(.method == "POST")] |
	    length == 2 and .[1].time - .[0].time >= 3'
}

@test "an acknowledgement that got lost does not make it tell twice" {
	peers
	publish 1
	say worker '{"POST /config": {"do": "apply", "status": 500}}'
	agent_run REQUEST_TIMEOUT_SECONDS=5
	wait_until state '.applied_version == 1'
	applied_is 1
	say worker '{"POST /config": {"do": "apply", "delay": 10}}'
	publish 2
	wait_until state '.applied_version == 2'
	applied_is 1 2
}

@test "a worker that is late gets the newest only" {
	peers
	program_stop worker
	publish 1
	agent_run
	wait_until state '.last_config_version == 1'
	publish 2
	wait_until state '.last_config_version == 2 and
	    .worker.state == "no-worker"'
	wait_until counts controller '.headers["x-agent-state"] == "no-worker"' 1
	wait_until unhealthy
	peer_start worker
	wait_until applied_is 2
	wait_until state '.applied_version == 2'
}

unhealthy()
{
	request GET /health
	expect_status 503
}

@test "a newer version replaces the one that waits" {
	peers
	publish 1
	say worker '{"POST /config": {"status": 500}}'
	agent_run BACKOFF_MAX_SECONDS=300
	wait_until counts worker "$given" 2
	publish 2
	wait_until state '.last_config_version == 2'
	say worker '{}'
	wait_until applied_is 2
}

@test "a worker that starts again is given the present one" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	program_stop worker KILL
	peer_start worker
	wait_until applied_is 1 1
	program_stop controller
	program_stop worker KILL
	peer_start worker
	wait_until applied_is 1 1 1
}

@test "a worker that holds something else is given the present one" {
	peers
	publish 5
	agent_run
	wait_until applied_is 5
	curl -s "$worker/config" -d '{"version": 9, "data": {}}'
	wait_until applied_is 5 9 5
	curl -s "$worker/config" -H 'ETag: "5-other"' \
	    -d '{"version": 5, "data": {}}'
	wait_until applied_is 5 9 5 5 5
}

@test "a worker is served before the controller answers" {
	peers
	publish 3
	agent_run
	wait_until applied_is 3
	wait_until grep -q '^version 3$' "$dir/state/agent.state"
	program_stop agent KILL
	program_stop controller
	program_stop worker KILL
	peer_start worker
	agent_run
	wait_until applied_is 3 3
}

@test "an agent that starts again leaves alone a worker that has it" {
	peers
	publish 3
	agent_run
	wait_until applied_is 3
	wait_until grep -q '^version 3$' "$dir/state/agent.state"
	program_stop agent KILL
	agent_run
	more worker '.path == "/state"' 3
	applied_is 3
}

@test "killed before the save, it does not push an older one" {
	peers
	publish 3
	agent_run
	wait_until applied_is 3
	wait_until grep -q '^version 3$' "$dir/state/agent.state"
	program_stop agent KILL
	# As if 4 had been applied, and the agent killed before its save.
	curl -s "$worker/config" -d '{"version": 4, "data": {}}'
	program_stop controller
	agent_run
	more worker '.path == "/state"' 3
	applied_is 3 4
	publish 5
	peer_start controller
	wait_until applied_is 3 4 5
}

@test "while the newest is refused a restarted worker gets the last good one" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	say worker '{"POST /config": {"status": 422}}'
	publish 2
	wait_until state '.worker.state == "failed"'
	say worker '{}'
	program_stop worker KILL
	peer_start worker
	wait_until applied_is 1 1
	more worker '.path == "/state"' 3
	applied_is 1 1
	wait_until state '.applied_version == 1 and .last_config_version == 2 and
	    .worker.state == "failed"'
}

@test "a worker that hangs or talks nonsense stops nothing else" {
	peers
	publish 1
	say worker '{"GET /state": {"do": "hang"}}'
	agent_run REQUEST_TIMEOUT_SECONDS=2
	wait_until state '.worker.state == "no-worker"'
	more controller '.path == "/config"' 2
	say worker '{"GET /state": {"status": 200, "body": "<html>"}}'
	wait_until state '.worker.state == "failed"'
	say worker '{"GET /state": {"status": 200,
	    "body": "{\"version\": \"x\"}"}}'
	more worker '.path == "/state"' 2
	say worker '{"GET /state": {"status": 200, "do": "drip",
	    "body": "{\"version\": 0}"}}'
	more worker '.path == "/state"' 2
	[ "$(count worker "$given")" = 0 ]
	say worker '{}'
	wait_until applied_is 1
}
