#!/bin/bash
# readme.sh: prints README.md with its tables of settings as the programs
# print them now. `make readme` writes that back; the tests compare.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN:-$top/build/bin}
awk -v bin="$bin" '
/^<!-- settings: / {
	print
	command = bin "/" $3 " --help-markdown"
	while ((command | getline row) > 0)
		print row
	if (close(command) != 0) {
		print "readme.sh: " command " failed" >"/dev/stderr"
		exit 1
	}
	skip = 1
	next
}
/^<!-- end -->/ { skip = 0 }
!skip { print }' "$top/README.md"
