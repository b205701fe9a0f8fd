#!/bin/bash
# run.sh [PROGRAM...]: controller, agent and worker on this machine, in the
# foreground. `make run` comes here once everything is built.
#
# Settings come from the environment, then from .env. A program that dies is
# started again with backoff while the others run on. SIGTERM or Ctrl-C stops
# everything, and the kernel does so when this script is killed: every
# program asks for a signal at its parent's death.
#
# Refuses to start twice on one STATE_DIR, or on a port that is taken.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN:-$top/build/bin}

run_say()
{
	echo "run: $*" >&"$err"
}

run_fail()
{
	run_say "$*"
	exit 1
}

# run_read FILE: NAME=value lines become environment, where the name has no
# value yet. Nothing in the file is executed.
run_read()
{
	local line name value number=0
	local pair='^[[:space:]]*(export[[:space:]]+)?([A-Za-z_]\w*)=(.*)$'
	[ -e "$1" ] || return 0
	[ -r "$1" ] || run_fail "$1 cannot be read"
	while IFS= read -r line || [ -n "$line" ]; do
		number=$((number + 1))
		[[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
		[[ $line =~ $pair ]] ||
		    run_fail "$1, line $number: not NAME=value"
		name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
		if [[ $value =~ ^\'([^\']*)\'[[:space:]]*$ ]] ||
		    [[ $value =~ ^\"([^\"]*)\"[[:space:]]*$ ]]; then
			value=${BASH_REMATCH[1]}
		else
			value=${value%%[[:space:]]#*}
			value=${value%"${value##*[![:space:]]}"}
		fi
		[ -n "${!name:-}" ] || export "$name=$value"
	done <"$1"
}

# --- settings ---------------------------------------------------------------

run_state()
{
	umask 077
	STATE_DIR=${STATE_DIR:-$top/var}
	mkdir -p "$STATE_DIR" || run_fail "STATE_DIR $STATE_DIR cannot be made"
	STATE_DIR=$(cd "$STATE_DIR" && pwd)
	[ -w "$STATE_DIR" ] ||
	    run_fail "STATE_DIR $STATE_DIR cannot be written"
	export STATE_DIR
	exec {lock}>"$STATE_DIR/run-$1.lock"
	flock -n "$lock" || run_fail "STATE_DIR $STATE_DIR is in use by" \
	    "another make run: stop it, or set another STATE_DIR"
}

run_random()
{
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# run_has NAME...: whether one of them, or its NAME_FILE, has a value.
run_has()
{
	local name file
	for name; do
		file=${name}_FILE
		[ -z "${!name:-}${!file:-}" ] || return 0
	done
	return 1
}

# Random credentials where none are set: made once, kept in a file.
run_credentials()
{
	local file=$STATE_DIR/credentials.env role
	run_read "$file"
	{
		for role in ADMIN AGENT; do
			run_has ${role}_PASSWORD ${role}_API_KEY API_KEY ||
			    printf '%s=%s\n' ${role}_USERNAME "${role,,}" \
				${role}_PASSWORD "$(run_random)" \
				${role}_API_KEY "$(run_random)"
		done
		run_has WORKER_API_KEY ||
		    echo "WORKER_API_KEY=$(run_random)"
	} >"$file.new"
	if [ -s "$file.new" ]; then
		[ -e "$file" ] || echo "# made by make run; for the shell and" \
		    "for --config" >"$file"
		cat "$file.new" >>"$file"
		chmod 600 "$file"
		run_read "$file"
	fi
	rm -f "$file.new"
	run_has CONTROLLER_API_KEY CONTROLLER_PASSWORD && return
	# The agent here is one of the fleet.
	local name file_name
	for name in API_KEY USERNAME PASSWORD; do
		file_name=AGENT_${name}_FILE
		[ -z "${!file_name:-}" ] ||
		    export "CONTROLLER_${name}_FILE=${!file_name}"
		file_name=AGENT_$name
		[ -z "${!file_name:-}" ] ||
		    export "CONTROLLER_$name=${!file_name}"
	done
}

# run_port NAME: valid, and free.
run_port()
{
	local value=${!1}
	case $value in
	'' | *[!0-9]* | ??????* | 0)
		run_fail "$1 is \"$value\", not 1 to 65535" ;;
	esac
	[ "$value" -le 65535 ] || run_fail "$1 is \"$value\", not 1 to 65535"
	! run_open "$value" || run_fail "port $value ($1) is in use:" \
	    "stop what listens there, or choose another:" \
	    "make run $1=$((value + 100))"
}

run_open()
{
	(exec 9<>"/dev/tcp/$host/$1") 2>/dev/null
}

run_settings()
{
	local name
	unset PORT			# one name for three programs
	run_read "${ENV_FILE:-.env}"
	unset PORT
	run_state "${programs[0]}"
	run_credentials
	export CONTROLLER_PORT="${CONTROLLER_PORT:-8080}"
	export AGENT_PORT="${AGENT_PORT:-8081}"
	export WORKER_PORT="${WORKER_PORT:-8082}"
	host=${BIND_ADDRESS:-127.0.0.1}
	case $host in 0.0.0.0 | ::) host=127.0.0.1 ;; esac
	at=$host
	case $host in *:*) at="[$host]" ;; esac
	for name in "${programs[@]}"; do
		run_port "${name^^}_PORT"
	done
	name="$CONTROLLER_PORT, $AGENT_PORT and $WORKER_PORT"
	[ "$(tr -dc '0-9 ' <<<"$name" | xargs -n1 | sort -u | wc -l)" = 3 ] ||
	    run_fail "CONTROLLER_PORT, AGENT_PORT and WORKER_PORT are $name:" \
		"not three ports"
	root=${BASE_PATH:-}
	root=http://$at:$CONTROLLER_PORT${root%/}
	export CONTROLLER_URL="${CONTROLLER_URL:-$root}"
	export WORKER_URL="${WORKER_URL:-http://$at:$WORKER_PORT}"
	export ALLOW_CIDR="${ALLOW_CIDR:-127.0.0.0/8,::1/128}"
}

# --- the programs -----------------------------------------------------------

# Nobody is given another's credentials. The names are those of the settings,
# each of which may have a NAME_FILE beside it.
run_exec()
{
	local admin=(ADMIN_USERNAME ADMIN_PASSWORD ADMIN_API_KEY)
	local agent=(AGENT_USERNAME AGENT_PASSWORD AGENT_API_KEY)
	local up=(CONTROLLER_USERNAME CONTROLLER_PASSWORD CONTROLLER_API_KEY)
	local others name without=()
	case $1 in
	controller) others=("${up[@]}" WORKER_API_KEY) ;;
	agent) others=("${admin[@]}" "${agent[@]}") ;;
	worker) others=("${admin[@]}" "${agent[@]}" "${up[@]}" API_KEY) ;;
	esac
	for name in "${others[@]}"; do
		without+=(-u "$name" -u "${name}_FILE")
	done
	case $1 in
	controller) set -- DCM_BIN="$bin" "$top/lighttpd/run.sh" ;;
	*) set -- "$bin/dcm-$1" ;;
	esac
	exec setpriv --pdeathsig TERM env "${without[@]}" "$@"
}

# A program's lines begin with its name. The sed outlives every start of the
# program, and ends when nobody can write to it any more.
run_pipe()
{
	local fd
	exec {fd}> >(
		trap '' HUP INT TERM
		exec {lock}>&- sed -u "s/^/$1 | /" >&"$err"
	)
	pipes[$1]=$fd
}

run_start()
{
	local name=$1 fd
	(
		exec >&"${pipes[$name]}" 2>&1 {lock}>&- {never}>&- {err}>&-
		for fd in "${pipes[@]}"; do
			exec {fd}>&-
		done
		run_exec "$name"
	) </dev/null &
	pids[$name]=$!
	since[$name]=$SECONDS
	due[$name]=
}

# run_ended NAME STATUS: when to start it again. One that refuses to start at
# the very beginning ends everything: its settings are wrong.
run_ended()
{
	local name=$1 status=$2 delay=${delays[$1]}
	unset "pids[$name]"
	[ -z "$stopping" ] || return 0
	if [ $((SECONDS - since[$name])) -ge 30 ]; then
		delay=1
	elif [ -z "$announced" ] && [ "$status" -lt 128 ]; then
		run_say "$name would not start (status $status)"
		failed=1
		stopping=1
		return
	fi
	run_say "$name ended (status $status), again in $delay s"
	due[$name]=$((SECONDS + delay))
	delay=$((delay * 2))
	[ "$delay" -le 30 ] || delay=30
	delays[$name]=$delay
}

run_turn()
{
	local name status
	for name in "${programs[@]}"; do
		if [ -n "${pids[$name]:-}" ]; then
			kill -0 "${pids[$name]}" 2>/dev/null && continue
			wait "${pids[$name]}"
			status=$?
			run_ended "$name" "$status"
		elif [ -z "$stopping" ] && [ -n "${due[$name]:-}" ] &&
		    [ "$SECONDS" -ge "${due[$name]}" ]; then
			run_start "$name"
		fi
	done
}

run_stop()
{
	local name end=$((SECONDS + 12)) signal=TERM
	while [ "${#pids[@]}" -gt 0 ]; do
		for name in "${!pids[@]}"; do
			[ -z "$signal" ] ||
			    kill -s $signal "${pids[$name]}" 2>/dev/null
		done
		signal=
		[ "$SECONDS" -lt "$end" ] || signal=KILL
		read -rt 0.1 -u "$never"
		run_turn
	done
}

# The controller goes first, so that the others need not try twice.
run_ahead()
{
	local end=$((SECONDS + 5))
	until [ -n "$stopping" ] || [ "$SECONDS" -ge "$end" ] ||
	    run_open "$CONTROLLER_PORT"; do
		read -rt 0.05 -u "$never"
		run_turn
	done
}

# --- what to try ------------------------------------------------------------

run_up()
{
	local name port
	for name in "${programs[@]}"; do
		port=${name^^}_PORT
		run_open "${!port}" || return 1
	done
}

run_announce()
{
	local who file=$STATE_DIR/credentials.env
	announced=1
	case " ${programs[*]} " in *' controller '*) ;; *) return ;; esac
	if [ -n "${ADMIN_PASSWORD:-}" ]; then
		# shellcheck disable=SC2016	# for the reader's shell
		who='-u "$ADMIN_USERNAME:$ADMIN_PASSWORD"'
	else
		# shellcheck disable=SC2016
		who='-H "X-API-Key: $ADMIN_API_KEY"'
	fi
	cat >&"$err" <<-TEXT

	controller  $root
	            $root/docs shows what can be asked of it
	agent       http://$at:$AGENT_PORT
	worker      http://$at:$WORKER_PORT

	Try in another terminal (Ctrl-C here stops everything):

	  . $(printf %q "$file")
	  curl $who -d '{"url":"https://ip.me"}' $root/config
	  curl $who $root/agents
	  curl http://$at:$WORKER_PORT/hit

	TEXT
}

# --- main -------------------------------------------------------------------

exec {err}>&2
programs=("$@")
[ $# -gt 0 ] || programs=(controller agent worker)
for name in "${programs[@]}"; do
	case $name in
	controller | agent | worker) ;;
	*) run_fail "there is no program \"$name\"" ;;
	esac
	[ -x "$bin/dcm-$name" ] ||
	    run_fail "there is no $bin/dcm-$name: run 'make' first"
done
declare -A pids pipes since due delays
lock='' never='' host='' at='' root='' stopping='' announced='' failed=0
run_settings
# A descriptor that never has a byte: reading it is a sleep without a process.
exec {never}<> <(:)
trap 'stopping=1' HUP INT TERM
for name in "${programs[@]}"; do
	delays[$name]=1
	run_pipe "$name"
done
# bash would report every death a second time, with this script's own lines.
exec 2>/dev/null
for name in "${programs[@]}"; do
	[ -n "$stopping" ] || run_start "$name"
	[ "$name" != controller ] || run_ahead
done
while [ -z "$stopping" ]; do
	run_turn
	[ -n "$announced" ] || ! run_up || run_announce
	[ -n "$stopping" ] || read -rt 0.2 -u "$never"
done
run_stop
for fd in "${pipes[@]}"; do
	exec {fd}>&-
done
wait
exit $failed
