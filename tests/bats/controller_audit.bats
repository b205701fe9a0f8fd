# controller_audit.bats: who did what when; wrong credentials, counted and
# slowed down.
# transports: standalone mount cgi

load helper

setup_file()
{
	export PROGRAMS_STAY=1	# one test starts the controller again
	controller_start AUDIT_RETENTION_DAYS=30
}

setup()
{
	forgiven
}

# audit [QUERY]: asks for it; the answer is in $dir/body.
audit()
{
	request GET "/audit${1-}" "${ADMIN[@]}" && expect_status 200
}

# sql STATEMENT: run on the database.
sql()
{
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1], timeout=20)
c.execute(sys.argv[2])
c.commit()' "$dir/state/controller.db" "$1"
}

# minute_begin: waits for the next minute when this one is nearly over, so
# that what follows is of one.
minute_begin()
{
	while [ "$((10#$(date +%S)))" -ge 30 ]; do
		sleep 0.5
	done
}

# wrong COUNT CODE ARGUMENT...: asks with them that often.
wrong()
{
	local n count=$1 code=$2
	shift 2
	for ((n = 0; n < count; n++)); do
		request GET /config "$@"
		expect_problem "$code" || return
	done
}

@test "before anything happened the audit is empty" {
	audit
	[ "$body" = '[]' ]
}

@test "a publish has its row: when, who, from where, which request" {
	request POST /config "${ADMIN[@]}" 'X-Request-ID: publish-1' \
	    --data '{"url":"http://one"}'
	expect_status 201
	audit
	expect_json 'length == 1'
	expect_json '.[0] | .action == "publish" and .who == "admin" and
	    .address == "127.0.0.1" and .request_id == "publish-1" and
	    .what == {"version":1} and .count == 1'
	expect_json '.[0].time | test("^20[0-9-]+T[0-9:]+\\.[0-9]{3}Z$")'
}

@test "what was not published has no row" {
	request POST /config "${ADMIN[@]}" --data '{"url":"http://one"}'
	expect_status 200
	request POST '/config?dry_run=true' "${ADMIN[@]}" \
	    --data '{"url":"http://other"}'
	expect_status 200
	request POST /config "${ADMIN[@]}" --data '{"url":"ftp://one"}'
	expect_problem 400
	request POST /config "${ADMIN[@]}" 'If-Match: "9-0"' \
	    --data '{"url":"http://other"}'
	expect_problem 412
	audit
	expect_json 'length == 1'
}

@test "a rollback names both versions, a key its setting and not itself" {
	request POST /config "$ADMIN_KEY" --data '{"url":"http://two"}'
	expect_status 201
	request POST /config/rollback "$ADMIN_KEY" --data '{"version":1}'
	expect_status 201
	audit
	expect_json '.[0] | .action == "rollback" and
	    .who == "ADMIN_API_KEY" and
	    .what == {"version":3,"content_of":1}'
	expect_json '.[1] | .action == "publish" and .what.version == 2'
	refute grep -q admin-key-of-the-tests "$dir/body"
}

@test "a registration has its row, a taken over id both addresses" {
	request POST /register "${AGENT[@]}" --data '{}'
	expect_status 200
	id=$(jq -r .agent_id "$dir/body")
	token=$(jq -r .token "$dir/body")
	audit
	expect_json ".[0] | .action == \"register\" and .who == \"agent\" and
	    .what == {\"agent_id\":\"$id\"}"
	request POST /register "Authorization: Bearer $token" --data '{}'
	expect_status 200
	audit
	expect_json ".[0] | .who == \"agent $id\" and
	    .what == {\"agent_id\":\"$id\"}"
	sql "UPDATE agent SET address = '192.0.2.7'"
	request POST /register "$AGENT_KEY" "X-Agent-ID: $id" --data '{}'
	expect_status 200
	audit
	expect_json ".[0] | .who == \"AGENT_API_KEY\" and .what ==
	    {\"agent_id\":\"$id\",\"address\":\"127.0.0.1\",
	    \"previous_address\":\"192.0.2.7\"}"
}

@test "refused credentials are one row for an address and minute" {
	minute_begin
	before=$(audit && jq '[.[] | select(.action == "refused").count] |
	    add // 0' "$dir/body")
	wrong 3 401 'X-API-Key: wrong-key-1234'
	wrong 2 401 'Authorization: Bearer dcm1.wrong-token'
	wrong 1 401 -u nobody:wrong-password
	wrong 1 401 -u admin:wrong-password 'X-Request-ID: the-last'
	audit
	expect_json '.[0] | .action == "refused" and .who == "admin" and
	    .address == "127.0.0.1" and .what == {"credential":"Basic"} and
	    .count == 7 and .request_id == "the-last" and
	    (.time | test(":00\\.000Z$"))'
	wrong 1 401 -u nobody:wrong-password
	audit
	expect_json '[.[] | select(.action == "refused")] |
	    length == 1 and .[0].count == 8 and .[0].who == "unknown"'
	refute grep -qE 'wrong-|nobody' "$dir/body"
}

@test "sending no credential is neither counted nor told" {
	audit
	before=$body
	wrong 15 401
	audit
	[ "$body" = "$before" ]
	request GET /config "${AGENT[@]}"
	expect_status 200
}

@test "the audit comes in pages that lead to each other" {
	audit '?limit=2'
	expect_json 'length == 2'
	last=$(jq '.[1].id' "$dir/body")
	expect_header Link \
	    "<$prefix/audit\?limit=2&before=$last>; rel=\"next\""
	audit "?limit=1000&before=$last"
	expect_json "all(.[]; .id < $last) and .[-1].what == {\"version\":1}"
	refute header Link
	for wrong in limit=0 limit=1001 before=0 before=x after=1; do
		request GET "/audit?$wrong" "${ADMIN[@]}"
		expect_problem 400
	done
}

@test "the audit is the administrator's alone" {
	request GET /audit
	expect_problem 401
	request GET /audit "${AGENT[@]}"
	expect_problem 403
	request POST /audit "${ADMIN[@]}" --data '{}'
	expect_problem 405
}

# audit_gone: whether the row that is old is gone from the disk.
audit_gone()
{
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1], timeout=20)
sys.exit(c.execute("SELECT count(*) FROM audit WHERE at < 1000").fetchone()[0])
' "$dir/state/controller.db"
}

@test "after AUDIT_RETENTION_DAYS a row is neither shown nor kept" {
	sql "INSERT INTO audit (at, who, address, request_id, action, what)
	    VALUES (1, 'x', 'x', 'x', 'ancient', '{}')"
	audit
	expect_json 'all(.[]; .action != "ancient") and length > 3'
	controller_stop
	controller_again
	request GET /ready
	wait_until audit_gone
	audit
	expect_json 'length > 3'
}

@test "more than ten wrong passwords a minute: the next are not looked at" {
	minute_begin
	wrong 11 401 -u admin:wrong
	request GET /config "${ADMIN[@]}"
	expect_problem 429 'passwords'
	expect_header Retry-After '([1-9]|[1-5][0-9]|60)'
	refute header WWW-Authenticate
	wrong 1 429 -u agent:agent-secret
	wrong 1 429 -u nobody:wrong
	# before the body is looked at
	request POST /config "${ADMIN[@]}" --data '{'
	expect_problem 429
}

@test "keys and tokens pass where passwords do not" {
	request POST /register "$AGENT_KEY" --data '{}'
	expect_status 200
	token=$(jq -r .token "$dir/body")
	wrong 11 401 -u agent:wrong
	wrong 1 429 "${AGENT[@]}"
	request GET /config "$AGENT_KEY"
	expect_status 200
	request GET /config "Authorization: Bearer $token"
	expect_status 200
	request GET /audit "$ADMIN_KEY"
	expect_status 200
	# a wrong one is still told to be wrong, and none is none
	wrong 1 401 'X-API-Key: wrong'
	wrong 1 401
	# with both, the key decides
	request GET /config "${AGENT[@]}" "$AGENT_KEY"
	expect_status 200
}

@test "wrong keys and tokens count as wrong passwords do" {
	wrong 5 401 'X-API-Key: wrong'
	wrong 5 401 'Authorization: Bearer wrong'
	request GET /config "${AGENT[@]}"
	expect_status 200
	wrong 1 401 'Authorization: Digest x'
	wrong 1 429 "${AGENT[@]}"
}

@test "what is open to anyone stays open" {
	wrong 11 401 -u admin:wrong
	wrong 1 429 "${ADMIN[@]}"
	request GET /health "${ADMIN[@]}"
	expect_status 200
	request GET /ready -u admin:wrong
	expect_status 200
}

@test "passwords from another address are looked at" {
	[ "$TRANSPORT" != cgi ] || skip "one address only"
	wrong 11 401 -u admin:wrong
	wrong 1 429 "${ADMIN[@]}"
	[ "$(curl -so "$dir/out" -w '%{http_code}' --interface 127.0.0.2 \
	    -u admin:admin-secret "$base/config")" = 200 ]
}

@test "a flood makes one row, counts those not looked at, and delays nobody" {
	since=$(($(date +%s) / 60 * 60)) begin=$SECONDS
	wrong 11 401 -u admin:wrong
	for n in {1..30}; do
		request GET /config -u admin:wrong
		# a slow machine may come to the end of the minute's pause
		[ "$status" = 429 ] || [ $((SECONDS - begin)) -ge 59 ]
	done
	minutes=$((($(date +%s) - since) / 60 + 1))
	request POST /config "$ADMIN_KEY" --data '{"url":"http://flood"}'
	expect_status 201
	request GET '/audit?limit=1000' "$ADMIN_KEY"
	# a row for each minute that it took
	expect_json --argjson since "$since" --argjson minutes "$minutes" \
	    '[.[] | select(.action == "refused" and (.time |
	    sub("\\.[0-9]*Z"; "Z") | fromdate >= $since))] |
	    length <= $minutes and (map(.count) | add) >= 41'
}
