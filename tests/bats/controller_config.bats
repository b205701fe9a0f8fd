# controller_config.bats: reading and publishing the configuration.
# transports: standalone slow mount cgi watch
# transports of --all: cgid fcgid fcgiwrap

load helper

setup_file()
{
	controller_start
}

# publish TEXT [ARGUMENT of request...]
publish()
{
	local text=$1
	shift
	request POST /config "${ADMIN[@]}" --data "$text" "$@"
}

# present FILTER...: the present version, by jq.
present()
{
	request GET /config "$AGENT_KEY" && expect_status 200 || return
	jq -r "$@" "$dir/body"
}

# refused CODE FIELD [-q QUERY] TEXT: not published, and `errors` names the
# field.
refused()
{
	local code=$1 field=$2 query=''
	shift 2
	if [ "$1" = -q ]; then
		query=$2
		shift 2
	fi
	before=${before:-$(present .version)}	# of this test
	request POST "/config$query" "${ADMIN[@]}" --data "$1" || return
	# shellcheck disable=SC2016	# jq's variables
	if ! expect_problem "$code" || ! expect_json --arg field "$field" \
	    '$field == "" or ([.errors[].field] | index($field) != null)'; then
		echo "for: ${1:0:200}" >&2
		return 1
	fi
	[ "$(present .version)" = "$before" ] || {
		echo "it was published: $1" >&2
		return 1
	}
}

@test "before the first publish there is version 0 with an empty document" {
	request GET /config "$AGENT_KEY"
	expect_status 200
	[ "$body" = '{"version":0,"data":{},"poll_interval_seconds":30}' ]
	expect_header ETag '"0-[0-9a-f]{16}"'
	expect_header X-Poll-Interval-Seconds 30
}

@test "a publish makes version 1, and says where it is" {
	publish '{"url":"https://ip.me"}'
	expect_status 201
	expect_json '.version == 1 and
	    .message == "Configuration updated successfully"'
	expect_header Location "$prefix/config/1"
	expect_header ETag '"1-[0-9a-f]{16}"'
	tag=$(header ETag)
	request GET /config "$AGENT_KEY"
	expect_status 200
	[ "$(header ETag)" = "$tag" ]
	[ "$body" = '{"version":1,"data":{"url":"https://ip.me"},"poll_interval_seconds":30}' ]
	expect_header Content-Type 'application/json.*'
	expect_header Cache-Control 'private, no-cache'
}

@test "the tag is the version and the first digits of the body's SHA-256" {
	request GET /config "$AGENT_KEY"
	sum=$(sha256sum <"$dir/body" | cut -c1-16)
	[ "$(header ETag)" = "\"1-$sum\"" ]
}

@test "the same again is unchanged, and makes no version" {
	publish '{"url":"https://ip.me"}'
	expect_status 200
	expect_json '.version == 1 and .unchanged == true'
	refute header Location
	[ "$(present .version)" = 1 ]
}

@test "a caller who has it gets 304 with the same headers and no body" {
	request GET /config "$AGENT_KEY"
	tag=$(header ETag)
	for list in "$tag" "W/$tag" "\"x\", $tag" '*' "${tag%\"}-gzip\""; do
		request GET /config "$AGENT_KEY" "If-None-Match: $list"
		expect_status 304
		[ ! -s "$dir/body" ]
		[ "$(header ETag)" = "$tag" ]
		expect_header X-Poll-Interval-Seconds 30
		expect_header Cache-Control 'private, no-cache'
	done
	for list in '"0-0123456789abcdef"' "${tag#\"}" '"' ''; do
		request GET /config "$AGENT_KEY" "If-None-Match: $list"
		expect_status 200
	done
}

@test "HEAD answers as GET does, without the body" {
	request HEAD /config "$AGENT_KEY"
	expect_status 200
	[ ! -s "$dir/body" ]
	expect_header ETag '"1-[0-9a-f]{16}"'
	# mod_cgid drops it
	[ "$TRANSPORT" = cgid ] || expect_header Content-Length 71
	request HEAD /config "$AGENT_KEY" "If-None-Match: $(header ETag)"
	expect_status 304
}

@test "the document comes back byte for byte" {
	text='{ "url" :"https://ip.me/?a=%20&b=\u00e9","n":9007199254740993,
	    "f":1.0e+05, "deep":[{"é":"\uD83D\uDE00"}] }'
	publish "$text"
	expect_status 201
	request GET /config "$AGENT_KEY"
	version=$(jq .version "$dir/body")
	printf '{"version":%d,"data":%s,"poll_interval_seconds":30}' \
	    "$version" "$text" | cmp - "$dir/body"
}

@test "an envelope sets document, interval and comment" {
	publish '{"data":{"url":"https://a.example"},"poll_interval_seconds":60,"comment":"why"}'
	expect_status 201
	[ "$(present -c '[.data,.poll_interval_seconds]')" = \
	    '[{"url":"https://a.example"},60]' ]
	request GET /config "$AGENT_KEY"
	expect_header X-Poll-Interval-Seconds 60
}

@test "without an interval the present one stays" {
	publish '{"url":"https://b.example"}'
	expect_status 201
	[ "$(present .poll_interval_seconds)" = 60 ]
}

@test "an interval beside url counts, and stays in the document" {
	publish '{"url":"https://b.example","poll_interval_seconds":45}'
	expect_status 201
	[ "$(present -c '[.data,.poll_interval_seconds]')" = \
	    '[{"url":"https://b.example","poll_interval_seconds":45},45]' ]
}

@test "poll_interval of the query works with each body" {
	request POST '/config?poll_interval=20' "${ADMIN[@]}" \
	    --data '{"url":"https://c.example"}'
	expect_status 201
	[ "$(present .poll_interval_seconds)" = 20 ]
	request POST '/config?poll_interval=21' "${ADMIN[@]}" \
	    --data '{"data":{"url":"https://c.example"}}'
	expect_status 201
	[ "$(present .poll_interval_seconds)" = 21 ]
	request POST '/config?poll_interval=22' "${ADMIN[@]}" \
	    --data '{"url":"https://c.example","poll_interval_seconds":22}'
	expect_status 201
}

@test "only another interval is a new version too" {
	publish '{"data":{"url":"https://d.example"},"poll_interval_seconds":30}'
	before=$(present .version)
	publish '{"data":{"url":"https://d.example"},"poll_interval_seconds":31}'
	expect_status 201
	[ "$(present .version)" = $((before + 1)) ]
}

@test "two sources of the interval that disagree are refused" {
	refused 400 poll_interval_seconds -q '?poll_interval=5' \
	    '{"url":"https://a","poll_interval_seconds":6}'
	refused 400 poll_interval_seconds -q '?poll_interval=5' \
	    '{"data":{"url":"https://a"},"poll_interval_seconds":6}'
	refused 400 poll_interval_seconds \
	    '{"data":{"url":"https://a","poll_interval_seconds":5},"poll_interval_seconds":6}'
}

@test "an interval is a whole number from 1 to 86400" {
	for wrong in 0 -1 1.5 1000000000000 '"30"' 86401 null true; do
		refused 400 poll_interval_seconds \
		    "{\"url\":\"https://a\",\"poll_interval_seconds\":$wrong}"
		refused 400 poll_interval_seconds \
		    "{\"data\":{\"url\":\"https://a\"},\"poll_interval_seconds\":$wrong}"
	done
	for wrong in 0 -1 1.5 1000000000000 %2230%22 '' x +5; do
		refused 400 '' -q "?poll_interval=$wrong" '{"url":"https://a"}'
	done
}

@test "what is no strict JSON object is refused" {
	for wrong in '{' '{"url":"https://a"' '[]' '"https://a"' 'null' '7' \
	    '{"url":"https://a"}{}' '{"url":"https://a",}' \
	    "{'url':'https://a'}" '{"url":"https://a","url":"https://b"}' \
	    '{"url":"https://a","x":01}' '{"url":"https://a","x":NaN}' \
	    '{"url":"https://a","x":"'$'\t''"}' \
	    '{"url":"https://a","x":"'$'\xff''"}' \
	    '{"url":"https://a","x":"\ud800"}'; do
		refused 400 body "$wrong"
	done
	request POST /config "${ADMIN[@]}" "Content-Length: 0"
	expect_problem 400
}

@test "a document may be 32 levels deep, and no more" {
	brackets=$(printf '[%.0s' {1..31})
	deep="{\"url\":\"https://a\",\"x\":$brackets${brackets//\[/]}}"
	publish "$deep"
	expect_status 201
	[ "$(present -c .data)" = "$deep" ]
	brackets+='['
	refused 400 body "{\"url\":\"https://a\",\"x\":$brackets${brackets//\[/]}}"
	brackets=$(printf '[%.0s' {1..30000})
	refused 400 body "{\"x\":$brackets"
}

@test "a url is required: absolute, http or https, with a host" {
	for wrong in '{}' '{"url":7}' '{"url":null}' '{"url":""}' \
	    '{"URL":"https://a"}' '{"url":"a"}' '{"url":"/a"}' \
	    '{"url":"//a"}' '{"url":"ftp://a"}' '{"url":"file:///a"}' \
	    '{"url":"http:"}' '{"url":"http://"}' '{"url":"http:///a"}' \
	    '{"url":"http://:80/"}' '{"url":"http://a:0/"}' \
	    '{"url":"http://a:65536/"}' '{"url":"http://a:x/"}' \
	    '{"url":"http://u@a/"}' '{"url":"http://u:p@a/"}' \
	    '{"url":"http://a b/"}' '{"url":"http://a/\n"}' \
	    '{"url":"http://a/\u007f"}' '{"url":"http://[::1/"}'; do
		refused 400 url "$wrong"
	done
	for good in 'http://a' 'HTTPS://A.EXAMPLE:8443/x?y#z' \
	    'http://[::1]:8080/' 'http://127.0.0.1/%0a'; do
		publish "{\"url\":\"$good\"}"
		expect_status 201
	done
}

@test "known members are checked when they are there" {
	refused 400 headers '{"url":"http://a","headers":[]}'
	refused 400 headers.x '{"url":"http://a","headers":{"x":1}}'
	refused 400 headers.x '{"url":"http://a","headers":{"x":"a\r\nb: c"}}'
	for name in Host content-length Transfer-Encoding CONNECTION; do
		refused 400 "headers.$name" \
		    "{\"url\":\"http://a\",\"headers\":{\"$name\":\"x\"}}"
	done
	refused 400 user_agent '{"url":"http://a","user_agent":7}'
	refused 400 user_agent '{"url":"http://a","user_agent":"a\nb"}'
	for wrong in 0 301 '"5"' 1.5; do
		refused 400 timeout_seconds \
		    "{\"url\":\"http://a\",\"timeout_seconds\":$wrong}"
	done
	refused 400 follow_redirects '{"url":"http://a","follow_redirects":1}'
	refused 400 proxy '{"url":"http://a","proxy":"a"}'
	publish '{"url":"http://a","headers":{"X-A":"b"},"user_agent":"c",
	    "timeout_seconds":300,"follow_redirects":false,
	    "proxy":"http://p:3128","unknown":[null]}'
	expect_status 201
}

@test "all that is wrong is said at once" {
	publish '{"url":"ftp://a","timeout_seconds":0,"follow_redirects":1}'
	expect_problem 400
	expect_json '[.errors[].field] | sort ==
	    ["follow_redirects","timeout_seconds","url"]'
	expect_json 'all(.errors[].message; length > 0)'
}

@test "an envelope has no other members" {
	refused 400 x '{"data":{"url":"http://a"},"x":1}'
	refused 400 url '{"data":{"url":"http://a"},"url":"http://b"}'
	refused 400 comment '{"data":{"url":"http://a"},"comment":7}'
}

@test "a document may have CONFIG_MAX_BYTES bytes, and no more" {
	around='{"url":"http://a","x":""}'
	fill=$(head -c $((65536 - ${#around})) /dev/zero | tr '\0' x)
	printf '{"url":"http://a","x":"%s"}' "$fill" >"$dir/full"
	request POST /config "${ADMIN[@]}" --data-file "$dir/full"
	expect_status 201
	printf '{"data":{"url":"http://a","x":"%s"},"comment":"full"}' \
	    "$fill" >"$dir/full"
	request POST /config "${ADMIN[@]}" --data-file "$dir/full"
	expect_status 200
	printf '{"url":"http://a","x":"%sx"}' "$fill" >"$dir/full"
	request POST /config "${ADMIN[@]}" --data-file "$dir/full"
	expect_problem 413 CONFIG_MAX_BYTES
	# 413 goes before 400
	printf '{"url":7,"x":"%s0123456789"}' "$fill" >"$dir/full"
	request POST /config "${ADMIN[@]}" --data-file "$dir/full"
	expect_problem 413
	[ "$TRANSPORT" != fcgid ] || return 0	# more than mod_fcgid takes
	head -c 900000 /dev/zero | tr '\0' '[' >"$dir/full"
	request POST /config "${ADMIN[@]}" --data-file "$dir/full"
	expect_problem 413
}

@test "If-Match publishes over what it names, and nothing else" {
	publish '{"url":"http://first"}'
	tag=$(header ETag)
	publish '{"url":"http://second"}' "If-Match: $tag"
	expect_status 201
	new=$(header ETag)
	publish '{"url":"http://third"}' "If-Match: $tag"
	expect_problem 412
	[ "$(header ETag)" = "$new" ]
	# decided before "unchanged"
	publish '{"url":"http://second"}' "If-Match: $tag"
	expect_problem 412
	publish '{"url":"http://third"}' "If-Match: $tag, $new"
	expect_status 201
	publish '{"url":"http://fourth"}' 'If-Match: *'
	expect_status 201
	[ "$(present -r .data.url)" = http://fourth ]
}

@test "the Content-Type of a publish does not matter" {
	publish '{"url":"http://form"}' \
	    'Content-Type: application/x-www-form-urlencoded'
	expect_status 201
	publish '{"url":"http://text"}' 'Content-Type: text/plain'
	expect_status 201
}

@test "a version stays what it was" {
	request GET /config/1 "$AGENT_KEY"
	expect_status 200
	[ "$body" = '{"version":1,"data":{"url":"https://ip.me"},"poll_interval_seconds":30}' ]
	expect_header ETag '"1-[0-9a-f]{16}"'
	expect_header Cache-Control '.*immutable.*'
	request GET /config/1 "${ADMIN[@]}" "If-None-Match: $(header ETag)"
	expect_status 304
}

@test "a version that is none is not found" {
	for none in 0 99999 -1 1x 9223372036854775808 latest 1%2F ''; do
		# Apache does not let %2F come so far
		case $TRANSPORT:$none in *cgid:*%2F) continue ;; esac
		request GET "/config/$none" "$AGENT_KEY"
		expect_problem 404
	done
}

@test "everything answers below /api/v1 too, and points there" {
	request GET /api/v1/config "$AGENT_KEY"
	expect_status 200
	request POST /api/v1/config "${ADMIN[@]}" --data '{"url":"http://v1"}'
	expect_status 201
	expect_header Location "$prefix/api/v1/config/[0-9]+"
}

@test "versions have no gaps" {
	last=$(present .version)
	for ((n = 1; n <= last; n++)); do
		request GET "/config/$n" "$AGENT_KEY"
		expect_status 200
		expect_json ".version == $n"
	done
}

@test "ten publishers at once make ten versions" {
	before=$(present .version)
	pids=()
	for n in {1..10}; do
		(
			dir=$dir/publisher.$n
			mkdir -p "$dir"
			cp "$BATS_FILE_TMPDIR/controller.env" "$dir"
			unlocked request POST /config "${ADMIN[@]}" \
			    --data "{\"url\":\"http://at-once/$n\"}" &&
			    expect_status 201
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	[ "$(present .version)" = $((before + 10)) ]
}
