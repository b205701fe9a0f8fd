# table.bash: what every bench script stands on. At its head:
#
#	. "$(dirname "$0")/table.bash"
#
# It then is in the top folder, under `set -eu`, has an empty folder $dir that
# goes with it, and all of tests/bats/helper.bash: port_free, wait_until,
# program_start, program_stop, controller_start, agent_start, target_start,
# request … What program_start began is stopped at the end, by process id.
#
# A script measures, and calls bench_row for each line of the table, which is
# printed once at the end: by tests/bench.sh for all scripts, or by the script
# when it runs alone.
#
#	bench_row AREA WHAT OURS PEER UNIT AIM
#	bench_skip AREA WHAT WHY
#
# OURS and PEER are numbers of one unit, measured in the same run; PEER is -
# when there is none. AIM is "x<=1.6" or "x>=2" for the ratio ours / peer,
# "<=25" or ">=30000" for ours, or - for a number that is only told. Rows of
# one area stand together.
set -eu

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$bench_dir/../.."
BUILD=${BUILD:-build}
export BIN=$PWD/$BUILD/bin TRANSPORT=standalone
BATS_TEST_DIRNAME=$bench_dir/../bats
BATS_FILE_TMPDIR=$(mktemp -d)
# shellcheck source=tests/bats/helper.bash
. "$BATS_TEST_DIRNAME/helper.bash"
: >"$dir/bench.log"

# Whoever comes first prints the rows of all that it runs.
bench_prints=''
if [ -z "${BENCH_ROWS:-}" ]; then
	export BENCH_ROWS=$dir/rows
	: >"$BENCH_ROWS"
	bench_prints=1
fi

bench_end()
{
	local status=$?
	trap - EXIT
	programs_stop || status=1
	[ -z "$bench_prints" ] || bench_print
	rm -rf "$dir"
	exit "$status"
}
trap bench_end EXIT
trap 'exit 1' HUP INT TERM

# --- rows -------------------------------------------------------------------

bench_row()
{
	if [ $# != 6 ]; then
		echo "bench_row: AREA WHAT OURS PEER UNIT AIM, not $*" >&2
		return 2
	fi
	awk -v area="$1" -v what="$2" -v ours="$3" -v peer="$4" -v unit="$5" \
	    -v aim="$6" '
	function sane(n) { return n ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ }
	BEGIN {
		if (!sane(ours) || (peer != "-" && !sane(peer)) ||
		    aim !~ /^(-|x?[<>]=[0-9.]+)$/ ||
		    (aim ~ /^x/ && (peer == "-" || peer == 0))) {
			print "bench_row: what is", what, ours, peer, unit, \
			    aim "?" >"/dev/stderr"
			exit 2
		}
		ratio = peer == "-" || peer == 0 ? "-" : ours / peer
		holds = "-"
		if (aim != "-") {
			value = aim ~ /^x/ ? ratio : ours + 0
			bound = aim
			sub(/^x?[<>]=/, "", bound)
			holds = (aim ~ /</ ? value <= bound + 0 : \
			    value >= bound + 0) ? "yes" : "NO"
		}
		OFS = "\t"
		print area, what, ours, peer, unit, ratio, aim, holds
	}' >>"$BENCH_ROWS" || return
	[ ! -t 2 ] || echo "measured: $1: $2" >&2
}

bench_skip()
{
	printf '%s\t%s\t-\t-\t\t-\t-\tnot run: %s\n' "$1" "$2" "$3" \
	    >>"$BENCH_ROWS"
	echo "not run: $1: $2: $3" >&2
}

# bench_say TEXT...: progress, on a terminal only.
bench_say()
{
	[ ! -t 2 ] || echo "$*" >&2
}

# --- numbers ----------------------------------------------------------------

# bench_tree PID...: them and all their living descendants.
bench_tree()
{
	local pid children
	for pid; do
		echo "$pid"
		children=$(pgrep -P "$pid") || continue
		# shellcheck disable=SC2086	# a list
		bench_tree $children
	done
}

# bench_cpu PID...: microseconds of processor time, user and system, of these
# processes and of their descendants that live.
bench_cpu()
{
	local pid
	bench_tree "$@" | while read -r pid; do
		sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null || :
	done | awk -v hz="$(getconf CLK_TCK)" \
	    '{ n += $12 + $13 } END { printf "%.0f\n", n / hz * 1e6 }'
}

# bench_memory PID...: KiB in memory of these and their descendants; pages
# that several share are divided among them.
bench_memory()
{
	local pid
	bench_tree "$@" | while read -r pid; do
		cat "/proc/$pid/smaps_rollup" 2>/dev/null || :
	done | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}

# bench_median: of the numbers on standard input, one a line.
bench_median()
{
	sort -g | awk '{ n[NR] = $1 } END {
		print NR % 2 ? n[(NR + 1) / 2] : (n[NR / 2] + n[NR / 2 + 1]) / 2
	}'
}

# bench_repeat COUNT COMMAND...: the median of what it prints, run by run.
bench_repeat()
{
	local i count=$1
	shift
	for ((i = 0; i < count; i++)); do
		"$@"
	done | bench_median
}

# bench_calc EXPRESSION: what awk makes of it.
bench_calc()
{
	awk "BEGIN { printf \"%.6g\\n\", ${1//$'\n'/ } }"
}

# --- the table --------------------------------------------------------------

# The date and the machine's shape, without its name.
bench_machine()
{
	local model memory
	model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	memory=$(awk '/^MemTotal:/ { printf "%.0f GiB", $2 / 1048576 }' \
	    /proc/meminfo)
	echo "$(date -u +%F), $(nproc) cores (${model:-unknown processor})," \
	    "$memory of memory, Linux $(uname -r | cut -d- -f1)"
}

# bench_table plain|markdown: $BENCH_ROWS in its last form.
bench_table()
{
	awk -F '\t' -v shape="$1" '
	function number(n) {
		if (n == "-" || n == "")
			return n
		return sprintf(n == int(n) || n >= 1000 ? "%.0f" : \
		    n >= 100 ? "%.0f" : n >= 10 ? "%.1f" : "%.2f", n)
	}
	function cell(row, column, text) {
		cells[row, column] = text
		if (length(text) > wide[column])
			wide[column] = length(text)
	}
	function line(row, first,    i, text, blank) {
		text = sprintf("%-*s", wide[1], cells[row, 1])
		for (i = 2; i <= 7; i++)
			text = text "  " sprintf(i == 4 || i == 7 ? \
			    "%-*s" : "%*s", wide[i], cells[row, i])
		sub(/ +$/, "", text)
		print "  " text
	}
	BEGIN {
		split("what,ours,peer,unit,ratio,aim,holds", head, ",")
		for (i = 1; i <= 7; i++)
			cell(0, i, head[i])
	}
	{
		if (!($1 in seen)) {
			seen[$1] = 1
			areas[++count] = $1
		}
		area[NR] = $1
		cell(NR, 1, $2)
		cell(NR, 2, number($3))
		cell(NR, 3, number($4))
		cell(NR, 4, $5)
		cell(NR, 5, $6 == "-" ? "-" : sprintf("%.2f", $6))
		aim = $7
		sub(/^x/, "ratio ", aim)
		sub(/=/, "= ", aim)
		cell(NR, 6, aim)
		cell(NR, 7, $8)
	}
	END {
		if (shape == "markdown") {
			print "| what | ours | peer | unit | ratio | aim |" \
			    " holds |"
			print "|---|--:|--:|---|--:|--:|---|"
		} else
			line(0)
		for (a = 1; a <= count; a++) {
			print shape == "markdown" ? "| **" areas[a] \
			    "** | | | | | | |" : areas[a]
			for (i = 1; i <= NR; i++) {
				if (area[i] != areas[a])
					continue
				if (shape != "markdown") {
					line(i)
					continue
				}
				text = "|"
				for (j = 1; j <= 7; j++)
					text = text " " cells[i, j] " |"
				print text
			}
		}
	}' "$BENCH_ROWS"
}

bench_print()
{
	echo
	bench_machine
	echo
	bench_table plain
}
