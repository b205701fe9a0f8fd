# worker_guard.bats: the worker's address guard: by the address that is connected to.

load worker

setup_file()
{
	target_start
	worker_start
}

guarded()
{
	put "$1"
	hit
	expect_problem 502 'ALLOW_CIDR'
}

@test "loopback is refused in every spelling" {
	local port=${target##*:} host
	for host in 127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 \
	    0x7f.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.0.0.2 0 0.0.0.0 \
	    '[::1]' '[::]' '[::ffff:127.0.0.1]' '[::ffff:7f00:1]' \
	    '[64:ff9b::7f00:1]' '[2002:7f00:1::]' '[0:0:0:0:0:0:0:1]' \
	    localhost LOCALHOST %31%32%37.0.0.1; do
		guarded "{\"url\":\"http://$host:$port/\"}"
	done
	refute event .
}

@test "private, link-local and reserved addresses are refused" {
	local host
	for host in 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 \
	    100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1 255.255.255.255 \
	    '[fe80::1]' '[fc00::1]' '[2001:db8::1]' '[ff02::1]'; do
		guarded "{\"url\":\"http://$host/\"}"
		guarded "{\"url\":\"https://$host/\"}"
	done
}

@test "a proxy's address is judged as well" {
	guarded "{\"url\":\"http://example.com/\",\"proxy\":\"$target\"}"
	guarded "{\"url\":\"http://example.com/\",\"proxy\":\"socks5h://${target#http://}\"}"
	refute event .
}

@test "nothing was connected to" {
	refute event .
	state '.hits.refused > 0 and .hits.unreachable == 0'
}

@test "a redirect into what is not allowed is refused" {
	own ALLOW_CIDR=127.0.0.2
	put_url "$target2/"
	hit
	expect_status 200
	guarded "{\"url\":\"$target2/to?$target/echo\"}"
	guarded "{\"url\":\"$target2/to?http://localhost:${target##*:}/\"}"
	guarded "{\"url\":\"$target2/to?http://[::1]/\"}"
	put "{\"url\":\"$target2/to?$target2/echo\"}"
	hit
	expect_status 200
}

@test "ALLOW_CIDR allows what it lists" {
	own ALLOW_CIDR='10.0.0.0/8, ::1/128 127.0.0.1/32'
	put_url "$target/"
	hit
	expect_status 200
	put_url "http://[::ffff:127.0.0.1]:${target##*:}/"
	hit
	expect_status 200
	guarded "{\"url\":\"$target2/\"}"
}

# named [NAME=value ...]: a worker for which names mean what the lines on
# standard input say, one after the other.
named()
{
	cat >"$dir/names"
	cc -D_GNU_SOURCE -shared -fPIC -o "$dir/resolver.so" \
	    "$top/tests/bats/resolver.c"
	own LD_PRELOAD="$dir/resolver.so" RESOLVER="$dir/names" \
	    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
	    "$@"
}

@test "a name that means another address the second time is judged again" {
	local port=${target##*:}
	mkdir -p "$dir/site"
	echo inside >"$dir/site/secret.txt"
	site_start
	named ALLOW_CIDR=127.0.0.2 <<-'LINES'
	127.0.0.2
	127.0.0.1
	127.0.0.1
	127.0.0.2
	LINES
	put_url "http://flip.test:$port/to?http://flip.test:${site##*:}/secret.txt"
	hit
	expect_problem 502 'address 127.0.0.1 is refused'
	guarded "{\"url\":\"http://flop.test:${site##*:}/secret.txt\"}"
	put_url "http://last.test:$port/hello"
	hit
	[ "$body" = hello ]
}

@test "of several addresses of a name only those that are allowed are tried" {
	local port=${target##*:}
	named ALLOW_CIDR=127.0.0.2 <<-'LINES'
	127.0.0.1,::1,10.0.0.1,127.0.0.2
	::ffff:127.0.0.1
	127.0.0.1
	LINES
	put_url "http://many.test:$port/hello"
	hit
	expect_status 200
	state '.hits.refused == 0'
	guarded "{\"url\":\"http://mapped.test:$port/\"}"
	# and a proxy's name
	guarded "{\"url\":\"http://127.0.0.2:$port/\",\"proxy\":\"http://p.test:$port\"}"
}
