# helper.bash: what every bats file stands on. `load helper` at its head.
#
# A file that needs the controller says in setup_file:
#
#	controller_start [NAME=value ...]
#
# and calls `request`. It then runs in several ways with the same assertions,
# by TRANSPORT: standalone and mount have the fast path where lighttpd has
# mod_magnet; slow is standalone without it; cgi; in watch, watch.fcgi answers
# for all.
#
# Nothing here knows a fixed port, and nothing outlives bats. A program dies
# with the process that started it: what several tests use is started in
# setup_file. With PROGRAMS_STAY=1 (exported in setup_file) it runs until it is
# stopped, or bats is gone.

top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
bin=${BIN:-$top/build/bin}
case $bin in /*) ;; *) bin=$top/$bin ;; esac
dir=$BATS_FILE_TMPDIR			# the file's own, removed by bats
TRANSPORT=${TRANSPORT:-standalone}
PATH=$PATH:/usr/sbin:/sbin

# The credentials of every test.
# shellcheck disable=SC2034
ADMIN=(-u admin:admin-secret) AGENT=(-u agent:agent-secret) \
    ADMIN_KEY='X-API-Key: admin-key-of-the-tests' \
    AGENT_KEY='X-API-Key: agent-key-of-the-tests'

# refute COMMAND...: fails when it succeeds; a bare `!` would not fail a test.
refute()
{
	if "$@"; then
		echo "should have failed: $*" >&2
		return 1
	fi
}

# --- waiting, ports, programs -----------------------------------------------

# wait_until [-t SECONDS] CONDITION...: until the command succeeds. The bound
# is for hangs, not for speed. What takes longer is asked for less often: to
# ask, with curl and jq, costs more than what is waited for.
wait_until()
{
	local seconds=120 end tries=0 pause=0.05
	if [ "$1" = -t ]; then
		seconds=$2
		shift 2
	fi
	end=$((SECONDS + seconds))
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -gt $end ]; then
			echo "not within $seconds seconds: $*" >&2
			return 1
		fi
		[ $((++tries)) -le 8 ] || pause=0.2
		sleep $pause
	done
}

# A port of 127.0.0.1 that nobody listens on, below the ones that the kernel
# gives away itself. They are given out in turn, to all the tests of the user:
# one that is not listened on yet, or was and will be again, is nobody else's.
port_free()
{
	local port turn=/tmp/dcm-tests-port.$UID
	(
		flock 9
		[ ! -s "$turn" ] || read -r port <"$turn"
		[[ $port =~ ^[0-9]{5}$ ]] ||
		    port=$((10240 + (RANDOM * 32768 + RANDOM) % 21000))
		while :; do
			port=$((port < 31240 ? port + 1 : 10240))
			grep -qi ":$(printf %04X "$port") " \
			    /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
		done
		echo "$port" >"$turn"
		echo "$port"
	) 9>>"$turn.lock"
}

port_open()
{
	(exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# program_start NAME COMMAND...: in the background; output in $dir/NAME.log,
# which is appended to.
program_start()
{
	local name=$1
	shift
	program_become "$@" </dev/null >>"$dir/$name.log" 2>&1 &
	echo $! "$(process_born $!)" >"$dir/$name.pid"
	[ -z "${PROGRAMS_STAY-}" ] ||
	    (program_watch $! </dev/null >/dev/null 2>&1 &)
}

# bats waits for the end of its pipes, which a program would keep open.
program_close()
{
	local fd
	trap - EXIT ERR DEBUG
	set +eET
	for fd in "/proc/$BASHPID/fd"/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
}

program_become()
{
	program_close
	[ -n "${PROGRAMS_STAY-}" ] || set -- setpriv --pdeathsig KILL "$@"
	exec "$@"
}

# Ends with the program, or ends it when bats is gone.
program_watch()
{
	program_close
	while kill -0 "$1" 2>/dev/null; do
		kill -0 "$BATS_ROOT_PID" 2>/dev/null || kill -s KILL "$1"
		sleep 1
	done
}

program_pid()
{
	local pid
	read -r pid _ <"$dir/$1.pid"
	echo "$pid"
}

# process_born PID: when, in ticks since the machine was started. Of several
# suites at once the numbers come round in a minute or two: one that ended
# may be somebody else's.
process_born()
{
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# program_lost NAME: whether its number is another process's by now.
program_lost()
{
	local pid born now
	read -r pid born <"$dir/$1.pid"
	now=$(process_born "$pid")
	[ -n "$born" ] && [ -n "$now" ] && [ "$born" != "$now" ]
}

# process_gone PID: one that nobody has waited for yet is, too.
process_gone()
{
	local state
	state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)
	[ -z "$state" ] || [ "${state%% *}" = Z ]
}

program_runs()
{
	[ -e "$dir/$1.pid" ] && ! program_lost "$1" &&
	    ! process_gone "$(program_pid "$1")"
}

program_gone()
{
	! program_runs "$1"
}

# program_stop NAME [SIGNAL]: and waits until it is gone, and what it started
# too: no responder has a database open, or writes into a folder that bats
# removes. What bash has to say on the end of a job is said to nobody.
program_stop()
{
	local children pid
	[ -e "$dir/$1.pid" ] || return 0
	if program_lost "$1"; then
		rm -f "$dir/$1.pid"
		return 0
	fi
	pid=$(program_pid "$1")
	children=$(pgrep -P "$pid") || :
	if ! {
		kill -s "${2:-TERM}" "$pid" || :
		wait_until process_gone "$pid" && { wait "$pid" || :; }
	} 2>/dev/null; then
		echo "$1 does not end: it is killed" >&2
		kill -s KILL "$pid"
		return 1
	fi
	rm -f "$dir/$1.pid"
	for pid in $children; do
		wait_until process_gone "$pid" || return
	done
}

# Stops everything; fails when a sanitizer spoke.
programs_stop()
{
	local pid name failed=0
	for pid in "$dir"/*.pid; do
		[ -e "$pid" ] || continue
		name=$(basename "$pid" .pid)
		program_stop "$name" || failed=1
	done
	wait_until responders_gone || failed=1
	if grep -E 'ERROR: .*Sanitizer|runtime error:' "$dir"/*.log >&2; then
		failed=1
	fi
	return $failed
}

# A responder that lighttpd was just starting ends after it, and may make its
# folders first.
responders_gone()
{
	local process name
	for process in /proc/[0-9]*; do
		read -r name <"$process/comm" && [[ $name = *.fcgi ]] &&
		    grep -qF "$dir/" "$process/environ" "$process/cmdline" &&
		    return 1
	done 2>/dev/null
	return 0
}

# A file that has more to put away has one of its own.
teardown_file()
{
	programs_stop
}

# log_has NAME PATTERN: whether a program's output has a line like that.
log_has()
{
	grep -qE -- "$2" "$dir/$1.log"
}

# --- the controller, four ways (and more: web.bash) -------------------------

# controller_start [NAME=value ...]: sets $base, the URL of its root, and
# $prefix, what stands before its paths. State is in $dir/state. Settings
# given here go over those of the tests; NAME= unsets one.
controller_start()
{
	controller_settings "$@"
	controller_again
}

controller_settings()
{
	local env=(
		"STATE_DIR=$dir/state"
		ADMIN_USERNAME=admin ADMIN_PASSWORD=admin-secret
		ADMIN_API_KEY=admin-key-of-the-tests
		AGENT_USERNAME=agent AGENT_PASSWORD=agent-secret
		AGENT_API_KEY=agent-key-of-the-tests
		"$@"
	)
	printf '%s\n' "${env[@]}" >"$dir/controller.env"
	mkdir -p "$dir/state"
}

# Starts it with the settings that it had; for tests that stop it.
controller_again()
{
	local try
	for try in 1 2 3; do
		if "controller_$TRANSPORT"; then
			export base prefix
			return 0
		fi
		echo "start $try of the controller ($TRANSPORT) failed:" >&2
		tail -n 20 "$dir/controller.log" >&2
		program_runs controller || rm -f "$dir/controller.port"
		# Apache, killed, would leave its children behind
		case $TRANSPORT in
		cgid | fcgid) controller_stop ;;
		*) program_stop controller KILL ;;
		esac
	done
	return 1
}

controller_stop()
{
	[ "$TRANSPORT" = cgi ] || program_stop controller
	program_stop fcgiwrap
}

# port_kept NAME: in $dir/NAME.port, the same when it is started again.
port_kept()
{
	[ -s "$dir/$1.port" ] || port_free >"$dir/$1.port"
}

controller_standalone()
{
	local port settings
	port_kept controller
	port=$(cat "$dir/controller.port")
	mapfile -t settings <"$dir/controller.env"
	prefix=
	base=http://127.0.0.1:$port
	program_start controller env -i PATH="$PATH" DCM_BIN="$bin" \
	    DCM_PAGE="${PAGE:-$dir/none}" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    DCM_FAST="${DCM_FAST-}" CONTROLLER_PORT="$port" "${settings[@]}" \
	    "${lighttpd:-$top/lighttpd}/run.sh"
	wait_until controller_answers && program_runs controller
}

controller_slow()
{
	DCM_FAST=off controller_standalone
}

# Without the fast path, and with watch.fcgi in the place of each responder.
controller_watch()
{
	local lighttpd=$dir/lighttpd
	mkdir -p "$lighttpd"
	cp -R "$top"/lighttpd/* "$lighttpd"
	sed -i 's|/[a-z]*\.fcgi"|/watch.fcgi"|' "$lighttpd/responders.conf"
	DCM_FAST=off controller_standalone
}

# Whether lighttpd has such a module.
lighttpd_has()
{
	echo "server.document-root = \"/\" server.modules = ( \"$1\" )" \
	    >"$dir/has.conf"
	lighttpd -tt -f "$dir/has.conf" >/dev/null 2>&1
}

# A lighttpd that already has a site and another FastCGI program, with
# dcm.conf installed as its head says; and with the lines of $dir/mount.conf,
# which may make it speak TLS, when there is one. With workers it ends its whole
# process group, so it has one of its own.
controller_mount()
{
	local port run=$dir/mount magnet='"mod_setenv", "mod_magnet",'
	local own='setenv.set-environment = ( "OWN" => "the mount'"'"'s" )'
	lighttpd_has mod_magnet || magnet='' own=''
	port_kept controller
	port=$(cat "$dir/controller.port")
	prefix=/some/where
	base=http://127.0.0.1:$port$prefix
	! grep -qs ssl.engine "$dir/mount.conf" || base=https${base#http}
	mkdir -p "$run/site" "$run/run"
	echo "the site" >"$run/site/index.html"
	sed "s/=\(.*\)/='\1'/" "$dir/controller.env" >"$run/controller.conf"
	chmod 600 "$run/controller.conf"
	sed -e "s|^var.dcm_prefix .*|var.dcm_prefix = \"$prefix\"|" \
	    -e "s|^var.dcm_bin .*|var.dcm_bin = \"$bin\"|" \
	    -e "s|^var.dcm_page .*|var.dcm_page = \"${PAGE:-$run/none}\"|" \
	    -e "s|^var.dcm_share .*|var.dcm_share = \"$top/lighttpd\"|" \
	    -e "s|^var.dcm_state .*|var.dcm_state = \"$dir/state\"|" \
	    -e "s|^var.dcm_held .*|var.dcm_held = \"${HELD-}\"|" \
	    -e "s|^\(var.dcm_config\) .*|\1 = \"$run/controller.conf\"|" \
	    -e "s|^var.dcm_run .*|var.dcm_run = \"$run/run\"|" \
	    -e "s|^#\(include .*/fast.conf\"\)|${magnet:+\1}|" \
	    "$top/lighttpd/dcm.conf" >"$run/dcm.conf"
	cat >"$run/lighttpd.conf" <<-CONF
	server.modules = ( $magnet "mod_fastcgi" )
	server.bind = "127.0.0.1"
	server.port = $port
	server.document-root = "$run/site"
	index-file.names = ( "index.html" )
	mimetype.assign = ( ".html" => "text/html", ".txt" => "text/plain" )
	fastcgi.server = ( "/other" => ((
		"socket" => "$run/run/other",
		"bin-path" => "${OTHER:-$top/build/tests/other.fcgi}",
		"check-local" => "disable",
		"max-procs" => 1
	)))
	$own
	include "$run/dcm.conf"
	CONF
	[ ! -e "$dir/mount.conf" ] ||
	    cat "$dir/mount.conf" >>"$run/lighttpd.conf"
	program_start controller setsid env -i PATH="$PATH" \
	    lighttpd -D -f "$run/lighttpd.conf"
	wait_until controller_answers && program_runs controller
}

# For the wait: also when it died, which ends the waiting.
controller_answers()
{
	program_gone controller || curl -sfo "$dir/health" "$base/health"
}

# Nothing runs: each request executes the responder.
controller_cgi()
{
	prefix=/cgi-bin/config.fcgi
	base=cgi:$prefix
}

# forgiven: what was asked with wrong credentials so far shuts nobody out.
forgiven()
{
	rm -f "$dir/state/refusals"
}

# --- agents, workers, targets -----------------------------------------------

# worker_start [NAME=value ...]: sets $worker, its URL. Loopback targets are
# allowed. One a file; state is in $dir/worker.
worker_start()
{
	port_kept worker
	worker=http://127.0.0.1:$(cat "$dir/worker.port")
	export worker
	mkdir -p "$dir/worker"
	program_start worker env -i PATH="$PATH" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    WORKER_PORT="${worker##*:}" BIND_ADDRESS=127.0.0.1 \
	    STATE_DIR="$dir/worker" ALLOW_CIDR=127.0.0.0/8 \
	    WORKER_API_KEY=worker-key-of-the-tests "$@" "$bin/dcm-worker"
	wait_until curl -sf "$worker/health"
}

# agent_start [NAME=value ...]: sets $agent, its URL. Between $base and
# $worker; one a file; state is in $dir/agent.
agent_start()
{
	port_kept agent
	agent=http://127.0.0.1:$(cat "$dir/agent.port")
	export agent
	mkdir -p "$dir/agent"
	program_start agent env -i PATH="$PATH" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    AGENT_PORT="${agent##*:}" STATE_DIR="$dir/agent" \
	    CONTROLLER_URL="$base" CONTROLLER_USERNAME=agent \
	    CONTROLLER_PASSWORD=agent-secret WORKER_URL="$worker" \
	    WORKER_API_KEY=worker-key-of-the-tests "$@" "$bin/dcm-agent"
	wait_until curl -s "$agent/state"
}

# target_start: a real web server that serves $dir/target; sets $target.
target_start()
{
	port_kept target
	target=http://127.0.0.1:$(cat "$dir/target.port")
	export target
	mkdir -p "$dir/target"
	cat >"$dir/target.conf" <<-CONF
	server.bind = "127.0.0.1"
	server.port = ${target##*:}
	server.document-root = "$dir/target"
	mimetype.assign = ( ".html" => "text/html", ".txt" => "text/plain",
	    "" => "application/octet-stream" )
	CONF
	program_start target lighttpd -D -f "$dir/target.conf"
	wait_until curl -s "$target/"
}

# --- asking -----------------------------------------------------------------

# request METHOD PATH [-u USER:PASSWORD] ['Name: value' ...]
#     [--data TEXT | --data-file FILE]
#
# Asks $base, and sets $status, $body (text; the bytes are in $dir/body) and
# $headers. Fails when the document $SWAGGER (swagger.yaml of the controller)
# does not name the answer.
request()
{
	local method=$1 path=$2 data='' user='' fields=()
	shift 2
	while [ $# -gt 0 ]; do
		case $1 in
		-u) user=$2; shift ;;
		--data) data=$dir/sent; printf %s "$2" >"$data"; shift ;;
		--data-file) data=$2; shift ;;
		*:*|*\;) fields+=("$1") ;;
		*) echo "request: what is $1?" >&2; return 2 ;;
		esac
		shift
	done
	: >"$dir/head"
	: >"$dir/body"
	case $base in
	cgi:*) request_cgi || return ;;
	*) request_http || return ;;
	esac
	# bash leaves zeros out, and says so
	{ headers=$(<"$dir/head") body=$(<"$dir/body"); } 2>/dev/null
	headers=${headers//$'\r'/}
	# A 100 or a proxy's heads would come first: the last one counts.
	headers=${headers%$'\n'}
	headers=${headers##*$'\n\n'}
	request_documented "$method" "${path%%\?*}" "$status"
}

# unlocked COMMAND...: a request, again while the answer is 503 after a long
# wait: of many that write at once SQLite keeps one waiting for five seconds,
# and nothing of his is written.
unlocked()
{
	local try since
	for try in {1..20}; do
		since=${EPOCHREALTIME/./}
		"$@" || return
		[ "$status" = 503 ] || return 0
		[ $((${EPOCHREALTIME/./} - since)) -ge 4500000 ] || return 0
	done
}

request_http()
{
	local ask=(-sS --path-as-is --max-time 90 -o "$dir/body"
	    -D "$dir/head" -w '%{http_code}' -H 'Expect:') field
	if [ "$method" = HEAD ]; then
		ask+=(-I)
	else
		ask+=(-X "$method")
	fi
	[ -z "$user" ] || ask+=(-u "$user")
	for field in "${fields[@]}"; do
		ask+=(-H "$field")
	done
	[ -z "$data" ] || ask+=(--data-binary "@$data")
	# lighttpd wants a length of every POST
	[ -n "$data" ] || [ "$method" != POST ] || ask+=(--data-binary '')
	[ -n "$data" ] && ! [[ ${fields[*]} =~ [Cc]ontent-[Tt]ype: ]] &&
	    ask+=(-H 'Content-Type: application/json')
	status=$(curl "${ask[@]}" "$base$path") || {
		echo "request: no answer to $method $base$path" >&2
		return 1
	}
	# curl -I writes the head there
	[ "$method" != HEAD ] || : >"$dir/body"
}

# What a web server does for a CGI program (RFC 3875): variables, standard
# input, and the first lines of the output.
request_cgi()
{
	local vars=() field name value length='' type='' at decoded query=''
	[[ $path == *\?* ]] && query=${path#*\?}
	decoded=${path%%\?*}
	decoded=${decoded//\\/\\\\}
	printf -v decoded %b "${decoded//%/\\x}"
	for field in "${fields[@]}"; do
		name=${field%%:*}
		value=${field#*:}
		name=${name//-/_}
		case ${name^^} in
		CONTENT_TYPE) type=${value# } ;;
		*) vars+=("HTTP_${name^^}=${value# }") ;;
		esac
	done
	[ -z "$user" ] || vars+=("HTTP_AUTHORIZATION=Basic $(printf %s "$user" |
	    base64 -w0)")
	if [ -n "$data" ]; then
		length=$(stat -L -c %s "$data")
		type=${type:-application/json}
	fi
	mapfile -t settings <"$dir/controller.env"
	env -i PATH="$PATH" "${settings[@]}" "${vars[@]}" \
	    ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
	    GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 \
	    SERVER_SOFTWARE=tests SERVER_NAME=localhost SERVER_PORT=80 \
	    REMOTE_ADDR=127.0.0.1 REQUEST_METHOD="$method" \
	    SCRIPT_NAME="$prefix" PATH_INFO="$decoded" \
	    QUERY_STRING="$query" REQUEST_URI="$prefix$path" \
	    ${length:+CONTENT_LENGTH=$length} \
	    ${type:+"CONTENT_TYPE=$type"} \
	    "$bin/config.fcgi" <"${data:-/dev/null}" >"$dir/cgi.out" \
	    2>>"$dir/controller.log" 3>&- || {
		echo "request: the program failed with $?" >&2
		tail -n 5 "$dir/controller.log" >&2
		return 1
	}
	sed '/^\r*$/q' "$dir/cgi.out" >"$dir/head"
	at=$(stat -c %s "$dir/head")
	tail -c +$((at + 1)) "$dir/cgi.out" >"$dir/body"
	status=$(sed -n 's/^Status: *\([0-9]*\).*/\1/p' "$dir/head")
	status=${status:-200}
	[ "$method" != HEAD ] || : >"$dir/body"
}

# header NAME: its value in the last answer; fails when it has none.
header()
{
	local line name
	while IFS= read -r line; do
		name=${line%%:*}
		if [ "${name,,}" = "${1,,}" ] && [ "$name" != "$line" ]; then
			line=${line#*:}
			printf '%s\n' "${line#"${line%%[! ]*}"}"
			return
		fi
	done <<<"$headers"
	return 1
}

# expect_status CODE: of the last answer.
expect_status()
{
	if [ "$status" != "$1" ]; then
		echo "status is $status, not $1: $body" >&2
		return 1
	fi
}

# json_true [OPTION ...] FILTER [FILE]: whether a jq filter is true; of nothing
# at all jq 1.6 says that it is.
json_true()
{
	local said
	said=$(jq -e "$@") && [ -n "$said" ]
}

# expect_json FILTER: a jq filter that must be true of the last body.
expect_json()
{
	if ! json_true "$@" "$dir/body" 2>"$dir/jq.out"; then
		echo "not so: $* ($(head -c 300 "$dir/jq.out" 2>&1)): $body" >&2
		return 1
	fi
}

# expect_header NAME PATTERN: the whole value, an extended regular expression.
expect_header()
{
	local value
	if ! value=$(header "$1"); then
		echo "there is no $1 in: $headers" >&2
		return 1
	fi
	if ! [[ $value =~ ^($2)$ ]]; then
		echo "$1 is \"$value\", not like \"$2\"" >&2
		return 1
	fi
}

# expect_problem CODE PATTERN: problem+json, with a detail like that.
expect_problem()
{
	# shellcheck disable=SC2016	# jq's variables
	expect_status "$1" &&
	expect_header Content-Type 'application/problem\+json.*' &&
	expect_json --arg like "${2:-.}" --argjson code "$1" \
	    '.status == $code and (.title | length > 0) and
	    (.request_id | length > 0) and (.detail | test($like))'
}

# --- the document -----------------------------------------------------------

# document_rows FILE: "METHOD /path status" for every answer it names.
document_rows()
{
	awk '
	{ indent = match($0, /[^ ]/) - 1; line = $0; gsub(/["\047]/, "", line) }
	indent == 0 { paths = (line ~ /^paths:/) ; next }
	!paths { next }
	indent == 2 { path = line; gsub(/^ *|: *$/, "", path); next }
	indent == 4 { method = line; gsub(/^ *|:.*$/, "", method); answers = 0
	    next }
	indent == 6 { answers = (line ~ /^ *responses:/); next }
	answers && indent == 8 && line ~ /^ *([1-5][0-9][0-9]|default):/ {
		code = line; gsub(/^ *|:.*$/, "", code)
		print toupper(method), path, code
	}' "$1"
}

# request_documented METHOD PATH STATUS: whether the document names it, and
# notes in $EXERCISED that it was seen. Where the web server itself refused
# (a page of its own), there is nothing to look up.
request_documented()
{
	local method=$1 path=$2 code=$3 document=${SWAGGER:-swagger.yaml} row
	local rows=$dir/${document//\//-}.rows type
	[ -s "$rows" ] || document_rows "$top/$document" >"$rows"
	path=${path#/api/v1}
	[ "$method" != HEAD ] || method=GET
	row=$(awk -v method="$method" -v path="$path" -v code="$code" '
	function fits(template,    a, b, n, i, score) {
		n = split(template, a, "/")
		if (split(path, b, "/") != n)
			return 0
		score = 1
		for (i = 1; i <= n; i++) {
			if (a[i] == b[i])
				score += 2
			else if (a[i] !~ /^{.*}$/ || b[i] == "")
				return 0
		}
		return score
	}
	{ score = fits($2) }
	score > best { best = score; template = $2 }
	{ seen[$1 " " $2] = 1; seen[$0] = 1 }
	END {
		if (template == "" && code == 404)
			print "-"
		else if (template != "" && code == 405 &&
		    !((method " " template) in seen))
			print "-"
		else if ((method " " template " " code) in seen)
			print method, template, code
		else if ((method " " template " default") in seen)
			print method, template, "default"
	}' "$rows")
	type=$(header Content-Type || :)
	case $row/$code/$type in
	/400/text/html* | /41[134]/text/html* | /431/text/html* | \
	/50[135]/text/html*)
		return 0 ;;
	/*/application/problem+json)	# run.sh's words for the server's own
		[[ $body != *'refused before it reached'* ]] || return 0 ;;&
	/*)
		echo "$document does not name $method $path $code: $body" >&2
		return 1 ;;
	-/*) ;;
	*)
		echo "$document $row" >>"${EXERCISED:-$dir/exercised}" ;;
	esac
}

case $TRANSPORT in cgid | fcgid | fcgiwrap) load web ;; esac

# Before each command bats notes where it is, which takes longer than most
# commands do: not inside of these.
for name in wait_until port_free program_start program_stop programs_stop \
    controller_start controller_again worker_start agent_start request \
    header expect_status expect_json expect_header expect_problem; do
	eval "untraced_$(declare -f "$name")"
	eval "$name() { local -; set +T; untraced_$name \"\$@\"; }"
done
