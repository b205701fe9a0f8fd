# controller_hostile.bats: callers who mean harm: what they write into logs,
# queries and ids, and how they are turned away once they were too many.
# transports: standalone mount cgi

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	controller_start "LOG_FORMAT=json"
	request POST /config "$ADMIN_KEY" --data '{"url":"https://ip.me"}'
	expect_status 201
	request POST /register "$AGENT_KEY" --data '{}'
	jq -r .agent_id "$dir/body" >"$dir/id"
	jq -r .token "$dir/body" >"$dir/token"
}

setup()
{
	forgiven
}

# What would look like a line of ours, end a string, or move a terminal.
evil=$'\x1b[2J","forged":"yes' line='2026-01-01T00:00:00.000Z error [x] forged'

# Everything that a caller can write, with breaks and escapes in it.
write_evil()
{
	local json=$'\\n2026-01-01T00:00:00.000Z error [x] forged\\u001b[2J\\"'
	local bearer user
	bearer="Authorization: Bearer $(cat "$dir/token")"
	user=$(printf 'a\n%s' "$line")
	request GET "/x%0a$(printf %s "$line" | jq -sRr @uri)%1b%22" || :
	request GET "/config?x%0aforged=1&%22%7d%0a" "$AGENT_KEY" || :
	request GET '/x","forged":"yes' || :
	request GET /x "X-Request-ID: $evil" || :
	request GET /x 'X-Request-ID: ","forged":"yes' || :
	request GET /config "$AGENT_KEY" "X-Agent-ID: $evil" || :
	request GET /config "$bearer" "X-Applied-Version: $evil" \
	    "X-Agent-State: $evil" "User-Agent: $evil" || :
	request GET /config -u "$user:wrong" || :
	request GET /config "X-API-Key: $evil" || :
	request GET /config "Authorization: Bearer $evil" || :
	request GET "/agents?state=$(printf %s "$evil" | jq -sRr @uri)" \
	    "$ADMIN_KEY" || :
	request POST /register "$AGENT_KEY" \
	    --data "{\"hostname\":\"$json\",\"metadata\":\"$json\"}"
	request POST "/agents/$(cat "$dir/id")/status" "$bearer" \
	    --data "{\"state\":\"failed\",\"error\":\"$json\"}"
	expect_status 204
	request POST /config "$ADMIN_KEY" --data \
	    "{\"data\":{\"url\":\"https://a\"},\"comment\":\"$json\"}"
	request POST /config "$ADMIN_KEY" --data "{\"url\":\"$json\"}"
	request POST /config "$ADMIN_KEY" --data "{\"$json\":1"
}

@test "each line of the JSON log is one of ours, whatever callers write" {
	: >"$dir/controller.log"
	write_evil
	request GET /x 'X-Request-ID: the-last'
	wait_until log_has controller the-last
	[ "$(wc -l <"$dir/controller.log")" -ge 8 ]
	# each is an object of these members, and says when it was said
	jq -se 'all(.[]; type == "object" and has("forged") == false and
	    (.time | test("^20")) and .level != null and
	    (.time | startswith("2026-01-01T00:00:00") | not))' \
	    "$dir/controller.log" >/dev/null
	[ "$(jq -c . "$dir/controller.log" | wc -l)" = \
	    "$(wc -l <"$dir/controller.log")" ]
	refute grep -q '[[:cntrl:]]' "$dir/controller.log"
}

@test "nor can they forge a line, or move a terminal, in the text log" {
	controller_stop
	sed -i 's/^LOG_FORMAT=.*/LOG_FORMAT=text/' "$dir/controller.env"
	controller_again
	: >"$dir/controller.log"
	write_evil
	request GET /x 'X-Request-ID: the-last'
	wait_until log_has controller the-last
	refute grep -q '[[:cntrl:]]' "$dir/controller.log"
	refute grep -qE '^2026-01-01T00:00:00|^[^ ]* [a-z]+ \[x\]' \
	    "$dir/controller.log"
	# what was asked for ends where it ends
	refute grep -qE '"GET /x","forged' "$dir/controller.log"
	refute grep -vqE '^20[0-9-]{8}T[0-9:.]{12}Z (error|warn|info|debug) \[[a-z]+\] ' \
	    "$dir/controller.log"
}

@test "what they wrote comes back as text, not as structure" {
	write_evil
	request GET '/audit?limit=1000' "$ADMIN_KEY"
	expect_json 'all(.[]; has("forged") == false and
	    (.who | test("^[A-Za-z_0-9 -]*$")) and (.what | type) == "object")'
	request GET '/config/history?limit=10' "$ADMIN_KEY"
	expect_json 'any(.[]; .comment != null and
	    (.comment | contains("\n2026-01-01")))'
	request GET "/agents/$(cat "$dir/id")" "$ADMIN_KEY"
	expect_json '.error | contains("\n2026-01-01")'
}

@test "SQL in an id, a query or a credential is text" {
	request GET /agents "$ADMIN_KEY"
	total=$(header X-Total-Count)
	for id in "'%20OR%20'1'='1" '1;DROP%20TABLE%20agent' '%25'; do
		request GET "/agents/$id" "$ADMIN_KEY"
		expect_problem 404
		request DELETE "/agents/$id" "$ADMIN_KEY"
		expect_problem 404
		request GET "/config/$id" "$ADMIN_KEY"
		expect_problem 404
		for key in after state version limit; do
			request GET "/agents?$key=$id" "$ADMIN_KEY"
			expect_problem 400
		done
		request GET "/audit?before=$id" "$ADMIN_KEY"
		expect_problem 400
	done
	request GET /config -u "agent' OR '1'='1:x"
	expect_problem 401
	request POST /register "$AGENT_KEY" \
	    "X-Agent-ID: ' OR '1'='1" --data '{}'
	expect_problem 400
	request POST /register "$AGENT_KEY" --data \
	    "{\"hostname\":\"'); DROP TABLE agent; --\"}"
	expect_status 200
	request GET /agents "$ADMIN_KEY"
	expect_header X-Total-Count $((total + 1))
	expect_json 'any(.[]; .hostname == "'"'"'); DROP TABLE agent; --")'
}

@test "queries, ids and pages have an end" {
	long=$(printf 'x%.0s' {1..5000})
	request GET "/agents?state=$long" "$ADMIN_KEY"
	expect_problem 400
	request GET "/agents?$long=1" "$ADMIN_KEY"
	expect_problem 400
	request GET "/agents/$long" "$ADMIN_KEY"
	expect_problem 404
	for path in /agents /audit /config/history; do
		for limit in 0 1001 99999999999999999999 1e3 +1; do
			request GET "$path?limit=$limit" "$ADMIN_KEY"
			expect_problem 400
		done
		request GET "$path?limit=1000" "$ADMIN_KEY"
		expect_status 200
	done
	request GET "/config/99999999999999999999999" "$ADMIN_KEY"
	expect_problem 404
	request GET /config "X-API-Key: $long"
	expect_problem 401
	request GET /config -u "$long:x"
	expect_problem 401
}

@test "who was wrong too often is told so after 404, 405 and 400" {
	for n in {1..11}; do
		request GET /config -u admin:wrong
		expect_problem 401
	done
	request GET /x "${ADMIN[@]}"
	expect_problem 404
	request DELETE /config "${ADMIN[@]}"
	expect_problem 405
	request GET '/config?x=1' "${ADMIN[@]}"
	expect_problem 400
	head -c 900000 /dev/zero >"$dir/big"
	request POST /config "${ADMIN[@]}" --data-file "$dir/big"
	expect_problem 429
	request POST /config "${ADMIN[@]}" --data '{'
	expect_problem 429
	# every process knows: each of these is of another pool
	for path in /config /agents /metrics /audit; do
		request GET "$path" "${ADMIN[@]}"
		expect_problem 429
	done
}

@test "the wrong role is told before the body, a wrong body before If-Match" {
	head -c 900000 /dev/zero >"$dir/big"
	request POST /config "$AGENT_KEY" --data-file "$dir/big"
	expect_problem 403
	request POST /config "$ADMIN_KEY" 'If-Match: "1-0000000000000000"' \
	    --data-file "$dir/big"
	expect_problem 413
	request POST /config "$ADMIN_KEY" 'If-Match: "1-0000000000000000"' \
	    --data '{"url":"ftp://a"}'
	expect_problem 400
	# stale, though it would change nothing
	request GET /config "$ADMIN_KEY"
	jq -c .data "$dir/body" >"$dir/same"
	request POST /config "$ADMIN_KEY" 'If-Match: "1-0000000000000000"' \
	    --data-file "$dir/same"
	expect_problem 412
	tag=$(header ETag)
	request POST /config "$ADMIN_KEY" "If-Match: $tag" \
	    --data-file "$dir/same"
	expect_status 200
	expect_json .unchanged
	request POST /config/rollback "$ADMIN_KEY" --data '{"version":1}' \
	    'If-Match: "1-0000000000000000"'
	expect_problem 412
}
