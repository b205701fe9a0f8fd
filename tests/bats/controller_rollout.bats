# controller_rollout.bats: how far a version has come, by what agents say
# that their workers acknowledged.
# transports: standalone mount cgi

load helper

setup_file()
{
	controller_start
}

publish()
{
	request POST /config "$ADMIN_KEY" --data "$1"
	expect_status 201
}

# register NAME: its token is in $dir/NAME.token.
register()
{
	request POST /register "$AGENT_KEY" --data '{}'
	expect_status 200
	jq -r .token "$dir/body" >"$dir/$1.token"
}

# polls NAME VERSION STATE: a heartbeat.
polls()
{
	request GET /config "Authorization: Bearer $(cat "$dir/$1.token")" \
	    "X-Applied-Version: $2" "X-Agent-State: $3"
	expect_status 200
}

# rollout_is QUERY FILTER
rollout_is()
{
	request GET "/rollout$1" "$ADMIN_KEY" && expect_status 200 &&
	    expect_json "$2"
}

@test "before the first publish nothing has come anywhere" {
	rollout_is '' '. == {"version":0,"published_at":null,"agents":
	    {"total":0,"up_to_date":0,"behind":0,"failed":0,"offline":0},
	    "propagation_seconds":{"p50":null,"p95":null,"p99":null,
	    "max":null}}'
	request GET '/rollout?version=1' "$ADMIN_KEY"
	expect_problem 404 'version 1'
	for wrong in version=0 version=x version= 'version=1&version=1' \
	    limit=1; do
		request GET "/rollout?$wrong" "$ADMIN_KEY"
		expect_problem 400
	done
}

@test "what was sent is not what was applied" {
	for name in a b c d; do
		register "$name"
	done
	publish '{"data":{"url":"http://one"},"poll_interval_seconds":30}'
	polls a 0 ok
	polls b 0 no-worker
	sleep 3
	rollout_is '' '.version == 1 and .agents.total == 4 and
	    .agents.behind == 4 and .agents.up_to_date == 0 and
	    .propagation_seconds.max == null and
	    (.published_at | test("^20.*Z$"))'
}

@test "what workers acknowledged is there soon after" {
	polls a 1 ok
	polls b 1 ok
	polls c 0 failed
	wait_until rollout_is '' '.agents == {"total":4,
	    "up_to_date":2,"behind":1,"failed":1,"offline":0}'
	rollout_is '' '.propagation_seconds | .p50 > 0 and .p50 <= .p95 and
	    .p95 <= .p99 and .p99 <= .max and .max < 60'
}

@test "an older version's rollout can be looked at, and its times stay" {
	request GET '/rollout?version=1' "$ADMIN_KEY"
	times=$(jq -c .propagation_seconds "$dir/body")
	publish '{"url":"http://two"}'
	rollout_is '' '.version == 2 and .agents.up_to_date == 0 and
	    .propagation_seconds.p50 == null'
	rollout_is '?version=1' '.version == 1 and .agents.up_to_date == 2'
	polls a 2 ok
	# said again, it does not count again
	polls b 1 ok
	wait_until rollout_is '' '.agents.up_to_date == 1 and
	    .propagation_seconds.max > 0'
	rollout_is '?version=1' '.agents.up_to_date == 2'
	request GET '/rollout?version=1' "$ADMIN_KEY"
	[ "$(jq -c .propagation_seconds "$dir/body")" = "$times" ]
}

@test "agents that fell silent are offline, whatever they have" {
	publish '{"data":{"url":"http://two"},"poll_interval_seconds":1}'
	# they were told thirty seconds, and need not know better yet
	sleep 8
	rollout_is '' '.agents.offline == 0'
	polls a 3 ok
	polls b 2 ok
	polls c 0 failed
	wait_until rollout_is '' '.agents.offline == 3 and
	    .agents.behind == 1'
	id=$(cut -d. -f2 "$dir/a.token")
	# he is silent again some seconds later
	back()
	{
		request POST "/agents/$id/status" --data '{"state":"ok"}' \
		    "Authorization: Bearer $(cat "$dir/a.token")" &&
		    expect_status 204 && rollout_is '' \
		    '.agents.up_to_date == 1 and .agents.offline == 2'
	}
	wait_until back
}

@test "an agent that polls every second is never taken for silent" {
	for n in 1 2 3 4 5 6 7 8; do
		polls a 3 ok
		[ "$n" -lt 5 ] || rollout_is '' '.agents.up_to_date == 1'
		sleep 1
	done
}

@test "the times survive a controller that is killed" {
	[ "$TRANSPORT" = standalone ] || skip "the same store as the others"
	request GET '/rollout?version=1' "$ADMIN_KEY"
	times=$(jq -c .propagation_seconds "$dir/body")
	program_stop controller KILL
	controller_again
	# the responders of the one that was killed go first
	wait_until rollout_is '?version=1' true
	[ "$(jq -c .propagation_seconds "$dir/body")" = "$times" ]
}
