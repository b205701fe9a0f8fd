# controller_access.bats: who may call what, and in which order it is refused.
# transports: standalone slow mount cgi watch

load helper

setup_file()
{
	controller_start
	request POST /config "${ADMIN[@]}" --data '{"url":"https://ip.me"}'
	request POST /register "$AGENT_KEY" --data '{}'
	jq -r .token "$dir/body" >"$dir/token"
}

setup()
{
	forgiven
}

# as WHO METHOD PATH [ARGUMENT...]: a request with that credential.
as()
{
	local who=$1 method=$2 path=$3
	shift 3
	case $who in
	nobody) set -- "$@" ;;
	admin) set -- "${ADMIN[@]}" "$@" ;;
	admin-key) set -- "$ADMIN_KEY" "$@" ;;
	agent) set -- "${AGENT[@]}" "$@" ;;
	agent-key) set -- "$AGENT_KEY" "$@" ;;
	token) set -- "Authorization: Bearer $(cat "$dir/token")" "$@" ;;
	wrong) set -- -u admin:wrong "$@" ;;
	esac
	request "$method" "$path" "$@"
}

# may METHOD PATH STATUS WHO...: exactly these may call it.
may()
{
	local method=$1 path=$2 good=$3 who want data=()
	shift 3
	[ "$method" != POST ] || data=(--data '{"url":"https://ip.me"}')
	for who in nobody wrong admin admin-key agent agent-key token; do
		want=403
		[[ $who != nobody && $who != wrong ]] || want=401
		[[ " $* " != *" $who "* ]] || want=$good
		as "$who" "$method" "$path" "${data[@]}" || return
		[ "$status" = "$want" ] || {
			echo "$method $path by $who: $status, not $want" >&2
			return 1
		}
		[ "$status" != 401 ] ||
			expect_header WWW-Authenticate 'Basic realm="dcm"'
	done
}

@test "GET /config is for agents and administrators" {
	may GET /config 200 admin admin-key agent agent-key token
	may GET /config/1 200 admin admin-key agent agent-key token
}

@test "POST /config is for administrators" {
	may POST /config 200 admin admin-key
}

@test "POST /register is for agents" {
	may POST /register 200 agent agent-key token
}

@test "GET /agents is for administrators" {
	may GET /agents 200 admin admin-key
}

@test "health, ready, the document and its page are for anyone" {
	for path in /health /ready /swagger.yaml /docs; do
		may GET "$path" 200 nobody wrong admin admin-key agent \
		    agent-key token
	done
}

@test "credentials that are malformed are wrong ones" {
	for header in 'Authorization: Basic' 'Authorization: Basic !!!' \
	    'Authorization: Basic YWRtaW4=' 'Authorization: Digest x' \
	    'Authorization: Bearer' 'Authorization: Bearer dcm1.x.1.y' \
	    "Authorization: Basic $(printf 'admin:admin-secret\0x' | base64)" \
	    "Authorization: Basic $(printf 'admin:' | base64)" \
	    "Authorization: Basic $(printf ':' | base64)" \
	    'X-API-Key: x' 'X-API-Key: admin-key-of-the-test' \
	    'X-API-Key: admin-key-of-the-tests2' 'X-API-Key: admin-secret'; do
		request GET /config "$header"
		expect_problem 401 || { echo "$header" >&2; return 1; }
	done
}

@test "the scheme of Authorization is in any case" {
	request GET /config "authorization: bAsIc $(printf admin:admin-secret |
	    base64)"
	expect_status 200
}

@test "X-API-Key decides where both are sent" {
	request GET /agents "${ADMIN[@]}" 'X-API-Key: wrong'
	expect_problem 401
	request GET /agents "${ADMIN[@]}" "$AGENT_KEY"
	expect_problem 403
	request GET /agents "${AGENT[@]}" "$ADMIN_KEY"
	expect_status 200
}

@test "a token that was altered, or of another key, is none" {
	token=$(cat "$dir/token")
	for wrong in "${token}x" "${token%?}" "${token/.1./.2.}" \
	    "${token/dcm1/dcm2}"; do
		request GET /config "Authorization: Bearer $wrong"
		expect_problem 401
	done
}

@test "a token speaks for its own agent only" {
	request GET /config "Authorization: Bearer $(cat "$dir/token")" \
	    'X-Agent-ID: 0c9d3a5e-1111-4222-8333-444455556666'
	expect_problem 403
	request POST /register "Authorization: Bearer $(cat "$dir/token")" \
	    'X-Agent-ID: 0c9d3a5e-1111-4222-8333-444455556666' --data '{}'
	expect_problem 403
}

@test "an unknown path is refused before all else" {
	for path in / /x /configx /config/ /config/1/2 /Config //config \
	    /config/../config /config%2f /api/v1 /api/v1/x /api/v2/config; do
		request GET "$path?x=1"
		[ "$status" = 404 ] || {
			# a slash or dots too many are the server's to mend
			[ "$status" = 400 ] && [[ $path == *[/.%]* ]] &&
			    [ "$TRANSPORT" != cgi ]
		} || { echo "$path: $status" >&2; return 1; }
	done
	request DELETE /x
	expect_problem 404
}

@test "then the method, with Allow" {
	request DELETE '/config?x=1'
	expect_problem 405
	expect_header Allow 'GET, HEAD, POST'
	request PUT /config
	expect_problem 405
	request POST /health --data x
	expect_problem 405
	expect_header Allow 'GET, HEAD'
	request GET /register
	expect_problem 405
	expect_header Allow POST
}

@test "then the query, before the credential" {
	for query in x=1 poll_interval=5 '=' '%zz=1' x; do
		request GET "/config?$query"
		expect_problem 400
	done
	request POST '/config?poll_interval=5&poll_interval=5' \
	    --data '{"url":"https://a"}'
	expect_problem 400
	request POST '/config?poll_interval=0' --data '{"url":"https://a"}'
	expect_problem 400
}

@test "header names that fold into one are refused before the credential" {
	[ "$TRANSPORT" != cgi ] || skip "env(1) cannot set a variable twice"
	request GET /config "$AGENT_KEY" 'X_Api_Key: x'
	expect_problem 400
	request GET /config 'X_Api_Key: x' "$AGENT_KEY"
	expect_problem 400
	request GET /config "$AGENT_KEY" 'X-Some-Thing: x' 'X_Some_Thing: x'
	expect_problem 400
	request GET /x 'X-Some-Thing: x' 'X_Some_Thing: x'
	expect_problem 404
}

@test "then the credential, before the body" {
	head -c 900000 /dev/zero >"$dir/big"
	request POST /config --data-file "$dir/big"
	expect_problem 401
	request POST /config "$AGENT_KEY" --data-file "$dir/big"
	expect_problem 403
	request POST /config "$ADMIN_KEY" --data-file "$dir/big"
	expect_problem 413
	request POST /config "$ADMIN_KEY" --data '{'
	expect_problem 400
}

@test "X-Request-ID is echoed when it is printable, else made" {
	request GET /config "$AGENT_KEY" 'X-Request-ID: my-request/7'
	[ "$(header X-Request-ID)" = my-request/7 ]
	request GET /x 'X-Request-ID: my-request/8'
	expect_json '.request_id == "my-request/8"'
	[ "$(header X-Request-ID)" = my-request/8 ]
	wait_until log_has controller 'my-request/8 .*"GET /x" 404'
	long=$(printf 'x%.0s' {1..65})
	for wrong in "$long" 'a b' $'a\xc3\xa9'; do
		request GET /health "X-Request-ID: $wrong"
		expect_header X-Request-ID '[0-9a-f-]{36}'
	done
}

@test "no secret is ever in the log" {
	as wrong GET /config
	request GET /config 'X-API-Key: a-mistyped-secret'
	refute grep -qE 'admin-secret|agent-secret|key-of-the-tests|mistyped' \
	    "$dir/controller.log"
	refute grep -qF "$(cat "$dir/token")" "$dir/controller.log"
}

@test "nothing in a request can forge a line of the log" {
	request GET '/x%0a2026-01-01T00:00:00.000Z%20error%20%5Binit%5D%20forged'
	[ "$status" = 404 ] || [ "$status" = 400 ]
	request GET /x 'X-Request-ID: "forged" 200'
	expect_problem 404
	refute grep -qE '^2026-01-01T00|^[^ ]* error \[init\] forged' \
	    "$dir/controller.log"
}

@test "half a request changes nothing" {
	[ "$TRANSPORT" != cgi ] || skip "there is no connection to break"
	port=${base#http://127.0.0.1:}
	port=${port%%/*}
	for text in "POST $prefix/config HTTP/1.1"$'\r\nHost: x\r\n' \
	    "POST $prefix/config HTTP/1.1"$'\r\nHost: x\r\n'"$ADMIN_KEY"$'\r\nContent-Length: 25\r\n\r\n{"url":"http'; do
		exec 9<>"/dev/tcp/127.0.0.1/$port"
		printf %s "$text" >&9
		exec 9>&-
	done
	request GET /config "$AGENT_KEY"
	expect_status 200
	expect_json '.data.url == "https://ip.me"'
}

@test "a body that ends before its length is refused" {
	[ "$TRANSPORT" = cgi ] || skip "the web server waits for the rest"
	mapfile -t settings <"$dir/controller.env"
	printf '{"url":"http://half"}' | env -i "${settings[@]}" \
	    GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST SCRIPT_NAME= \
	    PATH_INFO=/config CONTENT_LENGTH=100 \
	    HTTP_X_API_KEY=admin-key-of-the-tests \
	    "$bin/config.fcgi" 2>/dev/null | grep -q '^Status: 400'
	request GET /config "$AGENT_KEY"
	expect_json '.data.url == "https://ip.me"'
}

@test "100 KB of headers are refused, and the next request is answered" {
	[ "$TRANSPORT" != cgi ] || skip "the web server's business"
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	printf 'X-Long: %s' "$long" >"$dir/long"
	run curl -so "$dir/long.out" -w '%{http_code}' -H "@$dir/long" \
	    "$base/health"
	[ "$output" = 431 ] || [ "$output" = 400 ]
	request GET /health
	expect_status 200
}

# raw TEXT: sends it as it is; sets status and headers, and $dir/body.
raw()
{
	local port=${base#http://127.0.0.1:}
	exec 9<>"/dev/tcp/127.0.0.1/${port%%/*}"
	printf %b "$1" >&9
	timeout 20 cat <&9 | tr -d '\r' >"$dir/raw" || :
	exec 9>&-
	status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$dir/raw")
	headers=$(sed '/^$/q' "$dir/raw")
	sed '1,/^$/d' "$dir/raw" >"$dir/body"
	body=$(cat "$dir/body")
}

@test "what the web server refuses by itself is a problem too" {
	[ "$TRANSPORT" = standalone ] || skip "another web server's own pages"
	last='Host: x\r\nConnection: close\r\n'
	raw "GET /config HTTP/1.1\r\n${last}bad header\r\n\r\n"
	expect_status 400
	expect_header Content-Type 'application/problem\+json'
	expect_json '.status == 400 and .title == "Bad Request"'
	raw "POST /config HTTP/1.1\r\n$last\r\n"
	expect_status 411
	expect_header Content-Type 'application/problem\+json'
	expect_json '.status == 411'
	raw "GET /config HTTP/3.7\r\n$last\r\n"
	expect_status 505
	expect_json '.status == 505'
	raw "GET / HTTP/1.1\r\n${last}X: $(head -c 20000 /dev/zero |
	    tr '\0' x)\r\n\r\n"
	expect_status 431
	expect_json '.status == 431'
	# and nothing of that is a page that can be asked for
	request GET /refused/400.html
	expect_problem 404
}
