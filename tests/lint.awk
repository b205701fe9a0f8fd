# lint.awk: the house rules that one line, or one function, can break.
# Reads C files, prints "file:line: rule: what is wrong".

function bad(line, rule, what)
{
	bad_in(FILENAME, line, rule, what)
}

function bad_in(path, line, rule, what)
{
	printf "%s:%d: %s: %s\n", path, line, rule, what
	found = 1
}

# Characters on the screen: tabs to 8, and UTF-8's later bytes count nothing.
function width(text,    n, i, part, parts)
{
	gsub(/[\200-\277]/, "", text)
	parts = split(text, part, "\t")
	n = 0
	for (i = 1; i <= parts; i++) {
		n += length(part[i])
		if (i < parts)
			n += 8 - n % 8
	}
	return n
}

function file_end()
{
	if (last_line > 400)
		bad_in(last_file, last_line, "file-size", \
		    last_line " lines, 400 at most")
}

# The room, and what the file is called without its ending.
function file_begin(    n, part)
{
	n = split(FILENAME, part, "/")
	room = part[1]
	test = room == "tests"
	unit = FILENAME ~ /^tests\/unit\//
	file = part[n]
	header = file ~ /\.h$/
	sub(/\.[ch]$/, "", file)
	start = 0
	head = ""
	guard = toupper(file) "_H"
	if (file ~ /(^|_)(utils?|commons?|helpers?|misc|stuff)(_|$)/)
		bad(1, "file-name", "name the noun: " file " says nothing")
}

# fcgiapp.h and its like are each known to one family of files.
function family_of(name)
{
	if (name == "sqlite3.h")
		return "cgi/store_sqlite cgi/migrate worker/queue_sqlite"
	if (name == "fcgiapp.h")
		return "cgi/gateway cgi/watch"
	if (name == "cJSON.h" || name ~ /cjson\//)
		return "lib/json"
	if (name ~ /^curl\//)
		return "lib/fetch"
	if (name ~ /^nettle\//)
		return "lib/token"
	if (name == "llhttp.h")
		return "lib/httpd"
	if (name ~ /^(lua|lauxlib|lualib)\.h$/)
		return "cgi/fast_lua"
	if (name ~ /^hiredis/)
		return "lib/redis worker/queue_redis"
	return ""
}

function include_check(    name, family, families, n, i, ok)
{
	name = $0
	sub(/^#[ \t]*include[ \t]*[<"]/, "", name)
	sub(/[>"].*/, "", name)
	family = family_of(name)
	if (family != "" && !test) {
		n = split(family, families, " ")
		ok = 0
		for (i = 1; i <= n; i++)
			if (FILENAME ~ "^" families[i] "(_[a-z0-9_]*)?\\.[ch]$")
				ok = 1
		if (!ok)
			bad(FNR, "foreign", name " belongs to " family)
	}
	if ($0 !~ /"/ || test)
		return
	if (name ~ /\//)
		bad(FNR, "rooms", name ": rooms are not left by a path")
	else if (!((room "/" name) in files) && !(("lib/" name) in files) &&
	    name !~ /\.inc$/)
		bad(FNR, "rooms", name " is neither in " room " nor in lib")
}

# The line of a definition where its name stands, and the name.
function definition(line, number,    name, words, own, n, m, i, ok)
{
	name = line
	sub(/\(.*/, "", name)
	if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/) {
		bad(number, "definition", "the name stands at a line's begin")
		return
	}
	if (test || name ~ /^[A-Z]/ || name == "main")
		return
	n = split(file, own, "_")
	m = split(name, words, "_")
	ok = 0
	for (i = 1; i <= n; i++)
		if (words[1] == own[i])
			ok = 1
	if (!ok || m < 2)
		bad(number, "name", name " does not begin with the noun " \
		    "of " file)
}

FNR == 1 {
	if (last_file != "")
		file_end()
	last_file = FILENAME
	file_begin()
	if (header && $0 != "#ifndef " guard)
		bad(1, "guard", "a header begins with #ifndef " guard)
	if (!header && !unit && $0 != "/*")
		bad(1, "story", "a file begins with what it is for")
}
FNR == 2 {
	if (header && $0 != "#define " guard)
		bad(2, "guard", "#define " guard " comes next")
	if (!header && !unit && $0 !~ /^ \* [^ ]/)
		bad(2, "story", "a file begins with what it is for")
}
FNR == 3 && header && $0 !~ /^\/\*/ {
	bad(3, "story", "a header begins with what it is for")
}

{ last_line = FNR; text = $0 }

width(text) > 80 { bad(FNR, "columns", width(text) " columns, 80 at most") }
/[ \t]$/ { bad(FNR, "white-space", "at the end of the line") }
/^        / { bad(FNR, "tabs", "indented with spaces") }
/\r/ { bad(FNR, "white-space", "a carriage return") }
/typedef (struct|enum|union)/ { bad(FNR, "typedef", "plain structs") }
/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ {
	bad(FNR, "unfinished", "finish it or say why it is so")
}
/^#[ \t]*include/ { include_check() }

# A definition's head runs from a line at the left margin to its "{".
/^[A-Za-z_].*\(/ && !/;$/ && !/^(static )?__attribute__/ {
	if (head == "") {
		head = $0
		head_line = FNR
	}
}
/^\{/ {
	if (head != "")
		definition(head, head_line)
	start = FNR
}
/;$/ || /^\}/ || /^$/ || /^#/ { head = "" }
/^\}/ {
	if (start && FNR - start > 60)
		bad(start, "function-size", \
		    (FNR - start) " lines, 60 at most")
	start = 0
}

END {
	if (last_file != "")
		file_end()
	exit found
}
