# agent_register.bats: how the agent becomes one of the fleet.

load helper
load agent

@test "it registers with the fleet's key and says who it is" {
	peers
	agent_run AGENT_HOSTNAME=here AGENT_IP=192.0.2.7 \
	    AGENT_METADATA='{"rack": 7}'
	wait_until registered
	asked controller '.[0] | .method == "POST" and .path == "/register" and
	    .headers["x-api-key"] == "fleet-key" and
	    .headers["authorization"] == null and
	    (.headers["content-type"] == "application/json")'
	asked controller ".[0].body | fromjson | .hostname == \"here\" and
	    .ip_address == \"192.0.2.7\" and .port == $agent_port and
	    .metadata == {\"rack\": 7}"
}

@test "or with its name and password; metadata may be a text" {
	peers
	agent_run CONTROLLER_API_KEY= CONTROLLER_USERNAME=agent \
	    CONTROLLER_PASSWORD='se:cret' AGENT_METADATA='rack "7"'
	wait_until registered
	asked controller ".[0].headers.authorization ==
	    \"Basic $(printf 'agent:se:cret' | base64)\""
	asked controller '.[0].body | fromjson | .metadata == "rack \"7\""'
}

@test "it keeps its id over restarts, and takes the one that it is given" {
	peers
	agent_run
	wait_until registered
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	asked controller ".[0].headers[\"x-agent-id\"] == \"$id\""
	program_stop agent
	agent_run
	wait_until registered
	state ".agent_id == \"$id\""
	program_stop agent
	truth '{"version": 0,
	    "agent_id": "11111111-2222-4333-8444-555555555555"}'
	agent_run
	wait_until state '.agent_id == "11111111-2222-4333-8444-555555555555"'
	program_stop agent
	grep -q 'agent_id 11111111-2222-4333' "$dir/state/agent.state"
}

@test "a controller that is away is asked until it comes" {
	peers
	program_stop controller
	agent_run
	wait_until log_has agent '\[controller\] registration:'
	wait_until state '.controller.state == "registering" and
	    .controller.failures > 0 and .controller.error != null'
	peer_start controller
	wait_until registered
	wait_until state '.controller.error == null and .controller.failures == 0'
}

@test "no refusal and no nonsense ends it" {
	peers
	say controller '{"POST /register": [
	    {"status": 401}, {"status": 403}, {"status": 404},
	    {"status": 500, "body": "{\"detail\": \"its own words\"}"},
	    {"status": 302, "headers": {"Location": "/elsewhere"}},
	    {"do": "reset"}, {"like": true, "do": "truncate"},
	    {"like": true, "headers": {"Content-Type": "text/html"}},
	    {"headers": {"Content-Type": "application/json"}, "body": "[]"},
	    {"headers": {"Content-Type": "application/json"}, "body": "{}"},
	    {"headers": {"Content-Type": "application/json"},
		"body": "{\"agent_id\": \"x\", \"poll_url\": \"/config\"}"},
	    {"like": true}]}'
	agent_run
	wait_until registered
	log_has agent 'registration: answered 500.*its own words'
	log_has agent 'registration: .*agent_id is not a UUID'
	asked controller 'map(select(.path == "/elsewhere")) == []'
	[ "$(count controller '.path == "/register"')" = 12 ]
}

@test "a poll_url of another origin is refused, and gets no credential" {
	peers
	peer_start stranger
	truth "{\"version\": 1, \"data\": {},
	    \"poll_url\": \"http://127.0.0.1:${stranger##*:}/config\"}"
	agent_run
	wait_until log_has agent 'poll_url is of another origin'
	more controller '.path == "/register"' 2
	[ ! -e "$dir/stranger/requests" ]
}

@test "a relative poll_url is resolved against CONTROLLER_URL" {
	peers
	truth '{"version": 0, "poll_url": "some/where"}'
	say controller '{"POST /mount/register": {"status": 200,
	    "headers": {"Content-Type": "application/json"}, "body":
	    "{\"agent_id\":\"11111111-2222-4333-8444-555555555555\",\"poll_url\":\"some/where\",\"poll_interval_seconds\":1}"}}'
	agent_run CONTROLLER_URL="$controller/mount/"
	wait_until state ".poll_url == \"$controller/mount/some/where\""
	more controller '.path == "/mount/some/where"'
}

@test "Retry-After is obeyed, in seconds and as a date" {
	peers
	say controller '{"POST /register": [
	    {"status": 503, "headers": {"Retry-After": "3"}},
	    {"like": true}]}'
	agent_run
	wait_until registered
	asked controller '[.[] | select(.path == "/register")] |
	    .[1].time - .[0].time >= 3'
	program_stop agent
	rm "$dir/controller/requests"
	until=$((EPOCHSECONDS + 6))
	at=$(LC_ALL=C date -u -d "@$until" '+%a, %d %b %Y %H:%M:%S GMT')
	say controller "{\"POST /register\": [
	    {\"status\": 429, \"headers\": {\"Retry-After\": \"$at\"}},
	    {\"like\": true}]}"
	agent_run
	wait_until registered
	asked controller "[.[] | select(.path == \"/register\")] |
	    length == 2 and .[1].wall >= $until - 1"
}
