# lint.bats: each house rule is seen to fail where it is broken.

load helper

# A small house that keeps the rules, and the linter in it.
setup()
{
	house=$BATS_TEST_TMPDIR/house
	mkdir -p "$house/lib" "$house/cgi" "$house/agent" "$house/tests/bats"
	cp "$top"/tests/lint.* "$house/tests"
	cp "$top"/lib/buf.[ch] "$house/lib"
	cd "$house" || return
}

# broken FILE LINE RULE: the linter fails, and names file, line and rule.
broken()
{
	run tests/lint.sh --quick
	[ "$status" = 1 ]
	grep -q "^$1:$2: $3: " <<<"$output" || {
		echo "$output"
		return 1
	}
}

# c FILE: a file of C, with its story, from standard input.
c()
{
	{
		printf '/*\n * A sample.\n */\n'
		cat
	} >"$1"
}

@test "the tree itself keeps the rules" {
	cd "$top"
	tests/lint.sh --quick
}

@test "a small house without faults is clean" {
	c cgi/sample.c <<-'C'
	#include "buf.h"

	static int
	sample_add(int a)
	{
		return a + 1;
	}
	C
	run tests/lint.sh --quick
	# without the tools of `make lint` it says which it left out
	[ "$(grep -v '^lint: skipped: ' <<<"$output")" = "lint: clean" ]
	[ "$status" = 0 ]
}

@test "a line of more than 80 columns is found, a tab counting eight" {
	c lib/sample.c <<<"/* 1234567 101234567 201234567 301234567 \
401234567 501234567 601234567 701234 */"
	tests/lint.sh --quick
	c lib/sample.c <<<"	/* 1234567 101234567 201234567 301234567 \
401234567 501234567 601234567 701234 */"
	broken lib/sample.c 4 columns
}

@test "letters of UTF-8 count as one column each" {
	c lib/sample.c <<<"/* äöüßäöü äöüßäöüßä äöüßäöüßä äöüßäöüßä \
äöüßäöüßä äöüßäöüßä äöüßäöüßä äöüßäö */"
	tests/lint.sh --quick
}

@test "a file of more than 400 lines is found" {
	yes '/* line */' | head -n 397 | c lib/sample.c
	tests/lint.sh --quick
	yes '/* line */' | head -n 398 | c lib/sample.c
	broken lib/sample.c 401 file-size
}

@test "a function of more than 60 lines is found" {
	{
		printf 'void\nsample_long(void)\n{\n'
		yes '	;' | head -n 60
		printf '}\n'
	} | c lib/sample.c
	broken lib/sample.c 6 function-size
}

@test "a function without the noun of its file is found" {
	c lib/sample.c <<-'C'
	void
	other_add(void)
	{
	}
	C
	broken lib/sample.c 5 name
	sed -i 's/other_add/sample/' lib/sample.c
	broken lib/sample.c 5 name
}

@test "a function whose name is not at a line's begin is found" {
	c lib/sample.c <<-'C'
	static int sample_add(int a)
	{
		return a;
	}
	C
	broken lib/sample.c 4 definition
}

@test "a typedef of a struct is found" {
	c lib/sample.c <<<'typedef struct sample sample_t;'
	broken lib/sample.c 4 typedef
}

@test "a file named util, common or helpers is found" {
	for name in util common helpers buf_misc; do
		c "lib/$name.c" </dev/null
		broken "lib/$name.c" 1 file-name
		rm "lib/$name.c"
	done
}

@test "a file without its story is found" {
	echo 'int sample;' >lib/sample.c
	broken lib/sample.c 1 story
	printf '#!/bin/sh\ntrue\n' >lib/sample.sh
	broken lib/sample.sh 2 story
}

@test "a header without its guard is found" {
	printf '#ifndef OTHER_H\n#define OTHER_H\n/*\n * A sample.\n */\n' \
	    >lib/sample.h
	printf '#endif\n' >>lib/sample.h
	broken lib/sample.h 1 guard
}

@test "a room that includes another room's header is found" {
	printf '#ifndef AGENT_H\n#define AGENT_H\n/*\n * It.\n */\n#endif\n' \
	    >agent/agent.h
	c cgi/sample.c <<<'#include "agent.h"'
	broken cgi/sample.c 4 rooms
	c cgi/sample.c <<<'#include "../agent/agent.h"'
	broken cgi/sample.c 4 rooms
	c lib/sample.c <<<'#include "agent.h"'
	broken lib/sample.c 4 rooms
}

@test "a room's header that hides one of lib is found" {
	cp lib/buf.h cgi/buf.h
	broken cgi/buf.h 1 rooms
}

@test "a folder that is no room is found" {
	mkdir attic
	echo >attic/x
	broken attic/ 1 rooms
}

@test "a global that Lua does not have is found, and one that is set" {
	luac=$(command -v luac5.4 luac5.3 | head -n 1)
	[ -n "$luac" ] || skip "luac is not installed"
	mkdir -p lighttpd
	printf -- '-- a.lua: a thing.\nprint(nosuch)\n' >lighttpd/a.lua
	broken lighttpd/a.lua 2 lua
	printf -- '-- a.lua: a thing.\nx = 1\n' >lighttpd/a.lua
	broken lighttpd/a.lua 2 lua
	printf -- '-- a.lua: a thing.\nif\n' >lighttpd/a.lua
	broken lighttpd/a.lua 1 lua
	printf -- '-- a.lua: a thing.\nlocal x = 1\nprint(x)\n' >lighttpd/a.lua
	tests/lint.sh --quick
}

@test "a foreign header outside of its family is found" {
	for name in sqlite3.h fcgiapp.h cjson/cJSON.h curl/curl.h \
	    nettle/sha2.h llhttp.h hiredis/hiredis.h; do
		c agent/sample.c <<<"#include <$name>"
		broken agent/sample.c 4 foreign
	done
	rm agent/sample.c
	c lib/fetch_sample.c <<<'#include <curl/curl.h>'
	c cgi/store_sqlite_sample.c <<<'#include <sqlite3.h>'
	tests/lint.sh --quick
}

@test "white space at a line's end and spaces for tabs are found" {
	c lib/sample.c <<<'int sample; '
	broken lib/sample.c 4 white-space
	c lib/sample.c <<<'        int sample;'
	broken lib/sample.c 4 tabs
	rm lib/sample.c
	echo 'a: b ' >swagger.yaml
	broken swagger.yaml 1 white-space
}

@test "a mark of unfinished work is found" {
	c lib/sample.c <<<'/* TODO: more */'
	broken lib/sample.c 4 unfinished
	rm lib/sample.c
	printf '# sample.sh: a sample\n# FIXME: now\n' >lib/sample.sh
	broken lib/sample.sh 2 unfinished
}

@test "what shellcheck finds in a script is found" {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n# sample.sh: a sample\nrm $1\n' >lib/sample.sh
	broken lib/sample.sh 3 shellcheck
}

@test "a test whose name is no sentence is found" {
	printf '# sample.bats: a sample\n\n@test "works" {\n\ttrue\n}\n' \
	    >tests/bats/sample.bats
	broken tests/bats/sample.bats 3 sentence
}

@test "an operation that has another's name is found" {
	printf '    operationId: a\n    operationId: b\n    operationId: a\n' \
	    >swagger.yaml
	broken swagger.yaml 3 route-id
}
