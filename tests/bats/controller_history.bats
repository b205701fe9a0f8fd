# controller_history.bats: the versions there were: listed, compared, tried,
# brought back; and many administrators at once.
# transports: standalone mount cgi

load helper

setup_file()
{
	controller_start
}

publish()
{
	local text=$1
	shift
	request POST "/config${query-}" "${ADMIN[@]}" --data "$text" "$@"
}

# present FILTER: of the present version.
present()
{
	request GET /config "$AGENT_KEY" && expect_status 200 &&
	    jq -r "$1" "$dir/body"
}

# at_once COUNT COMMAND...: runs it that often at the same time, each with
# its number and in a folder of its own; all must succeed.
at_once()
{
	local count=$1 n pid pids=() failed=0 folder=$dir
	shift
	for ((n = 1; n <= count; n++)); do
		(
			dir=$folder/at-once.$n
			mkdir -p "$dir"
			cp "$folder/controller.env" "$dir"
			"$@" "$n"
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	return $failed
}

@test "before the first publish the history is empty, and so is the diff" {
	request GET /config/history "${ADMIN[@]}"
	expect_status 200
	[ "$body" = '[]' ]
	request GET /config/diff "${ADMIN[@]}"
	expect_status 200
	[ "$body" = '[]' ]
}

@test "the history tells who published what, why and when, newest first" {
	publish '{"url":"https://one.example"}'
	expect_status 201
	request POST /config "$ADMIN_KEY" \
	    --data '{"data":{"url":"https://two.example"},"comment":"why"}'
	expect_status 201
	publish '{"url":"https://three.example","poll_interval_seconds":60}'
	expect_status 201
	request GET /config/history "${ADMIN[@]}"
	expect_status 200
	expect_json '[.[].version] == [3,2,1]'
	expect_json '[.[].author] == ["admin","ADMIN_API_KEY","admin"]'
	expect_json '[.[].comment] == [null,"why",null]'
	expect_json '[.[].poll_interval_seconds] == [60,30,30]'
	expect_json '[.[].size] == [58,29,29]'
	expect_json 'all(.[]; .created_at |
	    test("^20[0-9-]+T[0-9:]+\\.[0-9]{3}Z$"))'
	sum=$(printf %s '{"url":"https://two.example"}' | sha256sum |
	    cut -d ' ' -f 1)
	expect_json ".[1].sha256 == \"$sum\""
	refute header Link
}

@test "the history comes in pages that lead to each other" {
	request GET '/config/history?limit=2' "${ADMIN[@]}"
	expect_status 200
	expect_json '[.[].version] == [3,2]'
	expect_header Link \
	    "<$prefix/config/history\?limit=2&before=2>; rel=\"next\""
	request GET '/config/history?limit=2&before=2' "${ADMIN[@]}"
	expect_status 200
	expect_json '[.[].version] == [1]'
	refute header Link
	for wrong in limit=0 limit=1001 limit=x before=0 before=-1 after=1 \
	    'limit=1&limit=2'; do
		request GET "/config/history?$wrong" "${ADMIN[@]}"
		expect_problem 400
	done
}

@test "history, diff and rollback are the administrator's alone" {
	for path in /config/history /config/diff; do
		request GET "$path"
		expect_problem 401
		request GET "$path" "${AGENT[@]}"
		expect_problem 403
		request POST "$path" "${ADMIN[@]}" --data '{}'
		expect_problem 405
	done
	request POST /config/rollback --data '{"version":1}'
	expect_problem 401
	request POST /config/rollback "$AGENT_KEY" --data '{"version":1}'
	expect_problem 403
	request GET /config/rollback "${ADMIN[@]}"
	expect_problem 405
	[ "$(present .version)" = 3 ]
}

@test "the diff is a JSON Patch between any two versions" {
	request GET '/config/diff?from=1&to=3' "${ADMIN[@]}"
	expect_status 200
	expect_header Content-Type 'application/json-patch\+json'
	[ "$body" = '[{"op":"replace","path":"/url","value":"https://three.example"},{"op":"add","path":"/poll_interval_seconds","value":60}]' ]
	request GET '/config/diff?from=3&to=1' "${ADMIN[@]}"
	expect_json '. == [
	    {"op":"replace","path":"/url","value":"https://one.example"},
	    {"op":"remove","path":"/poll_interval_seconds"}]'
	request GET '/config/diff?from=2&to=2' "${ADMIN[@]}"
	[ "$body" = '[]' ]
	request GET '/config/diff?from=0&to=1' "${ADMIN[@]}"
	expect_json '. == [
	    {"op":"add","path":"/url","value":"https://one.example"}]'
}

@test "without from and to it is the last change" {
	request GET /config/diff "${ADMIN[@]}"
	expect_json 'map(.path) == ["/url","/poll_interval_seconds"]'
	request GET '/config/diff?to=2' "${ADMIN[@]}"
	expect_json 'map(.value) == ["https://two.example"]'
	request GET '/config/diff?from=1' "${ADMIN[@]}"
	expect_json 'map(.value) == ["https://three.example",60]'
}

@test "numbers that differ only beyond double precision show in the diff" {
	publish '{"url":"http://n","n":9007199254740992,"m":1.0}'
	publish '{"url":"http://n","n":9007199254740993,"m":1}'
	expect_status 201
	request GET /config/diff "${ADMIN[@]}"
	[ "$body" = '[{"op":"replace","path":"/n","value":9007199254740993},{"op":"replace","path":"/m","value":1}]' ]
}

@test "a diff with a version that is none is not found" {
	for none in from=99 to=99 'from=1&to=99' from=9007199254740991; do
		request GET "/config/diff?$none" "${ADMIN[@]}"
		expect_problem 404
	done
	for wrong in from=x to=-1 from= from=1.5 version=1; do
		request GET "/config/diff?$wrong" "${ADMIN[@]}"
		expect_problem 400
	done
}

@test "a dry run says what would come of it, and stores nothing" {
	before=$(present .version)
	query='?dry_run=true&poll_interval=7'
	publish '{"url":"http://dry"}'
	expect_status 200
	expect_json '.dry_run == true and .unchanged == null and
	    .poll_interval_seconds == 7'
	expect_json ".version == $before"
	expect_json '[.diff[] | [.op, .path, .value]] ==
	    [["replace","/url","http://dry"],["remove","/n",null],
	    ["remove","/m",null]]'
	query='?dry_run=true'
	request GET /config "$AGENT_KEY"
	same=$(jq -c .data "$dir/body")
	publish '{"url":"http://n","n":9007199254740993,"m":1}'
	expect_status 200
	expect_json '.dry_run and .unchanged and .diff == []'
	publish '{"url":"ftp://dry"}'
	expect_problem 400
	publish '{"url":"http://dry"}' 'If-Match: "1-0123456789abcdef"'
	expect_problem 412
	query='?dry_run=yes'
	publish '{"url":"http://dry"}'
	expect_problem 400
	[ "$(present .version)" = "$before" ]
	query='?dry_run=false'
	publish '{"url":"http://wet"}'
	expect_status 201
	[ "$(present .version)" = $((before + 1)) ]
}

@test "a rollback makes a new version with the old content and interval" {
	before=$(present .version)
	request POST /config/rollback "${ADMIN[@]}" \
	    --data '{"version":1,"comment":"three is no good"}'
	expect_status 201
	expect_json ".version == $((before + 1)) and .unchanged == null"
	expect_header Location "$prefix/config/$((before + 1))"
	tag=$(header ETag)
	request GET /config "$AGENT_KEY"
	[ "$body" = "{\"version\":$((before + 1)),\"data\":{\"url\":\"https://one.example\"},\"poll_interval_seconds\":30}" ]
	[ "$(header ETag)" = "$tag" ]
	request GET '/config/history?limit=1' "${ADMIN[@]}"
	expect_json '.[0].comment == "three is no good" and
	    .[0].author == "admin"'
	request POST /config/rollback "${ADMIN[@]}" --data '{"version":3}'
	expect_status 201
	[ "$(present .poll_interval_seconds)" = 60 ]
	request GET '/config/history?limit=1' "${ADMIN[@]}"
	expect_json '.[0].comment == "rollback to version 3"'
}

@test "a rollback to what is present makes no version" {
	before=$(present .version)
	request POST /config/rollback "${ADMIN[@]}" --data '{"version":3}'
	expect_status 200
	expect_json ".unchanged and .version == $before"
	request POST /config/rollback "${ADMIN[@]}" \
	    --data "{\"version\":$before}"
	expect_status 200
	[ "$(present .version)" = "$before" ]
}

@test "a rollback takes If-Match" {
	request GET /config "${ADMIN[@]}"
	tag=$(header ETag)
	request POST /config/rollback "${ADMIN[@]}" "If-Match: $tag" \
	    --data '{"version":2}'
	expect_status 201
	new=$(header ETag)
	request POST /config/rollback "${ADMIN[@]}" "If-Match: $tag" \
	    --data '{"version":1}'
	expect_problem 412
	[ "$(header ETag)" = "$new" ]
}

@test "a rollback to nothing, or with a wrong body, is refused" {
	before=$(present .version)
	request POST /config/rollback "${ADMIN[@]}" --data '{"version":99999}'
	expect_problem 404
	for wrong in '' '{' '[]' '1' '{}' '{"version":0}' '{"version":-1}' \
	    '{"version":"1"}' '{"version":1.5}' '{"version":1,"x":2}' \
	    '{"version":1,"comment":7}' '{"version":1,"version":2}'; do
		request POST /config/rollback "${ADMIN[@]}" --data "$wrong"
		expect_problem 400
	done
	head -c 20000 /dev/zero | tr '\0' ' ' >"$dir/long"
	request POST /config/rollback "${ADMIN[@]}" --data-file "$dir/long"
	expect_problem 413
	[ "$(present .version)" = "$before" ]
}

# One of a hundred, which may be any: without If-Match all succeed.
publisher()
{
	unlocked publish "{\"url\":\"http://at-once/$1\"}" &&
	    expect_status 201 &&
	    jq .version "$dir/body" >"$dir/made"
}

@test "a hundred publishers at once make a hundred versions, no gap no double" {
	before=$(present .version)
	at_once 100 publisher
	[ "$(present .version)" = $((before + 100)) ]
	sort -n "$dir"/at-once.*/made |
	    cmp - <(seq $((before + 1)) $((before + 100)))
	request GET '/config/history?limit=100' "${ADMIN[@]}"
	expect_json "[.[].version] == [range($before + 100; $before; -1)]"
	expect_json '[.[].sha256] | unique | length == 100'
	rm -r "$dir"/at-once.*
}

# One of some who all saw the same version; rollbacks and publishes mixed.
contender()
{
	if [ $(($1 % 4)) = 0 ]; then
		request POST /config/rollback "${ADMIN[@]}" \
		    "If-Match: $tag" --data '{"version":1}'
	else
		publish "{\"url\":\"http://round-$round/$1\"}" \
		    "If-Match: $tag"
	fi || return
	echo "$status" >"$dir/came"
	[ "$status" = 201 ] || expect_problem 412
}

@test "with If-Match exactly one of many wins each round" {
	for round in 1 2 3 4; do
		# so that a rollback to version 1 is never to the present
		publish "{\"url\":\"http://round-$round\"}"
		request GET /config "${ADMIN[@]}"
		tag=$(header ETag)
		before=$(jq .version "$dir/body")
		at_once 12 contender
		[ "$(cat "$dir"/at-once.*/came | grep -cx 201)" = 1 ]
		[ "$(cat "$dir"/at-once.*/came | grep -cx 412)" = 11 ]
		[ "$(present .version)" = $((before + 1)) ]
		rm -r "$dir"/at-once.*
	done
}
