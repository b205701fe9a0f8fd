# apache.bats: the archive of `make dist-cgi`, unpacked below a site of stock
# Apache, with mod_cgid and with mod_fcgid.
# transports of --all: cgid fcgid

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	controller_start CONFIG_MAX_BYTES=65536 DB_JOURNAL=truncate
	site=$dir/web/site
	export site
	head -c 9999 /dev/zero | tr '\0' x >"$site/large.html"
	chmod 644 "$site/large.html"
	(cd "$site" && find . | sort) >"$dir/before"
}

# code PATH [ARGUMENT of curl...]: the status; the body is $dir/got.
code()
{
	local path=$1
	shift
	curl -s --path-as-is -o "$dir/got" -w '%{http_code}' "$@" \
	    "${base%"$prefix"}$path"
}

@test "register, publish, and a poll that changed nothing, by each credential" {
	request GET /health
	expect_status 200
	request GET /ready
	expect_status 200
	request POST /register "${AGENT[@]}" --data '{"hostname":"a"}'
	expect_status 200
	expect_json --arg url "$prefix/config" '.poll_url == $url'
	token=$(jq -r .token "$dir/body")
	request POST /config "$ADMIN_KEY" --data '{"url":"https://ip.me"}'
	expect_status 201
	expect_header Location "$prefix/config/[0-9]+"
	tag=$(header ETag)
	for who in "$AGENT_KEY" "Authorization: Bearer $token" \
	    "Authorization: Basic $(printf agent:agent-secret | base64)"; do
		request GET /config "$who"
		expect_status 200
		expect_json '.data.url == "https://ip.me"'
		[ "$(header ETag)" = "$tag" ]
		request GET /config "$who" "If-None-Match: $tag"
		expect_status 304
		[ "$(header ETag)" = "$tag" ]
		expect_header X-Poll-Interval-Seconds 30
	done
	request GET "${prefix:+/api/v1}/config" "$AGENT_KEY"
	expect_status 200
}

@test "the heartbeat of a poll is in the listing of agents" {
	request POST /register "${AGENT[@]}"
	id=$(jq -r .agent_id "$dir/body")
	token=$(jq -r .token "$dir/body")
	request GET /config "Authorization: Bearer $token" \
	    'X-Applied-Version: 1' 'X-Agent-State: ok'
	expect_status 200
	reported()
	{
		request GET "/agents/$id" "$ADMIN_KEY" &&
		    expect_json '.applied_version == 1 and .state == "ok"'
	}
	wait_until reported
}

@test "a refusal is the program's, where the site has pages of its own" {
	request GET /config
	expect_problem 401
	expect_header WWW-Authenticate 'Basic realm="dcm"'
	request GET /config 'X-API-Key: wrong'
	expect_problem 401
	request POST /config "$AGENT_KEY" --data '{}'
	expect_problem 403
	request GET /nowhere "$ADMIN_KEY"
	expect_problem 404
	request POST /config "$ADMIN_KEY" --data '{"url":1}'
	expect_problem 400
	request DELETE /config "$ADMIN_KEY"
	expect_problem 405
	[ "$(code /nowhere)" = 404 ]
	grep -q 'a page of the site' "$dir/got"
	forgiven
}

@test "HEAD answers as GET does, without the body" {
	request GET /config "$AGENT_KEY"
	tag=$(header ETag)
	length=$(wc -c <"$dir/body")
	request HEAD /config "$AGENT_KEY"
	expect_status 200
	[ "$(header ETag)" = "$tag" ]
	[ ! -s "$dir/body" ]
	# mod_cgid drops it of its own accord
	[ "$TRANSPORT" = cgid ] || expect_header Content-Length "$length"
}

@test "a server that compresses rewrites no ETag, and one rewritten is known" {
	spaces=$(printf '%9999s' ' ')
	request POST /config "$ADMIN_KEY" \
	    --data "{\"url\":\"https://ip.me\",\"x\":\"$spaces\"}"
	expect_status 201
	request GET /config "$AGENT_KEY" 'Accept-Encoding: gzip'
	expect_status 200
	refute header Content-Encoding
	expect_header ETag '"[0-9]+-[0-9a-f]{16}"'
	tag=$(header ETag)
	request GET /config "$AGENT_KEY" "If-None-Match: ${tag%\"}-gzip\"" \
	    'Accept-Encoding: gzip'
	expect_status 304
	# what the site itself has is compressed: the filter works
	code /large.html --compressed -D "$dir/head"
	grep -qi '^content-encoding: gzip' "$dir/head"
}

@test "a configuration of 64 KiB goes in and comes back byte for byte" {
	{
		printf '{"url":"https://ip.me","x":"'
		head -c 65506 /dev/zero | tr '\0' y
		printf '"}'
	} >"$dir/large"
	[ "$(wc -c <"$dir/large")" = 65536 ]
	request POST /config "$ADMIN_KEY" --data-file "$dir/large"
	expect_status 201
	request GET /config "$AGENT_KEY"
	expect_status 200
	grep -qF "$(cat "$dir/large")" "$dir/body"
}

@test "what is larger than the server takes changes nothing" {
	request GET /config "$AGENT_KEY"
	before=$(header ETag)
	{
		printf '{"url":"https://ip.me","x":"'
		head -c 200000 /dev/zero | tr '\0' y
		printf '"}'
	} >"$dir/larger"
	got=$(code "$prefix/config" -H "$ADMIN_KEY" \
	    --data-binary "@$dir/larger")
	case $TRANSPORT in
	cgid) [ "$got" = 413 ] ;;
	fcgid) [ "$got" = 500 ] ;;	# FcgidMaxRequestLen
	esac
	request GET /config "$AGENT_KEY"
	expect_status 200
	[ "$(header ETag)" = "$before" ]
}

@test "several processes publish at once, without a gap or a double" {
	request GET /config "$AGENT_KEY"
	first=$(jq .version "$dir/body")
	publishes()
	{
		status=$(curl -s -H "$ADMIN_KEY" -o "$dir/at.$1" --max-time 60 \
		    -w '%{http_code}' -d "{\"url\":\"https://ip.me/$1\"}" \
		    "$base/config")
	}
	for i in {1..24}; do
		unlocked publishes "$i" 3>&- &
		pids[i]=$!
	done
	wait "${pids[@]}"
	jq -s 'map(.version) | sort' "$dir"/at.* >"$dir/versions"
	json_true --argjson first "$first" \
	    '. == [range($first + 1; $first + 25)]' "$dir/versions"
	rm "$dir"/at.*
}

@test "no file of the archive is served, by whatever name it is asked for" {
	mapfile -t files < <(cd "$site$prefix" && find . -type f | cut -c 2-)
	[ ${#files[@]} -gt 10 ]
	for file in "${files[@]}" /lib /lib/ /.ht /dcm.fcgi/dcm.fcgi \
	    /dcm.fcgi/README /%52EADME /lib/../README /./README \
	    //README /README/ /README/x '/README?x' '/?README' / \
	    /dcm.fcgi/../README /settings.example~; do
		got=$(code "$prefix$file")
		case $got in
		403 | 404) ;;
		301) [ "$file" = /lib ] ;;	# that it is a folder
		400 | 405)
			grep -q '"request_id"' "$dir/got" ;;
		200)
			# a file that is also a route: the program's answer
			[ "$file" = /swagger.yaml ] &&
			    grep -qxF "  - url: $prefix" "$dir/got" ;;
		*) false ;;
		esac || { echo "$file: $got" >&2; return 1; }
		refute grep -qaE 'ELF|AddHandler|CGI_|DB_JOURNAL=|Unpack' \
		    "$dir/got"
	done
	[ "$(code "$prefix/dcm.fcgi/health")" = 404 ]
	[ "$(code "$prefix")" = 301 ]
}

@test "nothing is written below the site" {
	(cd "$site" && find . | sort) | diff "$dir/before" -
	[ -s "$dir/state/controller.db" ]
	[ -s "$dir/state/token.key" ]
}

@test "the program runs with the archive's libraries" {
	ldd "$site$prefix/dcm.fcgi" >"$dir/ldd"
	[ "$(grep -cF "=> $site$prefix/lib/" "$dir/ldd")" = \
	    "$(find "$site$prefix/lib" -name 'lib*.so*' | wc -l)" ]
	refute grep -vE "$site$prefix/lib/|linux-vdso|/lib(c|m)\.so|ld-linux" \
	    "$dir/ldd"
	grep -q "$(basename "$(web_archive)")" "$site$prefix/README"
	[ "$(wc -l <"$site$prefix/README")" = 10 ]
	refute grep -qE 'VERSION|MACHINE|GLIBC' "$site$prefix/README"
}

@test "from a shell the program is a command, with the same settings" {
	run env DCM_CONFIG="$dir/web/controller.conf" \
	    "$site$prefix/dcm.fcgi" --check
	[ "$status" = 0 ]
	[[ $output == *"ok   credentials"* ]]
	run env DCM_CONFIG=/nowhere "$site$prefix/dcm.fcgi" --check
	[ "$status" != 0 ]
	[[ $output == *"DCM_CONFIG: /nowhere"* ]]
}

@test "a body without a length is read to its end" {
	request POST /config "$ADMIN_KEY" 'Transfer-Encoding: chunked' \
	    --data '{"url":"https://in.pieces"}'
	expect_status 201
	request GET /config "$AGENT_KEY"
	expect_json '.data.url == "https://in.pieces"'
}

@test "settings that change are obeyed at the next request" {
	conf=$dir/web/controller.conf
	cp -p "$conf" "$dir/kept"
	request GET /config "$AGENT_KEY"
	expect_status 200
	sed -i 's/^AGENT_API_KEY=.*/AGENT_API_KEY=another/' "$conf"
	web_open "$dir/web"
	request GET /config 'X-API-Key: another'
	expect_status 200
	mv "$conf" "$dir/gone"
	request GET /config "$AGENT_KEY"
	expect_problem 503 'DCM_CONFIG'
	request GET /health
	expect_status 200
	sed 's|^STATE_DIR=.*|STATE_DIR=state|' "$dir/kept" >"$conf"
	web_open "$dir/web"
	request GET /config "$AGENT_KEY"
	expect_problem 503 'STATE_DIR'
	log_has controller 'STATE_DIR is "state": with DCM_CONFIG it must'
	mv "$dir/kept" "$conf"
	request GET /config "$AGENT_KEY"
	expect_status 200
	forgiven
}

@test "unpacked to another folder it works as well" {
	web_unpack /else
	web_open "$dir/web"
	prefix=/else base=${base%/some/where}/else
	request GET /config "$AGENT_KEY"
	expect_status 200
	request POST /register "${AGENT[@]}"
	expect_status 200
	expect_json '.poll_url == "/else/config"'
	request GET /swagger.yaml
	grep -qxF '  - url: /else' "$dir/body"
	# and moved while Apache runs
	mv "$site/else" "$site/there"
	prefix=/there base=${base%/else}/there
	request POST /config "$ADMIN_KEY" --data '{"url":"https://there"}'
	expect_status 201
	expect_header Location '/there/config/[0-9]+'
	rm -r "$site/there"
}

@test "where .htaccess is ignored, nothing of it can be read" {
	[ "$(id -u)" = 0 ] || skip "the server would be the files' owner"
	controller_stop
	chown -R root: "$site$prefix"
	port=$(cat "$dir/controller.port")
	for override in None AuthConfig; do
		APACHE_OVERRIDE=$override apache_conf "$port" "$TRANSPORT" \
		    >"$dir/web/apache.conf"
		program_start closed env -i PATH="$PATH" \
		    apache2 -DFOREGROUND -f "$dir/web/apache.conf"
		wait_until curl -sf "${base%"$prefix"}/index.html"
		for file in README settings.example dcm.fcgi .htaccess \
		    nginx.conf lib lib/ '' swagger.yaml; do
			got=$(code "$prefix/$file" -L)
			case $override:$got in
			None:403 | None:404 | AuthConfig:[45]??) ;;
			*) echo "$override $file: $got" >&2; return 1 ;;
			esac
			refute grep -qaE 'ELF|AddHandler|DB_JOURNAL=' \
			    "$dir/got"
		done
		program_stop closed
	done
}
