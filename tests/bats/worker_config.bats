# worker_config.bats: the worker's /config: what is taken, what is refused, who may call.

load worker

setup_file()
{
	worker_start
}

refused()
{
	request GET /config
	local before=$body
	request POST /config --data "$1"
	expect_problem 400 "${2:-.}"
	request GET /config
	[ "$body" = "$before" ] || {
		echo "the configuration changed: $body" >&2
		return 1
	}
}

@test "before the first delivery there is no configuration and no hit" {
	request GET /config
	expect_problem 404
	request GET /hit
	expect_problem 503 configuration
	request GET /health
	expect_status 200
	expect_json '. == {"status":"ok","has_config":false}'
	state '.version == 0 and .etag == null and .since == null'
}

@test "the controller's body is put in force, logged, and shown as it came" {
	request POST /config 'ETag: "7-0123456789abcdef"' --data \
	    '{"version":7,"data":{"url": "https://ip.me","n":9007199254740993},"poll_interval_seconds":5}'
	expect_status 200
	expect_json '. == {"message":"Configuration updated","version":7}'
	request GET /config
	expect_status 200
	expect_header ETag '"7-0123456789abcdef"'
	[ "$body" = '{"version":7,"data":{"url": "https://ip.me","n":9007199254740993},"poll_interval_seconds":5}' ]
	log_has worker '\[config\] version 7, url https://ip.me$'
	state '.version == 7 and .etag == "\"7-0123456789abcdef\""'
	request GET /health
	expect_json '.has_config == true'
}

@test "a bare document takes its version from the tag" {
	request POST /config 'ETag: "12-0123456789abcdef"' \
	    --data '{"url":"http://a.example"}'
	expect_status 200
	expect_json '.version == 12'
	request POST /config --data '{"url":"http://a.example"}'
	expect_status 200
	expect_json '.version == 0'
	request GET /config
	expect_json '.data == {"url":"http://a.example"} and
	    .poll_interval_seconds == 30'
}

@test "a change back to a lower version is followed; the same again is no change" {
	request POST /config --data \
	    '{"version":3,"data":{"url":"http://back.example"}}'
	expect_status 200
	state '.version == 3'
	local lines
	lines=$(grep -c back.example "$dir/worker.log")
	request POST /config --data \
	    '{"version":3,"data":{"url":"http://back.example"}}'
	expect_status 200
	[ "$(grep -c back.example "$dir/worker.log")" = "$lines" ]
}

@test "secrets in headers are never logged" {
	put '{"url":"http://a.example","headers":{"Authorization":"Bearer hidden-word"}}'
	refute log_has worker hidden-word
}

@test "malformed JSON is refused and the old configuration stays" {
	refused '{"url":'
	refused ''
	refused 'url=http://a'
	refused "{'url':'http://a'}"
	refused '{"url":"http://a"} trailing'
	refused '{"url":"http://a","n":01}'
	refused $'{"url":"http://a\nb"}'
}

@test "JSON that is no object is refused" {
	refused '["http://a"]' object
	refused '"http://a"' object
	refused 'null' object
	refused '7' object
}

@test "duplicate names are refused, at any depth" {
	refused '{"url":"http://a","url":"http://b"}' duplicate
	refused '{"url":"http://a","x":{"y":1,"y":2}}' duplicate
	refused '{"url":"http://a","\u0075rl":"http://b"}' duplicate
}

@test "bytes that are not UTF-8 are refused" {
	printf '{"url":"http://a/\xff"}' >"$dir/latin"
	request POST /config --data-file "$dir/latin"
	expect_problem 400 UTF-8
	printf '{"url":"http://a","x":"\xc0\xaf"}' >"$dir/latin"
	request POST /config --data-file "$dir/latin"
	expect_problem 400 UTF-8
}

@test "32 levels are taken, 33 are not" {
	local open close
	printf -v open '%31s' ''
	close=${open// /]}
	open=${open// /[}
	put "{\"url\":\"http://a.example\",\"d\":$open$close}"
	put "{\"version\":1,\"data\":{\"url\":\"http://a.example\",\"d\":$open$close}}"
	refused "{\"url\":\"http://a\",\"d\":[$open$close]}"
	refused "$(head -c 100000 /dev/zero | tr '\0' '[')"
}

@test "a body over the limit is 413, and the connection is no worse for it" {
	head -c 2000000 /dev/zero | tr '\0' ' ' >"$dir/large"
	request POST /config --data-file "$dir/large"
	expect_problem 413
	request GET /health
	expect_status 200
}

@test "wrong types are refused by name" {
	refused '{}' url
	refused '{"url":1}' url
	refused '{"url":null}' url
	refused '{"data":{}}' url
	refused '{"version":"7","data":{"url":"http://a"}}' version
	refused '{"version":1.5,"data":{"url":"http://a"}}' version
	refused '{"version":1,"data":{"url":"http://a"},"poll_interval_seconds":0}' poll_interval
	refused '{"version":1,"data":{"url":"http://a"},"poll_interval_seconds":"30"}' poll_interval
	refused '{"url":"http://a","timeout_seconds":0}' timeout_seconds
	refused '{"url":"http://a","timeout_seconds":301}' timeout_seconds
	refused '{"url":"http://a","timeout_seconds":"5"}' timeout_seconds
	refused '{"url":"http://a","follow_redirects":"yes"}' follow_redirects
	refused '{"url":"http://a","user_agent":7}' user_agent
	refused '{"url":"http://a","proxy":"ftp://b"}' proxy
	refused '{"url":"http://a","headers":[]}' headers
	refused '{"url":"http://a","headers":{"X":1}}' headers.X
	refused '{"url":"http://a","headers":{"Host":"b"}}' headers.Host
	refused '{"url":"http://a","headers":{"X":"a\r\nb"}}' headers.X
	request POST /config --data '{"url":1,"timeout_seconds":0}'
	expect_json '[.errors[].field] == ["url","timeout_seconds"]'
}

@test "urls that are missing a part, or of another kind, are refused" {
	local url
	for url in '' a.example /path //a.example/x http: http:// http:///x \
	    'http://:80' ftp://a.example file:///etc/passwd \
	    'http://u:p@a.example' 'http://u@a.example' 'http://a b' \
	    'http://a\\b' 'http://a\u0000b' 'http://a\nb' 'http://a:99999' \
	    'http://[::1' javascript:alert; do
		refused "{\"url\":\"$url\"}"
	done
}

@test "a malformed tag is refused, and one of another version" {
	request POST /config 'ETag: 7' --data '{"url":"http://a"}'
	expect_problem 400 ETag
	request POST /config 'ETag: "2-0123456789abcdef"' \
	    --data '{"version":1,"data":{"url":"http://a"}}'
	expect_problem 400 version
}

@test "without a key, web pages are refused" {
	request POST /config 'Origin: http://evil.example' \
	    --data '{"url":"http://a"}'
	expect_problem 403 WORKER_API_KEY
	# one whose name means this machine sends no Origin with a GET
	local host
	for host in evil.example evil.example:8082 127.0.0.1.evil.example \
	    1.2.3.4.5 localhost.; do
		request GET /config "Host: $host"
		expect_problem 403 WORKER_API_KEY
		request GET /tasks "Host: $host"
		expect_problem 403
	done
	for host in localhost 127.0.0.1:8082 '[::1]:8082' worker:8082; do
		request GET /tasks "Host: $host"
		expect_status 200
	done
}

@test "with a key: none or a wrong one is 401, the rest stays open" {
	own WORKER_API_KEY=the-key-of-the-tests
	request GET /config
	expect_problem 401 missing
	expect_header WWW-Authenticate '.+'
	request POST /config 'X-API-Key: wrong' --data '{"url":"http://a"}'
	expect_problem 401 wrong
	request POST /config 'X-API-Key;' --data '{"url":"http://a"}'
	expect_problem 401
	request POST /config 'X-API-Key: the-key-of-the-tests' \
	    --data '{"url":"http://a.example"}'
	expect_status 200
	request GET /config 'X-API-Key: the-key-of-the-tests'
	expect_status 200
	request GET /state
	expect_status 200
	request GET /health
	expect_status 200
	refute log_has own the-key-of-the-tests
}

@test "the key may come from a file, or by its other name" {
	echo filed-key >"$dir/key"
	own WORKER_API_KEY_FILE="$dir/key"
	request POST /config 'X-API-Key: filed-key' \
	    --data '{"url":"http://a.example"}'
	expect_status 200
	own AGENT_API_KEY=other-key
	request GET /config 'X-API-Key: other-key'
	expect_status 404
}
