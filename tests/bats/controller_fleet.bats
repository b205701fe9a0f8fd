# controller_fleet.bats: one agent at a time: its token, its end, its reports;
# and the list by state and by version.
# transports: standalone mount cgi

load helper

setup_file()
{
	controller_start
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"https://ip.me"},"poll_interval_seconds":30}'
}

# register [ARGUMENT of request...]: sets $id, $token and $bearer.
register()
{
	request POST /register "$AGENT_KEY" "$@" && expect_status 200 ||
		return
	id=$(jq -r .agent_id "$dir/body")
	token=$(jq -r .token "$dir/body")
	bearer="Authorization: Bearer $token"
}

# agent_is FILTER: of the agent $id.
agent_is()
{
	request GET "/agents/$id" "$ADMIN_KEY" && expect_status 200 &&
	    json_true "$1" "$dir/body"
}

# everywhere STATUS BEARER: what each pool's processes say of a token; each
# request may go to another of them.
everywhere()
{
	local n
	for n in 1 2 3 4 5 6; do
		request GET /config "$2"
		[ "$status" = "$1" ] || return
	done
	request POST /register "$2" --data '{}'
	[ "$status" = "$1" ]
}

@test "an agent is shown as it is in the list" {
	register --data '{"hostname":"web-1","metadata":{"rack":7}}'
	request GET "/agents/${id^^}" "$ADMIN_KEY"
	expect_status 200
	one=$(jq -S . "$dir/body")
	request GET "/agents?limit=1000" "$ADMIN_KEY"
	[ "$(jq -S --arg id "$id" '.[] | select(.id == $id)' \
	    "$dir/body")" = "$one" ]
	request GET /agents/0c9d3a5e-1111-4222-8333-000000000000 "$ADMIN_KEY"
	expect_problem 404 0c9d3a5e
	request GET /agents/me "$ADMIN_KEY"
	expect_problem 404
}

@test "a new token ends the old one, in every process at once" {
	register --data '{}'
	old=$bearer
	everywhere 200 "$old"
	request POST "/agents/$id/token" "$ADMIN_KEY"
	expect_status 200
	expect_json --arg id "$id" '.agent_id == $id and
	    (.token | startswith("dcm1." + $id + ".2."))'
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	everywhere 401 "$old"
	everywhere 200 "$bearer"
	# who has the fleet's credential is given the present one
	register "X-Agent-ID: $id" --data '{}'
	[[ $token == dcm1.$id.2.* ]]
	request POST /agents/0c9d3a5e-1111-4222-8333-000000000000/token \
	    "$ADMIN_KEY"
	expect_problem 404
}

# crowd HEADER...: forty at once for each way to ask, so that every process of
# every pool has its turn, and the web server where it answers by itself. What
# they were answered, without doubles.
crowd()
{
	local n args=()
	for n; do args+=(-H "$n"); done
	for n in {1..40}; do
		for path in /config /config/1 "/config?wait=$n"; do
			echo "url = \"$base$path\""
			echo 'output = "/dev/null"'
		done
	done >"$dir/urls"
	curl -sS --parallel --parallel-max 24 -K "$dir/urls" "${args[@]}" \
	    -w '%{http_code}\n' | sort -u | xargs
}

@test "two seconds after its end a token is good in no process" {
	[ "$TRANSPORT" != cgi ] || skip "a process for each request"
	request GET /config "$ADMIN_KEY"
	tag=$(header ETag)
	for end in "POST /agents/ID/token" "DELETE /agents/ID"; do
		register --data '{}'
		[ "$(crowd "$bearer")" = 200 ]
		for n in 1 2 3; do
			request GET /config "$bearer" "If-None-Match: $tag"
			expect_status 304
		done
		path=${end#* }
		request "${end%% *}" "${path/ID/$id}" "$ADMIN_KEY"
		sleep 2
		[ "$(crowd "$bearer")" = 401 ]
		[ "$(crowd "$bearer" 'If-None-Match: "x"')" = 401 ]
		for n in 1 2 3 4 5 6; do
			request GET /config "$bearer" "If-None-Match: $tag"
			expect_problem 401
		done
		forgiven
	done
}

@test "deleting forgets an agent and its token for good, and bans nobody" {
	register --data '{"hostname":"gone"}'
	old=$bearer
	request GET /config "$old" 'X-Applied-Version: 1'
	expect_status 200
	request GET '/agents?limit=1' "$ADMIN_KEY"
	total=$(header X-Total-Count)
	request DELETE "/agents/$id" "$ADMIN_KEY"
	expect_status 204
	[ ! -s "$dir/body" ]
	request DELETE "/agents/$id" "$ADMIN_KEY"
	expect_problem 404
	request GET "/agents/$id" "$ADMIN_KEY"
	expect_problem 404
	request GET '/agents?limit=1' "$ADMIN_KEY"
	expect_header X-Total-Count $((total - 1))
	everywhere 401 "$old"
	# the heartbeat that it sent before does not bring it back
	was=$id
	register --data '{}'
	request GET /config "$bearer" 'X-Applied-Version: 1'
	wait_until agent_is '.applied_version == 1'
	request GET "/agents/$was" "$ADMIN_KEY"
	expect_problem 404
	register "X-Agent-ID: $was" --data '{}'
	[[ $token == dcm1.$was.2.* ]]
	everywhere 401 "$old"
	everywhere 200 "$bearer"
	agent_is '.hostname == null and .applied_version == null'
}

@test "an agent reports with its own token" {
	register --data '{}'
	request POST "/agents/$id/status" "$bearer" --data \
	    '{"applied_version":1,"state":"failed",
	    "error":"worker answered 400: \"url\"\nis not allowed \u00e9"}'
	expect_status 204
	agent_is '.state == "failed" and .applied_version == 1 and
	    .error == "worker answered 400: \"url\"\nis not allowed é" and
	    .last_poll != null'
	# a poll that says the same leaves the error; one that is well ends it
	request GET /config "$bearer" 'X-Agent-State: failed' \
	    'X-Applied-Version: 1'
	sleep 3
	agent_is '.state == "failed" and .error != null'
	request GET /config "$bearer" 'X-Agent-State: ok' \
	    'X-Applied-Version: 1'
	wait_until agent_is '.state == "ok" and .error == null and
	    .up_to_date'
	request POST "/agents/$id/status" "$bearer" --data \
	    '{"state":"no-worker","error":null}'
	expect_status 204
	agent_is '.state == "no-worker" and .applied_version == 1'
}

@test "nobody reports for another" {
	register --data '{}'
	was=$id
	mine=$bearer
	register --data '{}'
	report='{"applied_version":1,"state":"ok"}'
	request POST "/agents/$was/status" "$bearer" --data "$report"
	expect_problem 403
	request POST "/agents/$was/status" "$AGENT_KEY" --data "$report"
	expect_problem 403
	request POST "/agents/$was/status" "$ADMIN_KEY" --data "$report"
	expect_problem 403
	request POST "/agents/$was/status" --data "$report"
	expect_problem 401
	request POST "/agents/${was^^}/status" "$mine" --data "$report"
	expect_status 204
}

@test "a report that is wrong is refused with the field's name" {
	register --data '{}'
	for wrong in applied_version:-1 applied_version:1.5 \
	    'applied_version:"1"' state:7 'state:"fine"' 'state:"offline"' \
	    error:7; do
		request POST "/agents/$id/status" "$bearer" --data \
		    "$(jq -c ". + {${wrong%%:*}: ${wrong#*:}}" \
		    <<<'{"state":"ok"}')"
		expect_problem 400
		expect_json --arg field "${wrong%%:*}" \
		    '[.errors[].field] == [$field]'
	done
	for wrong in '{}' '[]' '{' '' '{"state":"ok","state":"ok"}'; do
		request POST "/agents/$id/status" "$bearer" --data "$wrong"
		expect_problem 400
	done
	head -c 9000 /dev/zero | tr '\0' x >"$dir/long"
	request POST "/agents/$id/status" "$bearer" --data-file "$dir/long"
	expect_problem 413
	agent_is '.state == "new" and .last_poll == null'
}

# The agent $id, which has not polled yet, as none of those that have.
is_new()
{
	request GET '/agents?state=new&limit=1000' "$ADMIN_KEY" &&
	json_true --arg id "$id" 'any(.[]; .id == $id) and
	    all(.[]; .state == "new")' "$dir/body"
}

@test "the list has filters by state and by version, paged and counted" {
	request POST /config "$ADMIN_KEY" --data '{"url":"https://two"}'
	ids=()
	for n in 1 2 3 4 5; do
		register --data '{}'
		request POST "/agents/$id/status" "$bearer" --data \
		    '{"applied_version":2,"state":"no-worker"}'
		expect_status 204
		ids+=("$id")
	done
	register --data '{}'
	request POST "/agents/$id/status" "$bearer" --data \
	    '{"applied_version":2,"state":"failed"}'
	want=$(printf '%s\n' "${ids[@]}" | sort)
	got='' path='/agents?limit=2&state=no-worker&version=2'
	while [ -n "$path" ]; do
		request GET "$path" "$ADMIN_KEY"
		expect_status 200
		expect_json 'length <= 2 and all(.[]; .up_to_date and
		    .state == "no-worker" and .applied_version == 2)'
		expect_header X-Total-Count 5
		got+=$(jq -r '.[].id' "$dir/body")$'\n'
		path=
		if link=$(header Link); then
			path=${link#<"$prefix"}
			path=${path%%>*}
		fi
	done
	[ "$got" = "$want"$'\n' ]
	request GET '/agents?version=2' "$ADMIN_KEY"
	expect_header X-Total-Count 6
	request GET '/agents?state=failed&version=2' "$ADMIN_KEY"
	expect_json --arg id "$id" 'map(.id) == [$id]'
	request GET '/agents?state=failed&version=7' "$ADMIN_KEY"
	expect_json '. == []'
	expect_header X-Total-Count 0
	register --data '{}'
	wait_until is_new
	for wrong in state=fine state= version=-1 version=x \
	    'state=ok&state=ok'; do
		request GET "/agents?$wrong" "$ADMIN_KEY"
		expect_problem 400
	done
}

@test "an agent that is silent for three intervals is offline" {
	request POST '/config?poll_interval=1' "$ADMIN_KEY" \
	    --data '{"url":"https://three"}'
	expect_status 201
	register --data '{}'
	sleep 2.5	# until then, he may have been told thirty seconds
	request POST "/agents/$id/status" "$bearer" --data '{"state":"ok"}'
	agent_is '.state == "ok"'
	wait_until agent_is '.state == "offline"'
	request GET '/agents?state=offline&limit=1000' "$ADMIN_KEY"
	expect_json --arg id "$id" 'any(.[]; .id == $id)'
	# he is silent again some seconds later
	back()
	{
		request POST "/agents/$id/status" "$bearer" \
		    --data '{"state":"ok"}' && agent_is '.state == "ok"' &&
		    request GET '/agents?state=offline&limit=1000' \
		    "$ADMIN_KEY" && expect_json --arg id "$id" \
		    'all(.[]; .id != $id)'
	}
	wait_until back
}

@test "new tokens and deletions are in the audit" {
	register --data '{}'
	request POST "/agents/$id/token" "$ADMIN_KEY" 'X-Request-ID: turn-1'
	request DELETE "/agents/$id" "$ADMIN_KEY" 'X-Request-ID: end-1'
	expect_status 204
	request GET '/audit?limit=10' "$ADMIN_KEY"
	# shellcheck disable=SC2016	# jq's variables
	expect_json --arg id "$id" 'map(select(.action != "refused") |
	    [.action, .who, .request_id, .what.agent_id])[:2] == [
	    ["delete", "ADMIN_API_KEY", "end-1", $id],
	    ["rotate", "ADMIN_API_KEY", "turn-1", $id]]'
	refute grep -q 'dcm1\.' "$dir/body"
}

@test "generations in tokens survive a database of yesterday" {
	[ "$TRANSPORT" != cgi ] || skip "the same store as the others"
	register --data '{}'
	was=$id
	cp "$dir/state/controller.db" "$dir/yesterday"
	request POST "/agents/$id/token" "$ADMIN_KEY"
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	controller_stop
	rm -f "$dir"/state/controller.db*
	cp "$dir/yesterday" "$dir/state/controller.db"
	controller_again
	everywhere 200 "$bearer"
	# it was not even registered then, or its token is a later one: the
	# next one is later still
	wait_until agent_is true
	request POST "/agents/$was/token" "$ADMIN_KEY"
	expect_status 200
	everywhere 401 "$bearer"
}
