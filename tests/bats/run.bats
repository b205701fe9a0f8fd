# run.bats: `make run`, as a newcomer meets it.

load helper

setup()
{
	house=$(mktemp -d)
	unset CONTROLLER_PORT AGENT_PORT WORKER_PORT
}

# Whatever a test left behind, by the sessions that it started.
teardown()
{
	local file pid
	for file in "$dir"/session.*; do
		[ -e "$file" ] || continue
		for pid in $(session_pids "$(cat "$file")"); do
			kill -s KILL "$pid" 2>/dev/null
		done
		rm -f "$file"
	done
	rm -rf "$house"
}

# make_run NAME [NAME=value ...]: in a session of its own, on free ports;
# output in $house/NAME.log. Sets ports_NAME.
make_run()
{
	local name=$1 ports
	shift
	ports="CONTROLLER_PORT=$(port_free) AGENT_PORT=$(port_free)"
	ports+=" WORKER_PORT=$(port_free)"
	make_run_at "$name" "$ports" "$@"
}

make_run_at()
{
	local name=$1 ports=$2
	shift 2
	declare -g "ports_$name=$ports"
	rm -f "$house/$name.log"
	# shellcheck disable=SC2086	# three words
	setsid env --default-signal=INT -u MAKEFLAGS -u MAKELEVEL $ports \
	    STATE_DIR="$house/$name" ENV_FILE="$house/env" LOG_LEVEL=info \
	    ${tree:+"BIN=$tree/build/bin"} "$@" make --no-print-directory -C "${tree:-$top}" run \
	    </dev/null >"$house/$name.log" 2>&1 3>&- &
	echo $! >"$dir/session.$name"
	wait_until session_begun "$name"
}

port()
{
	local ports=ports_$1
	ports=${!ports#*"$2_PORT="}
	echo "${ports%% *}"
}

announced()
{
	grep -q 'Try in another terminal' "$house/$1.log"
}

# up NAME: waits until it has said where everything is.
up()
{
	wait_until -t 300 announced "$1" || {
		cat "$house/$1.log"
		return 1
	}
}

# The processes of a session that still live.
session_pids()
{
	local stat line words
	for stat in /proc/[0-9]*/stat; do
		read -r line 2>/dev/null <"$stat" || continue
		read -ra words <<<"${line##*) }"
		[ "${words[3]}" != "$1" ] || [ "${words[0]}" = Z ] ||
		    echo "${line%% *}"
	done 2>/dev/null
}

# Before setsid(2) it has no processes, as when it is over.
session_begun()
{
	local line words pid
	pid=$(cat "$dir/session.$1")
	read -r line 2>/dev/null <"/proc/$pid/stat" || return 0
	read -ra words <<<"${line##*) }"
	[ "${words[3]}" = "$pid" ]
}

session_over()
{
	[ -z "$(session_pids "$(cat "$dir/session.$1")")" ]
}

# over NAME: waits until nothing of it lives; else says what does.
over()
{
	wait_until session_over "$1" && return
	ps -o pid,ppid,stat,args -s "$(cat "$dir/session.$1")" >&2
	tail -n 20 "$house/$1.log" >&2
	return 1
}

# pid_of NAME PROGRAM: by what the session runs.
pid_of()
{
	local pid
	for pid in $(session_pids "$(cat "$dir/session.$1")"); do
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
		*"$2"*)
			echo "$pid"
			return
			;;
		esac
	done
	return 1
}

# secret NAME VARIABLE: from the credentials that were made.
secret()
{
	sed -n "s/^$2=//p" "$house/$1/credentials.env"
}

@test "it starts all three and prints lines that work as they stand" {
	make_run one
	up one
	grep -q "controller  http://127.0.0.1:$(port one CONTROLLER)" \
	    "$house/one.log"
	sed -n '/Try in another/,$p' "$house/one.log" |
	    sed -n 's/^  \([.c]\)/\1/p' | grep -E '^(\.|curl) ' >"$house/try"
	[ "$(wc -l <"$house/try")" = 4 ]
	# who types them is slower than an agent that registers
	registered()
	{
		curl -s "http://127.0.0.1:$(port one AGENT)/state" |
		    json_true .controller.registered
	}
	wait_until registered
	sed -i 's/^curl/curl -sf/; $d' "$house/try"
	sh -e "$house/try" >"$house/out"
	grep -q '"version":1' "$house/out"
	grep -q '"hostname"' "$house/out"
}

@test "a loopback target is allowed and its change is logged by name" {
	target_start
	echo hello >"$dir/target/hello.txt"
	make_run one DEFAULT_POLL_INTERVAL=1
	up one
	curl -sf -u "admin:$(secret one ADMIN_PASSWORD)" \
	    -d "{\"url\":\"$target/hello.txt\"}" \
	    "http://127.0.0.1:$(port one CONTROLLER)/config"
	hit()
	{
		[ "$(curl -sf "http://127.0.0.1:$(port one WORKER)/hit")" = hello ]
	}
	wait_until hit
	wait_until grep -q "^worker | .*version 1.*$target/hello.txt" \
	    "$house/one.log"
	programs_stop
}

@test "random credentials are kept in a file of mode 600 and never printed" {
	make_run one
	up one
	[ "$(stat -c %a "$house/one/credentials.env")" = 600 ]
	first=$(secret one ADMIN_PASSWORD)
	[ ${#first} -ge 32 ]
	for name in ADMIN_PASSWORD ADMIN_API_KEY AGENT_PASSWORD AGENT_API_KEY \
	    WORKER_API_KEY; do
		[ -n "$(secret one $name)" ]
		refute grep -q "$(secret one $name)" "$house/one.log"
		# Nor in the arguments of any process.
		refute grep -lq "$(secret one $name)" /proc/[0-9]*/cmdline
	done
	kill -s TERM -- "-$(cat "$dir/session.one")"
	over one
	make_run one
	up one
	[ "$(secret one ADMIN_PASSWORD)" = "$first" ]
	[ "$(grep -c ADMIN_PASSWORD "$house/one/credentials.env")" = 1 ]
}

# given_none PROGRAM PATTERN: it has no setting like that.
given_none()
{
	refute grep -zqE "^($2)_(USERNAME|PASSWORD|API_KEY)(_FILE)?=" \
	    "/proc/$(pid_of one "$1")/environ"
}

@test "no program is given another's credentials, nor where they are kept" {
	for name in admin_password agent_api_key worker_api_key; do
		echo "the-$name" >"$dir/$name"
	done
	make_run one ADMIN_USERNAME=admin \
	    ADMIN_PASSWORD_FILE="$dir/admin_password" \
	    AGENT_API_KEY_FILE="$dir/agent_api_key" \
	    WORKER_API_KEY_FILE="$dir/worker_api_key"
	up one
	given_none config.fcgi 'CONTROLLER|WORKER'
	given_none dcm-agent 'ADMIN|AGENT'
	given_none dcm-worker 'ADMIN|AGENT|CONTROLLER'
	# and each has its own
	base=http://127.0.0.1:$(port one CONTROLLER)
	curl -sf -u admin:the-admin_password "$base/agents"
	agent=http://127.0.0.1:$(port one AGENT)
	wait_until eval 'curl -s "$agent/state" |
	    json_true ".controller.registered and .worker.state == \"ok\""'
	curl -sf -H 'X-API-Key: the-worker_api_key' \
	    "http://127.0.0.1:$(port one WORKER)/tasks"
}

@test "a program that dies is started again while the others run on" {
	make_run one
	up one
	for program in dcm-worker dcm-agent; do
		old=$(pid_of one "bin/$program")
		web=$(pid_of one lighttpd)
		kill -s KILL "$old"
		another()
		{
			new=$(pid_of one "bin/$program") && [ "$new" != "$old" ]
		}
		wait_until another
		[ "$(pid_of one lighttpd)" = "$web" ]
	done
	kill -s KILL "$web"
	answers()
	{
		curl -sf "http://127.0.0.1:$(port one CONTROLLER)/health"
	}
	wait_until answers
	wait_until grep -q 'run: worker ended (status 137), again in 1 s' \
	    "$house/one.log"
}

@test "SIGTERM stops everything" {
	make_run one
	up one
	kill -s TERM "$(cat "$dir/session.one")"
	over one
}

@test "Ctrl-C stops everything" {
	make_run one
	up one
	kill -s INT -- "-$(cat "$dir/session.one")"
	over one
}

@test "kill -9 of make leaves nothing running" {
	make_run one
	up one
	kill -s KILL "$(cat "$dir/session.one")"
	over one
}

@test "kill -9 of the supervisor leaves nothing running" {
	make_run one
	up one
	kill -s KILL "$(pid_of one lib/run.sh)"
	over one
}

@test "two run at once with two state folders and ports" {
	make_run one
	make_run two
	up one
	up two
	for name in one two; do
		curl -sf -u "admin:$(secret $name ADMIN_PASSWORD)" \
		    -d "{\"url\":\"http://127.0.0.1/$name\"}" \
		    "http://127.0.0.1:$(port $name CONTROLLER)/config"
	done
	for name in one two; do
		curl -sf -u "admin:$(secret $name ADMIN_PASSWORD)" \
		    "http://127.0.0.1:$(port $name CONTROLLER)/config" |
		    grep "127.0.0.1/$name"
	done
}

@test "a second one on the same state folder is refused" {
	make_run one
	up one
	run env STATE_DIR="$house/one" make -C "$top" run
	[ "$status" != 0 ]
	[[ $output == *"STATE_DIR $house/one is in use"* ]]
}

@test "a port in use is refused with the setting's name" {
	target_start
	run env STATE_DIR="$house/one" CONTROLLER_PORT="$(port_free)" \
	    AGENT_PORT="$(port_free)" WORKER_PORT="${target##*:}" \
	    make -C "$top" run
	[ "$status" != 0 ]
	[[ $output == *"port ${target##*:} (WORKER_PORT) is in use"* ]]
	[[ $output == *"make run WORKER_PORT="* ]]
	programs_stop
}

@test "a wrong setting ends it with the setting's name" {
	make_run one LOG_LEVEL=loud
	wait_until -t 120 session_over one
	grep -q 'LOG_LEVEL.*loud' "$house/one.log"
	run env STATE_DIR="$house/two" AGENT_PORT=many make -C "$top" run
	[ "$status" != 0 ]
	[[ $output == *'AGENT_PORT is "many"'* ]]
}

@test "settings come from .env, the environment goes over it, PORT is not one" {
	cat >"$house/env" <<-'ENV'
	# a comment
	export ADMIN_USERNAME=root
	ADMIN_PASSWORD='quoted $HOME # secret'
	ADMIN_API_KEY="from-the-file"
	DEFAULT_POLL_INTERVAL=17   # seconds
	PORT=1
	ENV
	make_run one ADMIN_API_KEY=from-the-environment PORT=2
	up one
	base=http://127.0.0.1:$(port one CONTROLLER)
	# shellcheck disable=SC2016
	curl -sf -u 'root:quoted $HOME # secret' "$base/config" |
	    grep '"poll_interval_seconds":17'
	curl -sf -H 'X-API-Key: from-the-environment' "$base/config"
	refute curl -sf -H 'X-API-Key: from-the-file' "$base/config"
}

@test "a state folder with a long name and spaces works" {
	long=$house/$(printf 'a long name with spaces %.0s' 1 2 3 4 5)
	make_run one STATE_DIR="$long" BASE_PATH=/here
	up one
	curl -sf "http://127.0.0.1:$(port one CONTROLLER)/here/health"
	[ -e "$long/credentials.env" ]
	rm -rf "/tmp/dcm-$(id -u)-$(printf %s "$long" | sha256sum |
	    cut -c1-16)"
}

@test "an ordinary user can run it" {
	[ "$(id -u)" = 0 ] || skip "is one already: the other tests show it"
	chmod 755 "$house"
	# the user's own copy, where root's cannot be reached
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    test -r "$top/GNUmakefile" || {
		tree=$house/tree
		cp -a "$top" "$tree"
		chown -R 65534:65534 "$tree"
	}
	install -d -o 65534 -g 65534 "$house/home"
	ports="CONTROLLER_PORT=$(port_free) AGENT_PORT=$(port_free)"
	make_run_at one "$ports WORKER_PORT=$(port_free)" \
	    STATE_DIR="$house/home/state" HOME="$house/home" \
	    setpriv --reuid 65534 --regid 65534 --clear-groups
	up one
	[ "$(stat -c %u "$house/home/state/credentials.env")" = 65534 ]
	for pid in $(session_pids "$(cat "$dir/session.one")"); do
		[ "$(stat -c %u "/proc/$pid")" = 65534 ]
	done
}
