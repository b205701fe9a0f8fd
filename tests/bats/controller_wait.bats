# controller_wait.bats: GET /config?wait=, as far as it is the same whether a
# process can hold a poll or not (plain CGI: the 304 comes at once).
# transports: standalone mount cgi

load helper

setup_file()
{
	controller_start
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://a/1"},"poll_interval_seconds":30}'
}

# Every test begins with the present tag.
setup()
{
	request GET /config "$AGENT_KEY"
	expect_status 200
	etag=$(header ETag)
	version=$(jq .version "$dir/body")
}

@test "a poll without a matching tag is answered at once" {
	SECONDS=0
	for tag in '"0-0000000000000000"' 'nonsense'; do
		request GET '/config?wait=60' "$AGENT_KEY" \
		    "If-None-Match: $tag"
		expect_status 200
		expect_json --argjson v "$version" '.version == $v'
	done
	request GET '/config?wait=60' "$AGENT_KEY"
	expect_status 200
	[ $SECONDS -lt 50 ]
}

@test "a poll with the present tag gets its 304, and all that a 304 has" {
	for where in /config /api/v1/config; do
		request GET "$where?wait=1" "$AGENT_KEY" \
		    "If-None-Match: \"x\", W/$etag" 'X-Request-ID: held-one'
		expect_status 304
		[ -z "$body" ]
		expect_header ETag "$etag"
		expect_header X-Poll-Interval-Seconds 30
		expect_header Cache-Control 'private, no-cache'
		expect_header X-Request-ID held-one
		request HEAD "$where?wait=1" "$ADMIN_KEY" \
		    "If-None-Match: $etag"
		expect_status 304
	done
}

@test "how long to wait is a whole number from 1 to 60, given once" {
	for query in wait=0 wait=61 wait=abc wait= wait wait=-1 wait=1.5 \
	    'wait=1&wait=1' 'wait=1&x=1'; do
		request GET "/config?$query" "$AGENT_KEY" \
		    "If-None-Match: $etag"
		expect_problem 400 'wait|unknown query key'
	done
}

@test "a held poll is refused like any other" {
	request GET '/config?wait=60' "If-None-Match: $etag"
	expect_problem 401
	request GET '/config?wait=60' "If-None-Match: $etag" \
	    'X-API-Key: nonsense'
	expect_problem 401
	request POST '/config?wait=60' "$ADMIN_KEY" --data '{"url":"http://x"}'
	expect_problem 400 'unknown query key "wait"'
	request GET '/nowhere?wait=60' "$AGENT_KEY"
	expect_problem 404
	request GET "/config/$version?wait=5" "$AGENT_KEY"
	expect_problem 400 'unknown query key "wait"'
}
