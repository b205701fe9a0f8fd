# browser.bats: the page of the API in a real Chromium: the program's own, and
# npm's Swagger UI in its place. BROWSER_SHOTS is a folder for pictures.
# transports of --all: standalone mount

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	build=$(dirname "$bin")
	export build
	controller_start
	document_rows "$top/swagger.yaml" | awk '{ print $1, $2 }' | sort -u \
	    >"$dir/operations"
	[ "$(wc -l <"$dir/operations")" -gt 15 ]
}

# look WHAT PATH [ARGUMENT...]: what Chromium sees is in $dir/seen. Whatever
# is looked at obeys its policy, and asks nothing of another host.
look()
{
	local what=$1 path=$2 shot=()
	shift 2
	[ -z "$BROWSER_SHOTS" ] ||
	    shot=(--shot "$BROWSER_SHOTS/$TRANSPORT-$BATS_TEST_NUMBER.png")
	python3 "$BATS_TEST_DIRNAME/browser.py" "$what" "$(port_free)" \
	    "$base$path" "${shot[@]}" "$@" >"$dir/seen" || return
	see '.violations == []' &&
	see '[.console[] | select(test("^(SEVERE|WARNING)"))] == []' &&
	see --arg here "${base%"$prefix"}/" \
	    '.requests | length > 0 and all(startswith($here))'
}

see()
{
	json_true "$@" "$dir/seen" || {
		echo "not so: $*"
		cat "$dir/seen"
		return 1
	}
}

lists_all()
{
	jq -r '.operations[]' "$dir/seen" | sort | diff "$dir/operations" -
}

# The same controller, with Swagger UI before it.
swagger_ui()
{
	if ! flock "$build/page.lock" make -s -C "$top" api-page \
	    >"$dir/page.log" 2>&1; then
		[ -n "$CI" ] || skip "make api-page failed: no npm, no network?"
		cat "$dir/page.log"
		return 1
	fi
	export PAGE=$build/page
	[ -e "$dir/swagger_ui" ] || {
		controller_stop
		controller_again
		touch "$dir/swagger_ui"
	}
}

@test "the program's page lists every operation, and asks for nothing else" {
	look plain /docs
	lists_all
	see '.requests | length == 1'
	light=$(jq -r .ground "$dir/seen")
	look plain /docs --dark
	[ "$(jq -r .ground "$dir/seen")" != "$light" ]
}

@test "the program's page is a page below /api/v1, and on a small screen" {
	look plain /api/v1/docs --width 500
	lists_all
}

@test "Swagger UI lists every operation, under a policy without exceptions" {
	swagger_ui
	look swagger /docs
	lists_all
	light=$(jq -r .ground "$dir/seen")
	look swagger /api/v1/docs --dark
	lists_all
	[ "$(jq -r .ground "$dir/seen")" != "$light" ]
	code=$(curl -s -o "$dir/got" -D "$dir/head" -w '%{http_code}' \
	    "$base/docs")
	[ "$code" = 200 ]
	tr -d '\r' <"$dir/head" >"$dir/fields"
	grep -ix "content-security-policy: default-src 'none'; script-src \
'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri \
'none'; form-action 'none'; frame-ancestors 'none'" "$dir/fields"
	grep -ix 'x-content-type-options: nosniff' "$dir/fields"
	grep -ix 'referrer-policy: no-referrer' "$dir/fields"
}

@test "Swagger UI tries GET /config out with a key, at the mount it came from" {
	swagger_ui
	url=https://tried.example/$RANDOM
	request POST /config "$ADMIN_KEY" --data "{\"url\":\"$url\"}"
	expect_status 201
	for api in '' /api/v1; do
		look swagger "$api/docs" --key "${ADMIN_KEY#*: }"
		see --arg url "$base$api/config" '.tried.url == $url'
		see --arg url "$url" '.tried.status == "200" and
		    (.tried.body | fromjson | .data.url) == $url'
		see --arg url "$base$api/config" \
		    '.requests | index($url) != null'
	done
}

@test "of Swagger UI's folder only the page is served, and only for reading" {
	swagger_ui
	for file in page.conf LICENSE NOTICE index.html '' ../docs/page.conf; do
		request GET "/docs/$file"
		expect_problem 404
	done
	request POST /docs
	expect_problem 405
	request GET /docsX
	expect_problem 404
	request HEAD /docs
	expect_status 200
}

@test "make install takes Swagger UI along, and the mount finds it there" {
	swagger_ui
	make -s -C "$top" install DESTDIR="$dir/root" PREFIX=/opt/dcm
	for file in "$build/page"/*; do
		cmp "$file" "$dir/root/opt/dcm/share/dcm/page/${file##*/}"
	done
	grep -qx 'var.dcm_page *= "/opt/dcm/share/dcm/page"' \
	    "$dir/root/opt/dcm/share/dcm/lighttpd/dcm.conf"
}
