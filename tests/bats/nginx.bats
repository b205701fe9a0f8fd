# nginx.bats: the program of `make dist-cgi` below a site of nginx, by
# fcgiwrap, with the block that the archive has for it.
# transports of --all: fcgiwrap

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	controller_start
}

@test "the site beside the program is served as before" {
	[ "$(curl -s "${base%"$prefix"}/index.html")" = "the site" ]
	[ "$(curl -s -o "$dir/got" -w '%{http_code}' \
	    "${base%"$prefix"}/config")" = 404 ]
	refute grep -q request_id "$dir/got"
}

@test "register, publish, and a poll that changed nothing, by each credential" {
	request GET /ready
	expect_status 200
	request POST /register "${AGENT[@]}" --data '{"hostname":"a"}'
	expect_status 200
	expect_json --arg url "$prefix/config" '.poll_url == $url'
	token=$(jq -r .token "$dir/body")
	request POST /config "$ADMIN_KEY" --data '{"url":"https://ip.me"}'
	expect_status 201
	expect_header Location "$prefix/config/1"
	tag=$(header ETag)
	for who in "$AGENT_KEY" "Authorization: Bearer $token" \
	    "Authorization: Basic $(printf agent:agent-secret | base64)"; do
		request GET /config "$who" "If-None-Match: $tag"
		expect_status 304
	done
}

@test "a refusal is the program's" {
	request GET /config
	expect_problem 401
	expect_header WWW-Authenticate 'Basic realm="dcm"'
	request GET /nowhere
	expect_problem 404
	request HEAD /config "$AGENT_KEY"
	expect_status 200
}

@test "a configuration of 64 KiB goes in and comes back" {
	{
		printf '{"url":"https://ip.me","x":"'
		head -c 65506 /dev/zero | tr '\0' y
		printf '"}'
	} >"$dir/large"
	request POST /config "$ADMIN_KEY" --data-file "$dir/large"
	expect_status 201
	request GET /config "$AGENT_KEY"
	grep -qF "$(cat "$dir/large")" "$dir/body"
}

@test "no file of the archive is served" {
	for file in README settings.example dcm.fcgi lib/libfcgi.so.0 \
	    .htaccess nginx.conf; do
		request GET "/$file"
		expect_problem 404
	done
}
