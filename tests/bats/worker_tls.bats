# worker_tls.bats: a target over https is verified against the machine's CAs.

load worker
load tls

setup_file()
{
	ca trusted
	cc -D_GNU_SOURCE -shared -fPIC -o "$dir/trust.so" \
	    "$top/tests/bats/trust.c"
	worker_start ALLOW_CIDR=127.0.0.0/8 LD_PRELOAD="$dir/trust.so" \
	    TRUST="$dir/trusted.pem" \
	    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
}

# secure CA SUBJECT-ALT-NAME [DAYS]: lighttpd with a certificate like that
# serves "over tls"; sets $site.
secure()
{
	local port
	port=$(port_free)
	program_stop site
	cert "$1" server "$2" "${3:-2}"
	cat "$dir/$1.pem" >>"$dir/server.pem"	# or lighttpd looks for it
	mkdir -p "$dir/site"
	echo 'over tls' >"$dir/site/hello.txt"
	cat >"$dir/site.conf" <<-CONF
	server.modules = ( "mod_openssl", "mod_redirect" )
	server.bind = "127.0.0.1"
	server.port = $port
	server.document-root = "$dir/site"
	ssl.engine = "enable"
	ssl.pemfile = "$dir/server.pem"
	ssl.privkey = "$dir/server.key"
	url.redirect = ( "^/moved" => "/hello.txt" )
	CONF
	program_start site lighttpd -D -f "$dir/site.conf"
	site=https://127.0.0.1:$port
	wait_until port_open "$port"
}

@test "with a certificate for its address it is hit, now and later" {
	secure trusted IP:127.0.0.1
	put_url "$site/moved"
	hit
	expect_status 200
	[ "$body" = 'over tls' ]
	request GET '/hit?async=true'
	request GET "/hit/$(jq -r .task_id "$dir/body")?wait=20"
	expect_json '.status_code == 200 and .body == "over tls\n"'
}

@test "with one for another name it is 502, and says why" {
	secure trusted DNS:elsewhere.example
	put_url "$site/hello.txt"
	hit
	expect_problem 502 'cannot be reached: SSL'
}

@test "what libcurl says of a kept connection that died is not said of the next" {
	secure trusted IP:127.0.0.1
	put_url "$site/hello.txt"
	hit
	expect_status 200
	secure trusted DNS:elsewhere.example
	put_url "$site/hello.txt"
	sleep 1.1		# it looks once a second for those that died
	hit
	expect_problem 502 'cannot be reached: SSL'
}

@test "with one of a CA that is not trusted it is 502, and says why" {
	ca other
	secure other IP:127.0.0.1
	put_url "$site/hello.txt"
	hit
	expect_problem 502 'cannot be reached: SSL certificate problem'
}

@test "with one that has expired it is 502, and says why" {
	secure trusted IP:127.0.0.1 -1
	put_url "$site/hello.txt"
	hit
	expect_problem 502 'certificate has expired'
}
