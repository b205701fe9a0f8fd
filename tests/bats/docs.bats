# docs.bats: the page of the API, as the program prints it.
# transports: standalone mount cgi
# transports of --all: cgid fcgid fcgiwrap

load helper

setup_file()
{
	controller_start
}

@test "every operation of the document is on the page, with its answers" {
	request GET /docs
	expect_status 200
	document_rows "$top/swagger.yaml" >"$dir/rows"
	[ "$(wc -l <"$dir/rows")" -gt 50 ]
	sed -n 's/^      operationId: *//p' "$top/swagger.yaml" >"$dir/ids"
	[ "$(wc -l <"$dir/ids")" -gt 15 ]
	while read -r id; do
		grep -qF "<article id=\"$id\">" "$dir/body"
		grep -qF "<li><a href=\"#$id\">" "$dir/body"
	done <"$dir/ids"
	# what each article says: METHOD /path status
	awk -F '[<>]' '
	/^<article id=/ { method = path = "" }
	/^<h3><a href=/ { method = $7; path = $11 }
	/^<details/ { print method, path, $7 == "" ? $5 : $7 }
	/class="also"/ { n = split($0, part, "\">")
	    for (i = 3; i <= n; i++)
		print method, path, substr(part[i], 1, 3) }' "$dir/body" |
	    sort -u >"$dir/shown"
	sort -u "$dir/rows" | sed 's/ default$/ other/' |
	    diff - "$dir/shown"
}

@test "the page says its own place and refers to nothing beside the document" {
	request GET /docs
	grep -qF "here at <code>${prefix:-/}</code>" "$dir/body"
	[ "$(grep -o 'href="[^#"][^"]*"' "$dir/body" | sort -u)" = \
	    'href="data:,"
href="swagger.yaml"' ]
	refute grep -qiE '<script|<img|<iframe|<form|style=| on[a-z]+=|src=' \
	    "$dir/body"
	request GET /api/v1/docs
	expect_status 200
	grep -qF "here at <code>$prefix/api/v1</code>" "$dir/body"
}

@test "the page's policy allows its own style and nothing else" {
	request GET /docs
	sed -n 's|^<style>\(.*\)</style>$|\1|p' "$dir/body" | tr -d '\n' \
	    >"$dir/style"
	[ "$(wc -c <"$dir/style")" -gt 1000 ]
	hash=$(python3 -c 'import base64, hashlib, sys
print(base64.b64encode(hashlib.sha256(sys.stdin.buffer.read()).digest())
    .decode())' <"$dir/style")
	expect_header Content-Security-Policy "default-src 'none'; \
style-src 'sha256-${hash//+/\\+}'; img-src data:; base-uri 'none'; \
form-action 'none'; frame-ancestors 'none'"
	expect_header Content-Type 'text/html; charset=utf-8'
	expect_header X-Content-Type-Options nosniff
	expect_header Referrer-Policy no-referrer
	[ "$(grep -ci '^x-content-type-options:' <<<"$headers")" = 1 ]
}

@test "the served document names the mount that was asked" {
	request GET /swagger.yaml
	expect_status 200
	grep -qxF "  - url: ${prefix:-/}" "$dir/body"
	sed "s|^  - url: .*|  - url: /|" "$dir/body" |
	    diff - "$top/swagger.yaml"
	request GET /api/v1/swagger.yaml
	grep -qxF "  - url: $prefix/api/v1" "$dir/body"
}

@test "the page is for reading" {
	request HEAD /docs
	expect_status 200
	expect_header Content-Type 'text/html; charset=utf-8'
	request POST /docs
	expect_problem 405
	expect_header Allow 'GET, HEAD'
	request GET '/docs?x=1'
	expect_problem 400
}
