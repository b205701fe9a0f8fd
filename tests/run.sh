#!/bin/bash
# run.sh [--all] [PART...]: runs the tests and counts them. `make test` comes
# here once everything is built.
#
# A PART is `unit`, unit/NAME, or the name of a bats file (`agent_poll`, or
# `controller_config:mount` for one of its transports); without one all are
# run. A bats file with the line `# transports: standalone mount cgi` is run
# once for each; `# transports of --all:` names those that need other web
# servers.
# `containers` is what stands in tests/containers: it wants an engine, which
# CI (CI=true) brings up itself. BUILD is the folder of the programs (build,
# or build/asan). --all also runs what needs more than Debian's packages of
# `make deps`, and the containers.
#
# JOBS parts run at once (6: they mostly wait). WAYS names the transports to
# run (all), LEAVE the bats files to leave out.
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
JOBS=${JOBS:-6} WAYS=${WAYS:-} LEAVE=${LEAVE:-}

# tap_count FILE STATUS: shows what matters of the file's results, and writes
# their numbers to FILE.counts.
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
	bad=$((not_ok + died))
	echo "$ok $bad $skip" >"$1.counts"
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

# timeout is a process group of its own, and is to end with the part.
bounded()
{
	setpriv --pdeathsig TERM timeout -k 30 "$@" </dev/null
}

run_unit()
{
	local tap=$temp/unit.$1 since=$SECONDS status
	bounded 1200 "$BUILD/unit/$1" >"$tap" 2>"$tap.err"
	status=$?
	[ $status = 0 ] || sed 's/^/# /' "$tap.err" >>"$tap"
	printf '  UNIT   %-28s%s\n' "$1" "$(tap_count "$tap" $status)"
}

run_bats()
{
	local file=tests/bats/$1.bats tap=$temp/bats.${1//\//-}.${2:-} status
	local since=$SECONDS
	case $1 in containers/*) file=tests/$1.bats ;; esac
	TRANSPORT=${2:-standalone} bounded 3600 bats --tap "$file" \
	    >"$tap" 2>&1
	status=$?
	printf '  BATS   %-28s%s\n' "$1${2:+ ($2)}" \
	    "$(tap_count "$tap" $status)"
}

# part_start COMMAND…: beside those that run, when there is room.
part_start()
{
	while [ "$(jobs -pr | wc -l)" -ge "$JOBS" ]; do
		wait -n
	done
	"$@" &
}

# run_containers [NAME]: the images that were built go with them.
run_containers()
{
	local file name
	if [ "${CI:-}" = true ]; then
		DOCKER_HOST=$(bounded 900 \
		    tests/containers/engine up "$temp/engine")
		export DOCKER_HOST
	fi
	# In CI the tests are run all the same, and fail.
	if [ "${CI:-}" != true ] && ! tests/containers/engine ask; then
		echo "  BATS   containers: skipped, no container engine answers"
		echo 0 0 1 >"$temp/containers.counts"
		return
	fi
	export DCM_TAG=test$$
	for file in tests/containers/*.bats; do
		name=$(basename "$file" .bats)
		[ "${1:-$name}" != "$name" ] || run_bats "containers/$name"
	done
	for name in controller agent worker redis nats; do
		docker rmi -f "dcm-$name:$DCM_TAG"
	done >/dev/null 2>&1
	tests/containers/engine down "$temp/engine"
	unset DOCKER_HOST DCM_TAG
}

# transports_of NAME [" of --all"]: the transports that the file asks for.
transports_of()
{
	sed -n "s/^# transports${2:-}: *//p" "tests/bats/$1.bats"
}

run_part()
{
	local part=$1 name way ways more
	case $part in
	unit)
		for name in tests/unit/*.c; do
			part_start run_unit "$(basename "$name" .c)"
		done
		return
		;;
	unit/*)
		part_start run_unit "${part#unit/}"
		return
		;;
	containers | containers/*)
		part=${part#containers}
		# one after the other: there is one engine
		[ -z "$containers" ] || wait "$containers"
		part_start run_containers "${part#/}"
		containers=$!
		return
		;;
	esac
	name=${part%%:*}
	[ -e "tests/bats/$name.bats" ] || {
		echo "run.sh: there is no part \"$part\", but unit," \
		    "unit/NAME, containers, and" tests/bats/*.bats |
		    sed 's/tests.bats.//g; s/\.bats\>//g' | fmt >&2
		exit 2
	}
	if [ "$name" != "$part" ]; then
		part_start run_bats "$name" "${part#*:}"
		return
	fi
	ways=$(transports_of "$name")
	more=$(transports_of "$name" ' of --all')
	if [ -z "$ways$more" ]; then
		part_start run_bats "$name"
	fi
	if [ -n "$more" ] && [ -z "$ALL" ]; then
		printf '  BATS   %-28s%s\n' "$name" \
		    "skipped with ${more// /, }: for make test-all"
		echo 0 0 1 >"$temp/$name.more.counts"
		more=
	fi
	for way in $ways $more; do
		case " ${WAYS:-$way} " in *" $way "*)
			part_start run_bats "$name" "$way" ;;
		esac
	done
}

if [ "${1:-}" = --all ]; then
	ALL=1
	shift
fi
temp=$(mktemp -d) begun='' containers=''
run_end()
{
	local part
	for part in $(jobs -pr); do
		kill "$part" 2>/dev/null
	done
	wait
	tests/containers/engine down "$temp/engine"
	rm -rf "$temp"
}
trap run_end EXIT
trap 'exit 1' HUP INT TERM
if [ $# -gt 0 ]; then
	for part; do
		run_part "$part"
	done
else
	# openapi comes last: it asks what the others exercised.
	export EXERCISED=$temp/exercised
	: >"$EXERCISED"
	# The longest first: the others end beside it.
	[ -z "$ALL" ] || run_part containers
	run_part unit
	for file in tests/bats/{shuffle,worker_tasks}.bats tests/bats/*.bats; do
		name=$(basename "$file" .bats)
		case " openapi $LEAVE $begun " in
		*" $name "*) continue ;;
		esac
		begun+=" $name"
		run_part "$name"
	done
	wait
	case " $LEAVE " in *" openapi "*) ;; *) run_part openapi ;; esac
fi
wait
echo
cat "$temp"/*.counts | awk '
{ passed += $1; failed += $2; skipped += $3 }
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || passed == 0
}'
