#!/bin/bash
# lint.sh [--quick]: the house rules. `make lint` comes here.
#
# Prints "file:line: rule: what is wrong" and fails when there is any.
# CONTRIBUTING.md says what the rules are for. --quick leaves out what needs
# a compiler. Looks at the tree it stands in.
set -u

cd "$(dirname "$0")/.." || exit
export LC_ALL=C
quick=''
[ "${1:-}" != --quick ] || quick=1
broken=0

# Files of the tree by their endings: tracked, or about to be.
lint_files()
{
	local patterns=("$@")
	if [ -e .git ]; then
		git ls-files -co --exclude-standard -- "${patterns[@]}"
	else
		find . -name build -prune -o -name var -prune -o \
		    -name node_modules -prune -o -type f -print |
		    sed 's|^\./||' | while read -r file; do
			for pattern in "${patterns[@]}"; do
				# shellcheck disable=SC2053	# a pattern
				[[ $file != $pattern ]] || echo "$file"
			done
		done
	fi | sort -u | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# lint_say RULE: reads "file:line: what", adds the rule.
lint_say()
{
	sed "s/^\([^:]*:[0-9]*:\) */\1 $1: /" | grep . && return 1
	return 0
}

lint_c()
{
	local files
	mapfile -t files < <(lint_files '*.c' '*.h')
	[ ${#files[@]} -gt 0 ] || return 0
	awk -f <(
		echo 'BEGIN {'
		printf '\tfiles["%s"] = 1\n' "${files[@]}"
		echo '}'
		cat tests/lint.awk
	) "${files[@]}"
}

# A room's header of the same name as one of lib would hide it.
lint_shadow()
{
	local file
	lint_files 'cgi/*.h' 'agent/*.h' 'worker/*.h' | while read -r file; do
		[ ! -e "lib/${file##*/}" ] ||
		    echo "$file:1: hides lib/${file##*/}"
	done | lint_say rooms
}

# The top level is fixed.
lint_top()
{
	lint_files '*' | sed 's|/.*|/|' | sort -u | while read -r name; do
		case $name in
		agent/ | cgi/ | lib/ | lighttpd/ | sql/ | tests/) ;;
		worker/ | .ci/) ;;
		GNUmakefile | README.md | CHANGELOG.md | CONTRIBUTING.md) ;;
		LICENSE | swagger.yaml | docker-compose.*.yml) ;;
		.clang-format | .editorconfig | .gitignore | .dockerignore) ;;
		.env.example) ;;
		*) echo "$name:1: the top level is fixed" ;;
		esac
	done | lint_say rooms
}

lint_text()
{
	local files status=0
	mapfile -t files < <(lint_files '*.sh' '*.bash' '*.bats' '*.sql' \
	    '*.lua' '*.conf' '*.yaml' '*.yml' '*.json' '*.awk' '.ci/*' \
	    GNUmakefile)
	[ ${#files[@]} -gt 0 ] || return 0
	grep -nE '[[:space:]]+$' "${files[@]}" /dev/null |
	    sed 's/^\([^:]*:[0-9]*:\).*/\1 at the end of the line/' |
	    lint_say white-space || status=1
	grep -nwE 'TODO|FIXME|XXX|HACK' "${files[@]}" \
	    /dev/null | grep -vE '^tests/(bats/)?lint\.' |
	    sed 's/^\([^:]*:[0-9]*:\).*/\1 finish it or say why it is so/' |
	    lint_say unfinished || status=1
	return $status
}

# Scripts: a story at the head, 80 columns, shellcheck.
lint_scripts()
{
	local file files status=0
	mapfile -t files < <(lint_files '*.sh' '*.bash' '*.bats' '.ci/*')
	[ ${#files[@]} -gt 0 ] || return 0
	for file in "${files[@]}"; do
		awk -v name="$(basename "$file" )" '
		NR == 1 && /^#!/ { next }
		NR <= 2 && !seen {
			seen = 1
			if (index($0, "# " name) != 1)
				print FILENAME ":" NR ": begins with # " name \
				    " and what it is for"
		}' "$file" | lint_say story || status=1
		case $file in
		*.bats) ;;
		*)
			expand "$file" | sed 's/[\x80-\xbf]//g' |
			    awk -v f="$file" 'length($0) > 80 {
				print f ":" NR ": " length($0) \
				    " columns, 80 at most" }' |
			    lint_say columns || status=1
		esac
	done
	if command -v shellcheck >/dev/null; then
		# In bats files, helper.bash sets status, body and the rest.
		for file in "${files[@]}"; do
			case $file in
			*.bats)
				shellcheck -s bats -f gcc -e SC2016,SC2030 \
				    -e SC2031,SC2034,SC2153,SC2154 "$file" ;;
			tests/bench*)	# what table.bash brings is known
				shellcheck -x -s bash -f gcc "$file" ;;
			*.bash) shellcheck -s bash -f gcc "$file" ;;
			*) shellcheck -f gcc "$file" ;;
			esac
		done | sed 's/^\([^:]*:[0-9]*\):[0-9]*: /\1: /' |
		    lint_say shellcheck || status=1
	else
		echo "lint: skipped: shellcheck is not installed" >&2
	fi
	return $status
}

# Lua compiles, sets no global, and reads none that it does not have.
lint_lua()
{
	local file luac lua=' error io lighty math os package pairs pcall '
	lua+='collectgarbage print select setmetatable string table tonumber '
	lua+='tostring _VERSION '
	luac=$(command -v luac5.4 luac5.3 | head -n 1)
	[ -n "$luac" ] || {
		echo "lint: skipped: luac is not installed" >&2
		return 0
	}
	lint_files '*.lua' | while read -r file; do
		"$luac" -l -p "$file" 2>&1 |
		    awk -v file="$file" -v lua="$lua" '
		/luac[0-9.]*: / { print file ":1: " $0 }
		/; _ENV "/ {
			line = $2
			gsub(/[^0-9]/, "", line)
			name = $0
			sub(/.*; _ENV "/, "", name)
			sub(/".*/, "", name)
			if (/SETTABUP/ || index(lua, " " name " ") == 0)
				print file ":" line ": the global " name
		}'
		expand "$file" | awk -v f="$file" 'length($0) > 80 {
			print f ":" NR ": more than 80 columns" }'
		head -n 1 "$file" | grep -q "^-- ${file##*/}: " ||
		    echo "$file:1: begins with -- ${file##*/}: and its story"
	done | lint_say lua
}

# A test's name is a sentence: three words at least, no full stop.
lint_sentences()
{
	local files
	mapfile -t files < <(lint_files 'tests/bats/*.bats')
	[ ${#files[@]} -gt 0 ] || return 0
	awk '/^@test / {
		name = $0
		sub(/^@test ["\047]/, "", name)
		sub(/["\047] *\{.*/, "", name)
		if (split(name, words, " ") < 3 || name ~ /\.$/)
			print FILENAME ":" FNR ": a sentence of three " \
			    "words or more, without a full stop"
		if ((FILENAME, name) in said)
			print FILENAME ":" FNR ": said twice"
		said[FILENAME, name] = 1
	}' "${files[@]}" | lint_say sentence
}

# An operationId names one operation of a document.
lint_routes()
{
	local files
	mapfile -t files < <(lint_files '*swagger.yaml')
	[ ${#files[@]} -gt 0 ] || return 0
	awk '/^ *operationId:/ {
		if ((FILENAME, $2) in seen)
			print FILENAME ":" FNR ": " $2 " is there twice"
		seen[FILENAME, $2] = 1
	}' "${files[@]}" | lint_say route-id
}

# Every file once more, by two compilers, warnings being errors.
lint_compile()
{
	local cc status=0
	for cc in gcc clang; do
		command -v $cc >/dev/null || {
			echo "lint: skipped: $cc is not installed" >&2
			continue
		}
		make -sk --no-print-directory CI=1 CC=$cc \
		    BUILD=build/lint-$cc tests >build/lint.log 2>&1 || {
			cat build/lint.log
			echo "lint: does not compile clean under $cc"
			status=1
		}
	done
	return $status
}

lint_cppcheck()
{
	command -v cppcheck >/dev/null || {
		echo "lint: skipped: cppcheck is not installed" >&2
		return 0
	}
	# It reads no header of the system, but must know TAILQ_HEAD.
	cppcheck -q -j2 --std=c11 --enable=warning,portability \
	    "--include=/usr/include/$(gcc -print-multiarch)/sys/queue.h" \
	    --inline-suppr --suppress=missingInclude \
	    --suppress=arrayIndexThenCheck --error-exitcode=1 \
	    --template='{file}:{line}: cppcheck: {message} ({id})' \
	    -D__x86_64__ -D_GNU_SOURCE -Ilib lib cgi agent worker 2>&1
}

lint_c || broken=1
lint_shadow || broken=1
lint_top || broken=1
lint_text || broken=1
lint_scripts || broken=1
lint_lua || broken=1
lint_sentences || broken=1
lint_routes || broken=1
if [ -z "$quick" ]; then
	mkdir -p build
	lint_compile || broken=1
	lint_cppcheck || broken=1
fi
[ $broken = 1 ] || echo "lint: clean"
exit $broken
