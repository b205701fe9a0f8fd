#!/bin/bash
# bench.sh [--readme] [PART...]: runs the measurements, tests/bench/PART.sh,
# one after another, and prints one table of what they found. `make bench`
# comes here once everything is built.
#
# The table is kept in build/bench/table.md. --readme measures nothing: it
# prints README.md with the table that was kept last, between the lines
# `<!-- bench -->` and `<!-- end -->`.
set -eu

parts=("$@")
if [ "${1:-}" = --readme ]; then
	cd "$(dirname "$0")/.."
	awk -v table="${BUILD:-build}/bench/table.md" '
	/^<!-- bench -->/ {
		print
		while ((got = getline row <table) > 0)
			print row
		if (got < 0) {
			print "bench.sh: run make bench first" >"/dev/stderr"
			exit 1
		}
		skip = 1
		next
	}
	/^<!-- end -->/ { skip = 0 }
	!skip { print }' README.md
	exit
fi
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/bench/table.bash"

if [ ${#parts[@]} = 0 ]; then
	for part in tests/bench/*.sh; do
		parts+=("$(basename "$part" .sh)")
	done
fi
for part in "${parts[@]}"; do
	[ -x "tests/bench/$part.sh" ] || {
		echo "bench.sh: there is no tests/bench/$part.sh" >&2
		exit 2
	}
done
failed=0
for part in "${parts[@]}"; do
	since=$SECONDS
	printf '  BENCH  %-20s' "$part"
	if setpriv --pdeathsig TERM "tests/bench/$part.sh" \
	    2>"$dir/$part.err" >"$dir/$part.out"; then
		echo "$((SECONDS - since)) s"
	else
		echo "FAILED"
		tail -n 20 "$dir/$part.out" "$dir/$part.err" | sed 's/^/    /'
		bench_skip "$part" "all of it" "it failed" 2>/dev/null
		failed=1
	fi
	grep '^not run: ' "$dir/$part.err" | sed 's/^/    /' || :
done
mkdir -p "$BUILD/bench"
{
	echo "Measured on $(bench_machine):"
	echo
	bench_table markdown
} >"$BUILD/bench/table.md"
exit $failed
