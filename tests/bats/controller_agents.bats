# controller_agents.bats: registration, heartbeats, the list of agents.
# transports: standalone mount cgi watch

load helper

uuid='[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

setup_file()
{
	controller_start
}

# register TEXT [ARGUMENT of request...]: sets $id and $token.
register()
{
	local text=$1
	shift
	request POST /register "$AGENT_KEY" --data "$text" "$@" &&
	    expect_status 200 || return
	id=$(jq -r .agent_id "$dir/body")
	token=$(jq -r .token "$dir/body")
}

# agent_is ID FILTER: whether /agents says that of the agent.
agent_is()
{
	request GET '/agents?limit=1000' "$ADMIN_KEY" || return
	# shellcheck disable=SC2016	# jq's variables
	json_true --arg id "$1" \
	    "any(.[]; .id == \$id and ($2))" "$dir/body"
}

@test "an agent registers and gets an id, a URL, an interval and a token" {
	register '{"hostname":"web-1","ip_address":"192.0.2.7","port":8081,
	    "metadata":{"rack":7},"version":"1.2.3","other":[1]}'
	grep -qxE "$uuid" <<<"$id"
	grep -qxE "dcm1\\.$id\\.1\\.[A-Za-z0-9_-]{43}" <<<"$token"
	expect_json --arg url "$prefix/config" \
	    '.poll_url == $url and .poll_interval_seconds == 30'
	agent_is "$id" '.hostname == "web-1" and .ip_address == "192.0.2.7" and
	    .port == 8081 and .metadata == {"rack":7} and .state == "new" and
	    .last_poll == null and .applied_version == null and
	    .error == null and .up_to_date == false and
	    (.registered_at | test("^20.*Z$"))'
}

@test "poll_url follows the path that the caller used" {
	request POST /api/v1/register "$AGENT_KEY" --data '{}'
	expect_status 200
	expect_json --arg url "$prefix/api/v1/config" '.poll_url == $url'
}

@test "a registration may be empty, and null where nothing is known" {
	register ''
	register '{"hostname":null,"ip_address":null,"port":null,
	    "metadata":null,"version":null}'
	agent_is "$id" '.hostname == null and .ip_address == null and
	    .port == null and .metadata == null'
	register '{"metadata":"a string"}'
	agent_is "$id" '.metadata == "a string"'
}

@test "an agent keeps its id with X-Agent-ID, and its row is replaced" {
	register '{"hostname":"before"}'
	was=$id
	register '{"hostname":"after"}' "X-Agent-ID: ${was^^}"
	[ "$id" = "$was" ]
	agent_is "$id" '.hostname == "after"'
	request GET '/agents?limit=1000' "$ADMIN_KEY"
	expect_json --arg id "$id" 'map(select(.id == $id)) | length == 1'
}

@test "an id that nobody knows yet is kept too" {
	register '{}' 'X-Agent-ID: 0c9d3a5e-1111-4222-8333-444455556666'
	[ "$id" = 0c9d3a5e-1111-4222-8333-444455556666 ]
	request POST /register "$AGENT_KEY" 'X-Agent-ID: me' --data '{}'
	expect_problem 400 X-Agent-ID
}

@test "a registration that is wrong is refused with the field's name" {
	for wrong in hostname:7 ip_address:7 port:0 port:65536 'port:"1"' \
	    metadata:7 metadata:[] version:{}; do
		request POST /register "$AGENT_KEY" \
		    --data "{\"${wrong%%:*}\":${wrong#*:}}"
		expect_problem 400
		expect_json --arg field "${wrong%%:*}" \
		    '[.errors[].field] == [$field]'
	done
	for wrong in '[]' '{' 7 '{"port":1,"port":1}'; do
		request POST /register "$AGENT_KEY" --data "$wrong"
		expect_problem 400
	done
	long=$(head -c 4096 /dev/zero | tr '\0' x)
	request POST /register "$AGENT_KEY" --data "{\"metadata\":\"$long\"}"
	expect_problem 400
	printf '{"x":"%s%s%s%s%s"}' "$long" "$long" "$long" "$long" "$long" \
	    >"$dir/long"
	request POST /register "$AGENT_KEY" --data-file "$dir/long"
	expect_problem 413
}

@test "a heartbeat is in /agents within five seconds" {
	request POST /config "${ADMIN[@]}" --data '{"url":"https://ip.me"}'
	expect_status 201
	# a machine that is busy with others has some tries
	within()
	{
		register '{}' && request GET /config "$AGENT_KEY" \
		    "X-Agent-ID: $id" 'X-Applied-Version: 1' \
		    'X-Agent-State: ok' && expect_status 200 &&
		    tag=$(header ETag) && wait_until -t 5 agent_is "$id" \
		    '.applied_version == 1 and .state == "ok" and
		    .up_to_date and .last_poll != null'
	}
	within || within || within
	# also with a 304; what is not said stays
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id" \
	    'X-Agent-State: failed' "If-None-Match: $tag"
	expect_status 304
	wait_until agent_is "$id" '.state == "failed" and
	    .applied_version == 1'
}

# Whether liveness holds the agent, by a look at the file itself.
is_folded()
{
	python3 -c 'import sqlite3, sys, uuid
c = sqlite3.connect(sys.argv[1])
sys.exit(not c.execute("SELECT 1 FROM live WHERE id = ?",
    (uuid.UUID(sys.argv[2]).bytes,)).fetchone())' \
	    "$dir/state/controller-live.db" "$1"
}

@test "a heartbeat is folded even when no other request follows" {
	[ "$TRANSPORT" != cgi ] || skip "nothing runs until the next request"
	register '{}'
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id"
	expect_status 200
	wait_until is_folded "$id"
}

@test "with a token the heartbeat is the token's agent's" {
	register '{}'
	request GET /config "Authorization: Bearer $token" \
	    'X-Applied-Version: 1' 'X-Agent-State: no-worker'
	expect_status 200
	wait_until agent_is "$id" '.state == "no-worker"'
}

@test "an unknown agent is ignored with the fleet's credential" {
	request GET /config "$AGENT_KEY" 'X-Agent-State: ok' \
	    'X-Agent-ID: 0c9d3a5e-aaaa-4222-8333-444455556666'
	expect_status 200
	register '{}'
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id" \
	    'X-Agent-State: ok'
	wait_until agent_is "$id" '.last_poll != null'
	refute agent_is 0c9d3a5e-aaaa-4222-8333-444455556666 true
}

@test "a malformed heartbeat does not make a poll fail" {
	register '{}'
	request GET /config "$AGENT_KEY" 'X-Agent-ID: me'
	expect_status 200
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id" \
	    'X-Applied-Version: -7' 'X-Agent-State: F T'
	expect_status 200
	wait_until agent_is "$id" '.last_poll != null and
	    .applied_version == null and .state == "new"'
}

@test "an administrator's poll is no heartbeat" {
	register '{}'
	request GET /config "$ADMIN_KEY" "X-Agent-ID: $id"
	expect_status 200
	was=$id
	register '{}'
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id"
	wait_until agent_is "$id" '.last_poll != null'
	agent_is "$was" '.last_poll == null'
}

@test "the list is paged by Link, and says how many there are" {
	request GET '/agents?limit=1000' "$ADMIN_KEY"
	expect_status 200
	all=$(jq -r '.[].id' "$dir/body")
	total=$(wc -l <<<"$all")
	expect_header X-Total-Count "$total"
	refute header Link
	paged='' path='/agents?limit=3'
	while [ -n "$path" ]; do
		request GET "$path" "$ADMIN_KEY"
		expect_status 200
		expect_json 'length <= 3'
		expect_header X-Total-Count "$total"
		paged+=$(jq -r '.[].id' "$dir/body")$'\n'
		path=
		if link=$(header Link); then
			[[ $link == "<$prefix/agents?"*'>; rel="next"' ]]
			path=${link#<"$prefix"}
			path=${path%%>*}
		fi
	done
	[ "$paged" = "$all"$'\n' ]
}

@test "a page's limits are checked" {
	for wrong in limit=0 limit=1001 limit=x limit= after=x after= \
	    'limit=1&limit=1' page=1; do
		request GET "/agents?$wrong" "$ADMIN_KEY"
		expect_problem 400
	done
}
