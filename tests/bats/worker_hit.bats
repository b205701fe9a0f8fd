# worker_hit.bats: the worker's /hit: a streaming proxy for one target.

load worker

setup_file()
{
	target_start
	mkdir -p "$dir/site"
	echo "hello from the site" >"$dir/site/hello.txt"
	site_start
	worker_start ALLOW_CIDR=127.0.0.0/8 http_proxy=http://127.0.0.1:1 \
	    all_proxy=http://127.0.0.1:1
}

@test "the bytes, the type and the status of a real web server" {
	put_url "$site/hello.txt"
	hit
	expect_status 200
	expect_header Content-Type text/plain
	expect_header Content-Length 20
	cmp "$dir/body" "$dir/site/hello.txt"
	put_url "$site/not-there"
	hit
	expect_status 404
	request HEAD /hit
	expect_status 404
}

@test "a change is followed by the next hit" {
	echo one >"$dir/site/one.txt"
	echo two >"$dir/site/two.txt"
	put_url "$site/one.txt"
	hit
	[ "$body" = one ]
	put_url "$site/two.txt"
	hit
	[ "$body" = two ]
}

@test "a target's own 4xx and 5xx pass through" {
	local code
	for code in 400 404 418 429 500 503 599; do
		put_url "$target/status?$code"
		hit
		expect_status $code
		expect_header Content-Type text/x-status
		[ "$body" = "this is $code" ]
	done
	for code in 204 304; do
		put_url "$target/status?$code"
		hit
		expect_status $code
		[ -z "$body" ]
	done
}

@test "HEAD asks the target with HEAD and brings its length" {
	put_url "$site/hello.txt"
	request HEAD /hit
	expect_status 200
	expect_header Content-Length 20
	curl -s --max-time 20 --head "$base/hit" "$base/health" >/dev/null
}

@test "chunks and old servers are framed anew" {
	put_url "$target/chunked"
	hit
	expect_status 200
	[ "$body" = "hello world" ]
	put_url "$target/old"
	hit
	expect_header Content-Type text/old
	[ "$body" = "old body" ]
	[ "$(curl -s0 "$base/hit")" = "old body" ]
}

@test "hop-by-hop headers and cookies do not pass, others do" {
	put_url "$target/hops"
	hit
	expect_status 200
	expect_header ETag '"kept"'
	local name
	for name in Connection Keep-Alive Upgrade Proxy-Authenticate \
	    Set-Cookie Link Transfer-Encoding; do
		refute header $name
	done
}

@test "a compressed body passes as it is" {
	put_url "$target/gzip"
	hit
	expect_header Content-Encoding gzip
	[ "$(gzip -dc "$dir/body")" = unpacked ]
}

@test "the request is made as the document says, and nothing of the caller's goes on" {
	put "{\"url\":\"$target/echo?q=1#fragment\",\"user_agent\":\"agent/1\",
	    \"headers\":{\"X-Mine\":\"yes\",\"Accept\":\"text/x\",\"Empty\":\"\"}}"
	request GET /hit 'X-Caller: 1' 'Cookie: a=b' 'Authorization: Bearer x' \
	    'Range: bytes=0-1' 'Accept-Encoding: gzip'
	expect_status 200
	grep -q '^GET /echo?q=1 HTTP/1.1' "$dir/body"
	grep -qi '^User-Agent: agent/1.$' "$dir/body"
	grep -qi '^X-Mine: yes.$' "$dir/body"
	grep -qi '^Accept: text/x.$' "$dir/body"
	grep -qi '^Empty:.$' "$dir/body"
	refute grep -qiE '^(X-Caller|Cookie|Authorization|Range|Expect|Accept-Encoding):' \
	    "$dir/body"
	put "{\"url\":\"$target/echo\",\"headers\":{\"User-Agent\":\"own\"}}"
	hit
	[ "$(grep -ci '^User-Agent:' "$dir/body")" = 1 ]
	grep -qi '^User-Agent: own' "$dir/body"
}

@test "redirects are followed, five at most, or not at all" {
	put_url "$target/again?5"
	hit
	expect_status 200
	put_url "$target/again?6"
	hit
	expect_problem 502 redirects
	put_url "$target/to?file:///etc/passwd"
	hit
	expect_problem 502
	put "{\"url\":\"$target/to?/echo\",\"follow_redirects\":false}"
	hit
	expect_status 302
	expect_header Location "$target/echo"
}

@test "Location is resolved against the last redirect's address" {
	put_url "$target/to?$target2/deep/made"
	hit
	expect_status 201
	expect_header Location "$target2/deep/thing"
}

@test "a status that is none of HTTP is 502, and said to be" {
	local code
	for code in 099 99 000 0200 600 999 1000; do
		put_url "$target/line?$code"
		hit
		expect_problem 502 'answers no HTTP: Unsupported response code'
	done
	put_url "$target/line?599"
	hit
	expect_status 599
}

@test "a redirect to another origin takes no header that may be a secret" {
	local secrets='"Authorization":"Bearer x","X-API-Key":"k","Cookie":"a=b"'
	local mine="{$secrets,\"Accept\":\"text/x\",\"X-Empty\":\"\"}" n
	for n in 1 2; do		# the second with what was kept
		put "{\"url\":\"$target/to?$target2/echo\",
		    \"user_agent\":\"mine\",\"headers\":$mine}"
		hit
		expect_status 200
		refute grep -qiE '^(Authorization|Cookie|X-.*):' "$dir/body"
		grep -q '^Accept: text/x' "$dir/body"
		grep -q '^User-Agent: mine' "$dir/body"
		grep -q '^Via: 1.1 dcm-' "$dir/body"
		# Not either when it leads back.
		put "{\"url\":\"$target/to?$target2/to?$target/echo\",
		    \"headers\":$mine}"
		hit
		refute grep -qiE '^(Authorization|Cookie|X-.*):' "$dir/body"
		put "{\"url\":\"$target/to?/echo\",\"headers\":$mine}"
		hit
		grep -q '^Authorization: Bearer x' "$dir/body"
		grep -q '^X-API-Key: k' "$dir/body"
		grep -q '^Cookie: a=b' "$dir/body"
		grep -qi '^X-Empty:' "$dir/body"
	done
}

@test "proxies: http, socks5 and socks5h" {
	put "{\"url\":\"http://named.example/echo\",\"proxy\":\"$target\"}"
	hit
	expect_status 200
	grep -q '^GET http://named.example/echo ' "$dir/body"
	put "{\"url\":\"http://named.example/echo\",
	    \"proxy\":\"socks5h://${target#http://}\"}"
	hit
	expect_status 200
	event '^socks named.example$'
	put "{\"url\":\"http://192.0.2.1/echo\",
	    \"proxy\":\"socks5://${target#http://}\"}"
	hit
	expect_status 200
	event '^socks address$'
}

@test "connections to the target are kept and used again" {
	local first
	put_url "$target/serial"
	hit
	first=$body
	hit
	[ "$body" = "$first" ]
}

@test "nobody there is 502; nonsense is 502" {
	put_url "http://127.0.0.1:$(port_free)/"
	hit
	expect_problem 502 reached
	local path
	for path in nothing garbage cut; do
		put_url "$target/$path"
		hit
		expect_problem 502
	done
	put_url "http://no-such-host.invalid/"
	hit
	expect_problem 502
}

@test "a target cannot speak to the client past the worker" {
	put_url "$target/forged"
	hit
	expect_problem 502
	refute grep -q forged "$dir/body"
}

@test "as many headers as are read are passed on; more are 502" {
	put_url "$target/heads?500"
	hit
	expect_status 200
	[ "$body" = heads ]
	put_url "$target/heads?900"
	hit
	expect_problem 502 'head is too long'
	put_url "$target/heads?20000"
	hit
	expect_problem 502
	put_url "$target/long?60000"
	hit
	expect_status 200
	put_url "$target/long?200000"
	hit
	expect_problem 502 'head is too long'
}

@test "too slow is 504, by the document's time and by the setting's" {
	put "{\"url\":\"$target/hang\",\"timeout_seconds\":1}"
	hit
	expect_problem 504 slow
	wait_until event '^gone /hang'
	own ALLOW_CIDR=127.0.0.1 REQUEST_TIMEOUT_SECONDS=1
	put_url "$target/hang?setting"
	hit
	expect_problem 504 slow
	wait_until event '^gone /hang\?setting'
	program_stop own
}

@test "an answer that breaks off at once is 502, not a reset" {
	local path
	for path in short chunk-cut; do
		put_url "$target/$path"
		broken
	done
}

# The head waits 5 ms for what follows; a busy machine may need more.
broken()
{
	local try
	for try in {1..50}; do
		if request GET /hit; then break; fi
	done
	expect_problem 502 'broke off'
}

@test "an answer that stops later breaks off for the client too" {
	put "{\"url\":\"$target/drip\",\"timeout_seconds\":5}"
	run curl -sS "$base/hit"
	[ "$status" -ne 0 ]
	request GET /health
	expect_status 200
}

@test "slow targets delay nobody else" {
	local n pids=()
	put "{\"url\":\"$target/hang?many\",\"timeout_seconds\":300}"
	for n in {1..100}; do
		curl -s --max-time 300 "$base/hit" >/dev/null &
		pids+=($!)
	done
	wait_until state '.active_hits == 100'
	put_url "$target/hello"
	for n in {1..20}; do
		[ "$(curl -s --max-time 30 "$base/hit")" = hello ]
	done
	state '.active_hits == 100'
	kill "${pids[@]}"
	wait "${pids[@]}" || true
	wait_until state '.active_hits == 0'
	[ "$(grep -c '^gone /hang?many' "$events")" -le 100 ]
	wait_until eval '[ $(grep -c "^gone /hang?many" "$events") = 100 ]'
}

@test "a hit keeps the configuration it began with" {
	put_url "$target/wait?$dir/go"
	curl -s --max-time 30 "$base/hit" >"$dir/kept" &
	local pid=$!
	wait_until state '.active_hits == 1'
	put_url "$target/hello"
	hit
	[ "$body" = hello ]
	touch "$dir/go"
	wait $pid
	[ "$(<"$dir/kept")" = waited ]
}

@test "a client that goes away cancels the fetch" {
	local path
	for path in hang endless; do
		put "{\"url\":\"$target/$path?cancel\",\"timeout_seconds\":300}"
		curl -s "$base/hit" >/dev/null &
		wait_until state '.active_hits == 1'
		refute event "^gone /$path\?cancel"
		kill $!
		wait_until event "^gone /$path\?cancel"
		wait_until state '.active_hits == 0'
	done
}

descriptors()
{
	find "/proc/$(program_pid worker)/fd" | wc -l
}

few_descriptors()
{
	[ "$(descriptors)" -le "$1" ]
}

@test "after hits of every kind the descriptors are back to where they were" {
	local before path n
	put_url "$target/hello"
	hit
	before=$(descriptors)
	for path in short nothing garbage cut chunk-cut drip endless hang \
	    hello to?/echo status?500; do
		put "{\"url\":\"$target/$path\",\"timeout_seconds\":300}"
		for n in {1..10}; do
			curl -s --max-time 0.2 "$base/hit" >/dev/null || true
		done
	done
	wait_until state '.active_hits == 0'
	# one connection may be kept for the next hit, one for its client
	wait_until few_descriptors $((before + 2))
}

memory()
{
	awk '/^VmHWM/ { print $2 }' "/proc/$(program_pid worker)/status"
}

@test "200 MB pass in constant memory" {
	local before after most=8192
	# the sanitizer keeps what was freed
	case $bin in *asan*) most=400000 ;; esac
	put_url "$target/big?1000000"
	curl -s "$base/hit" >/dev/null
	before=$(memory)
	put_url "$target/big?200000000"
	[ "$(curl -s "$base/hit" | wc -c)" = 200000000 ]
	after=$(memory)
	echo "VmHWM $before kB before, $after kB after"
	[ $((after - before)) -lt $most ]
}

@test "what arrives is what was sent, through pauses" {
	local want
	want=$(python3 -c 'import sys
sys.stdout.buffer.write((bytes(range(256)) * 40000)[:10000001])' | sha256sum)
	put_url "$target/big?10000001"
	[ "$(curl -s --limit-rate 5M "$base/hit" | sha256sum)" = "$want" ]
}

@test "a reader that does not read makes the target wait" {
	local before first second
	put_url "$target/endless?unread"
	before=$(curl -s "$base/state" | jq .hits.bytes)
	exec 7<>"/dev/tcp/127.0.0.1/$worker_port"
	printf 'GET /hit HTTP/1.1\r\nHost: a\r\n\r\n' >&7
	wait_until state ".hits.bytes > $before"
	first=-1
	second=$(curl -s "$base/state" | jq .hits.bytes)
	until [ "$first" = "$second" ]; do
		sleep 0.3
		first=$second
		second=$(curl -s "$base/state" | jq .hits.bytes)
	done
	[ $((second - before)) -lt 16000000 ]
	exec 7>&-
	wait_until event '^gone /endless\?unread'
}

@test "a target that leads back to the worker is found out" {
	put_url "$base/hit"
	hit
	expect_problem 502 'leads back'
}

@test "of two workers that lead to each other, each finds itself" {
	local first=$base second before
	own ALLOW_CIDR=127.0.0.0/8
	second=$base
	put_url "$first/hit"
	base=$first
	put_url "$second/hit"
	before=$(curl -s "$first/state" | jq .hits.total)
	request GET /hit 'Via: 1.0 fred, 1.1 p.example (x)'
	expect_problem 502 'leads back'
	state ".hits.total == $before + 2"
	base=$second state '.hits.total == 1'
	# Later as well: the task of the second leads back to the first.
	base=$second
	request GET '/hit?async=true'
	expect_status 202
	request GET "/hit/$(jq -r .task_id "$dir/body")?wait=20"
	expect_json '.status_code == 502 and (.body | contains("leads back"))'
}

@test "the caller's Via goes on before ours" {
	put_url "$target/echo"
	request GET /hit 'Via: 1.0 fred' 'Via: 1.1 b (c), 2 d'
	grep -qE '^Via: 1.0 fred, 1.1 b \(c\), 2 d, 1.1 dcm-[0-9a-f-]+.?$' \
	    "$dir/body"
	for path in '' '?async=true'; do
		request GET "/hit$path" "Via: 1.1 $(printf '%1021s' x)"
		expect_problem 502
		expect_json '.detail | test("Via has come too far")'
	done
	request GET /hit "Via: 1.1 $(printf '%1020s' x | tr ' ' y)"
	grep -qE '^Via: 1.1 y{1019}x, 1.1 dcm-[0-9a-f-]+.?$' "$dir/body"
	request GET /hit $'Via: 1.1 fr\xc3\xa9d'
	grep -qE '^Via: 1.1 dcm-[0-9a-f-]+.?$' "$dir/body"
	request GET '/hit?async=true' 'Via: 1.0 "fred"'
	request GET "/hit/$(jq -r .task_id "$dir/body")?wait=20"
	expect_json '.body | test("Via: 1.0 \"fred\", 1.1 dcm-[0-9a-f-]+$")'
	put "{\"url\":\"$target/echo\",\"headers\":{\"via\":\"mine\"}}"
	request GET /hit 'Via: 1.0 fred'
	grep -qE '^via: mine.?$' "$dir/body"
	refute grep -q fred "$dir/body"
}

@test "MAX_RESPONSE_BYTES cuts a body off, visibly" {
	own ALLOW_CIDR=127.0.0.1 MAX_RESPONSE_BYTES=100000
	put_url "$target/big?100000"
	[ "$(curl -s "$base/hit" | wc -c)" = 100000 ]
	put_url "$target/big?100001"
	run curl -sS -o "$dir/cut" "$base/hit"
	[ "$status" -ne 0 ]
	[ "$(stat -c %s "$dir/cut")" -le 100000 ]
	put_url "$target/endless?cut"
	run curl -sS -o "$dir/cut" "$base/hit"
	[ "$status" -ne 0 ]
	wait_until event '^gone /endless\?cut'
	state '.hits.cut == 2'
}
