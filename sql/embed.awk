# Prints the migrations as C: one array of steps for each database, by the
# prefix of the file names (none: truth). Files come sorted; NNN must be 1,
# 2, 3 … in each, for nothing may be left out.

function fail(text) {
	print FILENAME ": " text > "/dev/stderr"
	failed = 1
	exit 1
}

FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	room = "truth"
	if (match(name, /^[a-z]+_[0-9]/))
		room = substr(name, 1, RLENGTH - 2)
	number = name
	sub(/^[a-z]*_?/, "", number)
	number += 0
	if (number != ++last[room])
		fail("expected number " last[room])
	if (!(room in text))
		rooms[++count] = room
	text[room] = text[room] (number > 1 ? ",\n" : "")
}

{
	line = $0
	if (index(line, "\\"))
		fail("a backslash, which no SQL needs")
	gsub(/"/, "\\\"", line)
	gsub(/\t/, "\\t", line)
	text[room] = text[room] "\t\"" line "\\n\"\n"
}

END {
	if (failed)
		exit 1
	print "/* Made by sql/embed.awk from sql/; not to be edited. */"
	for (i = 1; i <= count; i++) {
		printf "\nconst char *const migrate_steps_%s[] = {\n%s", \
		    rooms[i], text[rooms[i]]
		print "\t, NULL\n};"
	}
}
