#!/bin/bash
# run.sh [--all] [PART...]: runs the tests and counts them. `make test` comes
# here once everything is built.
#
# A PART is `unit`, unit/NAME, or the name of a bats file (`config`, or
# `config:mount` for one of its transports); without one all are run. A bats
# file with the line `# transports: standalone mount cgi` is run once for
# each. `containers` is what stands in tests/containers: it wants an engine,
# which CI (CI=true) brings up itself. BUILD is the folder of the programs
# (build, or build/asan). --all also runs what needs more than Debian's
# packages of `make deps`, and the containers.
#
# V=1 shows each test; else what failed and what was skipped. The last line
# is `N passed, N failed, N skipped`; the exit status says whether none
# failed.
set -u

cd "$(dirname "$0")/.." || exit
BUILD=${BUILD:-build}
export BIN=$PWD/$BUILD/bin OTHER=$PWD/$BUILD/tests/other.fcgi
export ALL=''
# What the tests are given, they are given here: no setting of the caller.
unset STATE_DIR BASE_PATH DB_PATH API_KEY PORT BIND_ADDRESS TRANSPORT
passed=0 failed=0 skipped=0 since=0

# tap_count FILE STATUS: adds the file's results and shows what matters.
tap_count()
{
	local counts ok not_ok skip died bad
	counts=$(awk -v status="$2" '
	/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0 }
	/^ok .*# *[sS][kK][iI][pP]/ { skip++; next }
	/^ok / { ok++ }
	/^not ok / { bad++ }
	END {
		died = plan - ok - bad - skip
		if (died < 1)
			died = status != 0 && !bad
		print ok + 0, bad + 0, skip + 0, died
	}' "$1")
	read -r ok not_ok skip died <<<"$counts"
	passed=$((passed + ok))
	failed=$((failed + not_ok + died))
	skipped=$((skipped + skip))
	bad=$((not_ok + died))
	printf '%4d ok' "$ok"
	[ $bad = 0 ] || printf ', %d FAILED' $bad
	[ "$skip" = 0 ] || printf ', %d skipped' "$skip"
	printf ', %d s\n' $((SECONDS - since))
	if [ "${V:-0}" != 0 ]; then
		cat "$1"
	else
		awk '/^not ok / { show = 1; print "    " $0; next }
		    /^ok .*# *[sS][kK][iI][pP]/ { print "    " $0 }
		    /^ok |^1\.\./ { show = 0 }
		    /^# size / { sub(/^# size /, "    "); print; next }
		    show && /^#/ { print "    " $0 }' "$1"
	fi
	if [ "$died" -gt 0 ]; then
		echo "    $died of it did not come to an end (status $2):"
		[ "$not_ok" -gt 0 ] || tail -n 20 "$1" | sed 's/^/    | /'
	fi
}

run_unit()
{
	since=$SECONDS
	printf '  UNIT   %-28s' "$1"
	timeout -k 10 300 "$BUILD/unit/$1" >"$temp/tap" 2>"$temp/err" </dev/null
	local status=$?
	[ $status = 0 ] || sed 's/^/# /' "$temp/err" >>"$temp/tap"
	tap_count "$temp/tap" $status
}

run_bats()
{
	local file=tests/bats/$1.bats
	case $1 in containers/*) file=tests/$1.bats ;; esac
	since=$SECONDS
	printf '  BATS   %-28s' "$1${2:+ ($2)}"
	TRANSPORT=${2:-standalone} timeout -k 30 1200 \
	    bats --tap "$file" >"$temp/tap" 2>&1 </dev/null
	tap_count "$temp/tap" $?
}

# run_containers [NAME]: the images that were built go with them.
run_containers()
{
	local file name
	if [ "${CI:-}" = true ]; then
		DOCKER_HOST=$(tests/containers/engine up "$temp/engine")
		export DOCKER_HOST
	fi
	# In CI the tests are run all the same, and fail.
	if [ "${CI:-}" != true ] && ! tests/containers/engine ask; then
		echo "  BATS   containers: skipped, no container engine answers"
		skipped=$((skipped + 1))
		return
	fi
	export DCM_TAG=test$$
	for file in tests/containers/*.bats; do
		name=$(basename "$file" .bats)
		[ "${1:-$name}" != "$name" ] || run_bats "containers/$name"
	done
	for name in controller agent worker; do
		docker rmi -f "dcm-$name:$DCM_TAG"
	done >/dev/null 2>&1
	tests/containers/engine down "$temp/engine"
	unset DOCKER_HOST DCM_TAG
}

run_part()
{
	local part=$1 name way
	case $part in
	unit)
		for name in tests/unit/*.c; do
			run_unit "$(basename "$name" .c)"
		done
		return
		;;
	unit/*)
		run_unit "${part#unit/}"
		return
		;;
	containers | containers/*)
		part=${part#containers}
		run_containers "${part#/}"
		return
		;;
	esac
	name=${part%%:*}
	[ -e "tests/bats/$name.bats" ] || {
		echo "run.sh: there is no part \"$part\"" >&2
		exit 2
	}
	if [ "$name" != "$part" ]; then
		run_bats "$name" "${part#*:}"
		return
	fi
	way=$(sed -n 's/^# transports: *//p' "tests/bats/$name.bats")
	if [ -z "$way" ]; then
		run_bats "$name"
	fi
	for way in $way; do
		run_bats "$name" "$way"
	done
}

if [ "${1:-}" = --all ]; then
	ALL=1
	shift
fi
temp=$(mktemp -d)
trap 'tests/containers/engine down "$temp/engine"; rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM
if [ $# -gt 0 ]; then
	for part; do
		run_part "$part"
	done
else
	# openapi comes last: it asks what the others exercised.
	export EXERCISED=$temp/exercised
	: >"$EXERCISED"
	run_part unit
	for file in tests/bats/*.bats; do
		name=$(basename "$file" .bats)
		[ "$name" = openapi ] || run_part "$name"
	done
	run_part openapi
	[ -z "$ALL" ] || run_part containers
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
