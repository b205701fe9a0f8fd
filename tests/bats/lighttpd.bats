# lighttpd.bats: the mount leaves its neighbours in peace, and what
# `make install` installs works where it was installed.

load helper

setup_file()
{
	export TRANSPORT=mount PROGRAMS_STAY=1
	controller_start
}

# Asked beside the prefix; sets status, body.
beside()
{
	status=$(curl -s -o "$dir/beside" -w '%{http_code}' "${base%"$prefix"}$1")
	body=$(cat "$dir/beside")
}

# children PID: what a process has started.
children()
{
	local stat line words
	for stat in /proc/[0-9]*/stat; do
		read -r line 2>/dev/null <"$stat" || continue
		read -ra words <<<"${line##*) }"
		[ "${words[1]}" != "$1" ] || echo "${line%% *}"
	done 2>/dev/null
}

@test "the site beside the mount is served as before" {
	beside /
	[ "$status" = 200 ]
	[ "$body" = "the site" ]
	beside /config
	[ "$status" = 404 ]
	[[ $body != *problem* ]]
}

@test "the other FastCGI program is served as before" {
	beside /other/config
	[ "$status" = 200 ]
	[ "$body" = "the other program, asked for /other/config" ]
}

@test "the prefix has a boundary" {
	request GET /health
	expect_status 200
	beside "${prefix}X/health"
	[ "$status" = 404 ]
	beside "$prefix"
	[ "$status" = 404 ]
}

@test "an unknown path below the prefix is refused by the controller" {
	for path in / /nowhere /configX /api/v1 /api/v1/nowhere; do
		request GET $path
		expect_problem 404
	done
}

@test "no secret is in the arguments of a responder" {
	pids=$(children "$(program_pid controller)")
	[ "$(wc -w <<<"$pids")" -ge 5 ]
	for pid in $pids; do
		refute grep -qE 'secret|key-of' "/proc/$pid/cmdline"
	done
}

@test "a request of more than a megabyte never reaches the controller" {
	head -c 1100000 /dev/zero | tr '\0' 1 >"$dir/large"
	beside "$prefix/health"
	status=$(curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' \
	    --data-binary "@$dir/large" "${ADMIN[@]}" "$base/config")
	[ "$status" = 413 ]
}

@test "a hundred kilobytes of headers are refused, and the next is answered" {
	status=$(curl -s -o /dev/null -w '%{http_code}' \
	    -H "X-Large: $(head -c 100000 /dev/zero | tr '\0' a)" \
	    "$base/health")
	[ "$status" = 431 ]
	request GET /health
	expect_status 200
}

@test "kill -9 of lighttpd leaves no responder" {
	pids=$(children "$(program_pid controller)")
	program_stop controller KILL
	none()
	{
		for pid in $pids; do
			process_gone "$pid" || return
		done
	}
	wait_until none
	controller_again
	request GET /health
	expect_status 200
}

@test "on a TCP socket, too, a responder ends after clients that were gone" {
	# in a session of its own, as spawn-fcgi starts it
	program_start lonely env STATE_DIR="$dir" python3 -c '
import os, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
with open(sys.argv[2], "w") as port:
    port.write(str(s.getsockname()[1]))
os.setsid()
os.dup2(s.fileno(), 0)
os.execv(sys.argv[1], ["config.fcgi"])
' "$bin/config.fcgi" "$dir/port"
	wait_until [ -s "$dir/port" ]
	for n in 1 2 3; do
		: 3<>/dev/tcp/127.0.0.1/"$(<"$dir/port")"
	done
	# each has been accepted, and closed (no CLOSE_WAIT, 08, is left)
	met()
	{
		refute grep -q ":$(printf %04X "$(<"$dir/port")") [^ ]* 08 " \
		    /proc/net/tcp
	}
	wait_until met
	program_stop lonely
}

@test "a responder that begins after lighttpd has ended ends as well" {
	# in the session, inherited by a process outside of it; the socket is
	# standard input, as lighttpd gives it
	STATE_DIR=$dir setsid -w python3 - "$BIN/config.fcgi" "$dir/late" 3>&- <<-'PY'
	import os, socket, sys, time
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[2] + ".sock")
	s.listen()
	parent = os.getpid()	# the child may begin after it has ended
	if os.fork() == 0:
	    while os.getppid() == parent:
	        time.sleep(0.01)
	    os.dup2(s.fileno(), 0)
	    with open(sys.argv[2], "w") as pid:
	        pid.write(str(os.getpid()))
	    os.execv(sys.argv[1], ["config.fcgi"])
	PY
	wait_until [ -s "$dir/late" ]
	wait_until process_gone "$(cat "$dir/late")"
}

@test "it ends as well where it is inherited within the session" {
	# as in a container: everything in one session, whose first process
	# inherits what is left; run.sh says who was to be the parent
	mkdir "$dir/bin" "$dir/one"
	cp "$bin"/*.fcgi "$dir/bin"
	cat >"$dir/bin/config.fcgi" <<-EOF
	#!/bin/sh
	echo \$\$ >>"$dir/one/begun"
	until [ -e "$dir/one/killed" ]; do sleep 0.01; done
	exec "$bin/config.fcgi"
	EOF
	STATE_DIR=$dir/one DCM_BIN=$dir/bin ADMIN_KEY=${ADMIN_KEY#*: } \
	    CONTROLLER_PORT=$(port_free) setsid -w python3 - "$top/lighttpd/run.sh" "$dir/one" 3>&- <<-'PY'
	import ctypes, os, sys, time
	ctypes.CDLL(None).prctl(36, 1)	# PR_SET_CHILD_SUBREAPER
	begun, killed = sys.argv[2] + "/begun", sys.argv[2] + "/killed"
	lighttpd = os.fork()
	if lighttpd == 0:
	    os.execv(sys.argv[1], ["run.sh"])
	while not os.path.exists(begun) or len(open(begun).readlines()) < 2:
	    if os.waitpid(lighttpd, os.WNOHANG)[0] != 0:
	        sys.exit("run.sh has ended")
	    time.sleep(0.01)
	os.kill(lighttpd, 9)
	os.waitpid(lighttpd, 0)
	open(killed, "w").close()
	left = 3000	# hundredths of a second
	while left > 0:
	    try:
	        if os.waitpid(-1, os.WNOHANG)[0] == 0:
	            left -= 1
	            time.sleep(0.01)
	    except ChildProcessError:
	        break
	sys.exit(left == 0)
	PY
}

@test "what make install installs runs where it was installed" {
	make -C "$top" -s install DESTDIR="$dir/root" PREFIX=/opt/dcm
	share=$dir/root/opt/dcm/share/dcm/lighttpd
	grep -q '^var.dcm_bin *= "/opt/dcm/bin"' "$share/dcm.conf"
	grep -q '"/opt/dcm/share/dcm/lighttpd"' "$share/dcm.conf"
	for name in agent worker controller; do
		"$dir/root/opt/dcm/bin/dcm-$name" --version
	done
	port=$(port_free)
	mapfile -t settings <"$dir/controller.env"
	program_start installed env -i PATH="$PATH" "${settings[@]}" \
	    STATE_DIR="$dir/installed" CONTROLLER_PORT="$port" "$share/run.sh"
	wait_until curl -sf "http://127.0.0.1:$port/ready"
	# the fast path too: such a poll is counted by nobody else
	polled()
	{
		curl -sf -H "$AGENT_KEY" "http://127.0.0.1:$port/config" &&
		    curl -sf -H "$ADMIN_KEY" "http://127.0.0.1:$port/metrics" |
		    grep '^dcm_requests_total{responder="lighttpd".*}'
	}
	! lighttpd_has mod_magnet || wait_until polled
	program_stop installed
}

# small_holds COUNT: by the metrics of the controller named small.
small_holds()
{
	curl -sf -H "$ADMIN_KEY" "$small/metrics" |
	    grep -qxF "dcm_polls_held $1"
}

@test "no more polls are held than the limit of open files allows" {
	small=http://127.0.0.1:$(port_free)
	mapfile -t settings <"$dir/controller.env"
	program_start small bash -c 'ulimit -n 200; exec "$@"' bash \
	    env -i PATH="$PATH" "${settings[@]}" DCM_BIN="$bin" \
	    STATE_DIR="$dir/small" CONTROLLER_PORT="${small##*:}" \
	    "$top/lighttpd/run.sh"
	wait_until curl -sf "$small/ready"
	log_has small 'limit of open files is 200: 27 polls can be held at once'
	ask=(curl -s -o /dev/null -w '%{http_code}\n' -H "$AGENT_KEY"
	    -H 'If-None-Match: *' "$small/config?wait=60")
	pids=()
	for _ in {1..27}; do
		"${ask[@]}" >>"$dir/held" 2>&1 3>&- &
		pids+=($!)
	done
	wait_until small_holds 27
	# one more is not held, and the others are answered meanwhile
	for _ in 1 2 3; do
		[ "$("${ask[@]}")" = 304 ]
		curl -sf "$small/health"
	done
	small_holds 27
	log_has small '27 polls are held, and the limit of open files'
	curl -sf -H "$ADMIN_KEY" -d '{"url":"http://x"}' "$small/config"
	wait_until small_holds 0
	wait "${pids[@]}"
	[ "$(grep -c 304 "$dir/held")" = 27 ]
	program_stop small
}

@test "run.sh removes what is left of those that ended, waited for or not" {
	local ended left=$dir/left/run
	program_start parent python3 -c 'import os, time
if os.fork() == 0:
    os._exit(0)
time.sleep(600)'
	zombie()
	{
		ended=$(pgrep -P "$(program_pid parent)") &&
		    grep -q '^State:.*Z' "/proc/$ended/status"
	}
	wait_until zombie
	mkdir -p "$left/$ended" "$left/$(program_pid parent)" "$left/99999999"
	run env STATE_DIR="$dir/left" CONTROLLER_PORT=http \
	    "$top/lighttpd/run.sh"
	[ -d "$left/$(program_pid parent)" ]
	[ ! -e "$left/$ended" ]
	[ ! -e "$left/99999999" ]
	program_stop parent KILL
}

@test "run.sh refuses a port and a folder that cannot be" {
	run env CONTROLLER_PORT=http "$top/lighttpd/run.sh"
	[ "$status" = 1 ]
	[[ $output == *'CONTROLLER_PORT is "http", not 1 to 65535'* ]]
	run env STATE_DIR=/proc/nowhere "$top/lighttpd/run.sh"
	[ "$status" = 1 ]
	[[ $output == *'STATE_DIR /proc/nowhere cannot be made'* ]]
}
