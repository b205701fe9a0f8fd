# openapi.bats: the three documents are what the programs are. Runs last: it
# asks which operations the other files have exercised.

load helper

# printed PROGRAM DOCUMENT: the committed document is the program's.
printed()
{
	"$bin/$1" --openapi | diff "$top/$2" -
}

@test "swagger.yaml is what dcm-controller prints" {
	printed dcm-controller swagger.yaml
}

@test "agent/swagger.yaml is what dcm-agent prints" {
	printed dcm-agent agent/swagger.yaml
}

@test "worker/swagger.yaml is what dcm-worker prints" {
	printed dcm-worker worker/swagger.yaml
}

@test "what cannot be printed is an error, and says so" {
	local program option
	for program in dcm-controller dcm-agent dcm-worker; do
		for option in --openapi --help; do
			run sh -c '"$0" "$1" >/dev/full' "$bin/$program" $option
			[ "$status" = 1 ]
			[ "$output" = "$program: standard output: $(
			    )No space left on device" ]
		done
	done
}

@test "an OpenAPI linter finds nothing in the documents" {
	command -v npm >/dev/null || skip "npm is not installed"
	cd "$top/tests"
	if [ ! -d node_modules/@redocly/openapi-core ]; then
		npm ci --silent >"$dir/npm.log" 2>&1 || {
			[ -n "$CI" ] || skip "npm ci failed: no network?"
			cat "$dir/npm.log"
			return 1
		}
	fi
	cd "$top"
	node tests/openapi.js swagger.yaml agent/swagger.yaml \
	    worker/swagger.yaml
}

@test "every body and every answer with a body has an example" {
	for document in swagger.yaml agent/swagger.yaml worker/swagger.yaml; do
		awk -v file="$document" '
		function end() {
			if (type && !example) {
				print file ":" type ": " kind ": no example"
				bad = 1
			}
			type = 0
		}
		{ indent = match($0, /[^ ]/) - 1 }
		type && indent <= level { end() }
		/^ +[a-z*]+\/[a-z+.*-]+: *$/ {
			type = NR
			level = indent
			kind = $1
			example = 0
		}
		/^ +examples?:/ { example = 1 }
		END { end(); exit bad }' "$top/$document"
	done
}

@test "every operation was exercised by these tests" {
	[ -n "$EXERCISED" ] || skip "needs the whole run, make test"
	for document in swagger.yaml agent/swagger.yaml worker/swagger.yaml; do
		document_rows "$top/$document" | awk '{ print $1, $2 }' |
		    sort -u | while read -r operation; do
			grep -qF "$document $operation " "$EXERCISED" || {
				echo "$document: nobody asked $operation"
				return 1
			}
		done
		[ -n "$(document_rows "$top/$document")" ]
	done
}
