# agent_poll.bats: what the agent reads, follows, and does not follow.

load helper
load agent

polled='.path == "/config" and .method == "GET"'

# still VERSION: that one stays in force, in agent and worker.
still()
{
	state ".last_config_version == $1 and .applied_version == $1"
	[ "$(curl -s "$worker/state" | jq .version)" = "$1" ]
}

@test "a poll carries the tag, the id, what is applied and how it is" {
	peers
	publish 3
	agent_run
	wait_until applied_is 3
	wait_until state '.applied_version == 3'
	more controller "$polled" 2
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	asked controller "[.[] | select($polled)] | .[0].headers |
	    .[\"if-none-match\"] == null and .[\"x-agent-id\"] == \"$id\" and
	    .[\"x-applied-version\"] == \"0\" and .[\"x-api-key\"] == \"fleet-key\""
	asked controller "[.[] | select($polled)] | last | .headers |
	    (.[\"if-none-match\"] | test(\"^.3-[0-9a-f]{16}.$\")) and
	    .[\"x-applied-version\"] == \"3\" and
	    .[\"x-agent-state\"] == \"ok\" and .[\"cache-control\"] == null"
}

@test "with a token it is the token that polls" {
	peers
	truth '{"version": 1, "data": {}, "token": "dcm1.a.1.b"}'
	agent_run
	wait_until applied_is 1
	asked controller "[.[] | select($polled)] | all(.headers |
	    .authorization == \"Bearer dcm1.a.1.b\" and
	    .[\"x-api-key\"] == null)"
	asked controller '.[0].headers | .authorization == null and
	    .["x-api-key"] == "fleet-key"'
}

@test "the interval is the controller's, in the body and in the header" {
	peers
	publish 1 2
	agent_run
	wait_until applied_is 1
	more controller "$polled" 4
	asked controller "[.[] | select($polled) | .time] | .[-3:] |
	    .[1] - .[0] >= 1.8 and .[2] - .[1] >= 1.8"
	publish 2 1
	wait_until applied_is 1 2
	# with it, the early poll for the news is behind it
	wait_until counts controller "$polled and
	    .headers[\"x-applied-version\"] == \"2\"" 1
	state '.poll_interval_seconds == 1'
	say controller '{"GET /config": {"like": true,
	    "headers": {"X-Poll-Interval-Seconds": "3600"}, "status": 304,
	    "body": ""}}'
	wait_until state '.poll_interval_seconds == 3600'
	n=$(count controller "$polled")
	sleep 3
	[ "$(count controller "$polled")" = "$n" ]
}

@test "what is no configuration leaves the last good one in force" {
	peers
	publish 1
	agent_run REQUEST_TIMEOUT_SECONDS=2
	wait_until applied_is 1
	# One after the other, and then the truth. BYTE is no UTF-8.
	say controller "$(jq -n --arg elsewhere "$worker/state" '
	def typed(type): {status: 200, headers: {"Content-Type": type}, body: .};
	def json: typed("application/json");
	{version: 9, data: {}} as $good |
	{"GET /config": [
		{status: 403}, {status: 404}, {status: 204},
		{status: 500, body: "<html>"},
		{status: 503, headers: {"Retry-After": "0"}},
		{status: 301, headers: {Location: $elsewhere}},
		("{\"version\": 9, \"data\": {" | json),
		("{\"version\": 9, \"version\": 9, \"data\": {}}" | json),
		("" | json), ("[]" | json), ("{\"data\": {}}" | json),
		($good * {version: "9"} | tojson | json),
		($good * {version: 9.5} | tojson | json),
		($good * {version: -9} | tojson | json),
		($good + {data: []} | tojson | json),
		($good * {data: {url: "BYTE"}} | tojson | json),
		($good | tojson | typed("text/html")),
		($good | tojson | json | .do = "truncate"),
		($good | tojson | json | .do = "drip"),
		{do: "reset"}, {like: true}]}' | sed 's/BYTE/\\udcff/')"
	publish 2
	wait_until -t 60 counts controller "$polled" 15
	still 1
	wait_until -t 60 applied_is 1 2
	[ "$(count controller "$polled")" -ge 22 ]
}

@test "an answer that is too long is not read to its end" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	wait_until state '.applied_version == 1'
	jq -n '{"GET /config": {"status": 200, "headers":
	    {"Content-Type": "application/json"}, "body":
	    ("{\"version\": 9, \"data\": {\"a\": \"" +
	    ("x" * 5000000) + "\"}}")}}' >"$dir/long.json"
	mv "$dir/long.json" "$dir/controller/say.json"
	more controller "$polled" 2
	still 1
	wait_until state '.controller.error != null'
	say controller '{}'
	publish 2
	wait_until applied_is 1 2
}

@test "a document of 32 levels and odd numbers arrives byte for byte" {
	peers
	body='{"version": 1, "data": {"n": 9007199254740993, "e": 1E+2, "deep": '
	body+="$(printf '[%.0s' {1..31})$(printf ']%.0s' {1..31})}}"
	say controller "$(jq -n --arg body "$body" '{"GET /config": {
	    "status": 200, "body": $body,
	    "headers": {"Content-Type": "application/json"}}}')"
	agent_run
	wait_until applied_is 1
	asked worker "map(select(.method == \"POST\")) | .[0].body ==
	    $(jq -n --arg body "$body" '$body')"
}

@test "401 makes it register again, with its id, and go on" {
	peers
	publish 1
	agent_run
	wait_until applied_is 1
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	say controller '{"GET /config": [{"status": 401}, {"like": true}]}'
	wait_until counts controller '.path == "/register"' 2
	asked controller "map(select(.path == \"/register\")) | last |
	    .headers[\"x-agent-id\"] == \"$id\""
	publish 2
	wait_until applied_is 1 2
}

@test "401 for good does not make it hasty" {
	peers
	say controller '{"GET /config": {"status": 401}}'
	agent_run BACKOFF_MAX_SECONDS=60
	sleep 8
	# with the first pauses as short as chance can make them
	[ "$(count controller true)" -le 20 ]
	wait_until state '.controller.error | test("401")'
}

@test "a lower version is followed with a warning, version 0 is not" {
	peers
	publish 7
	agent_run
	wait_until applied_is 7
	publish 3
	wait_until applied_is 7 3
	wait_until state '.applied_version == 3'
	log_has agent 'warn \[controller\] version 3 after 7'
	truth '{"version": 0, "data": {}}'
	wait_until log_has agent 'warn \[controller\].*version 0.*version 3 stays'
	still 3
	publish 4
	wait_until applied_is 7 3 4
}

@test "the same version with other bytes is followed" {
	peers
	publish 7
	agent_run
	wait_until applied_is 7
	truth '{"version": 7, "data": {"url": "http://other"}}'
	wait_until applied_is 7 7
	wait_until state '.config_url == "http://other"'
}

@test "what was applied is upstream long before the interval is over" {
	peers
	publish 1 3600
	agent_run
	wait_until applied_is 1
	wait_until counts controller "$polled and
	    .headers[\"x-applied-version\"] == \"1\"" 1
	asked controller "[.[] | select($polled) | .time] | length == 2"
}

@test "an agent that has a configuration spreads its first poll" {
	peers
	publish 1 86400
	agent_run
	wait_until counts controller "$polled" 2
	program_stop agent
	rm "$dir/controller/requests"
	agent_run
	wait_until counts controller '.path == "/register"' 1
	sleep 1
	[ "$(count controller "$polled")" = 0 ]
}

@test "what fails is reported at once with the worker's words, with a token" {
	peers
	truth '{"version": 1, "data": {}, "token": "t", "poll_interval_seconds": 3600}'
	say worker '{"POST /config": {"status": 400,
	    "headers": {"Content-Type": "application/problem+json"},
	    "body": "{\"detail\": \"I will not\"}"}}'
	agent_run
	wait_until counts controller '.path | endswith("/status")' 1
	id=$(curl -s "$agent/state" | jq -r .agent_id)
	asked controller "map(select(.path == \"/agents/$id/status\")) |
	    .[0] | .headers.authorization == \"Bearer t\" and (.body |
	    fromjson | . == {\"applied_version\": 0, \"state\": \"failed\",
	    \"error\": \"worker answered 400: I will not\"})"
	wait_until counts controller "$polled and
	    .headers[\"x-agent-state\"] == \"failed\"" 1
}
