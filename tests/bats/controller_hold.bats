# controller_hold.bats: polls that watch.fcgi holds until the version moves or
# their time is over.
# transports: standalone mount

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	controller_start
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://a/1"},"poll_interval_seconds":30}'
}

# Every test begins with the present tag.
setup()
{
	request GET /config "$AGENT_KEY"
	expect_status 200
	etag=$(header ETag)
	version=$(jq .version "$dir/body")
	token=
}

# publish: another version.
publish()
{
	local data="{\"url\":\"http://a/$BATS_TEST_NUMBER/$RANDOM$RANDOM\"}"
	request POST /config "$ADMIN_KEY" --data "$data" &&
	    expect_status 201
}

# poll_start NAME SECONDS [HEADER ...]: a poll with the present tag and, where
# $token is "", the fleet's key; in the background. Its status and what it
# took, in ms, will be in $dir/NAME.done.
poll_start()
{
	local name=$1 seconds=$2 field ask=() who=$AGENT_KEY
	shift 2
	[ -z "$token" ] || who="Authorization: Bearer $token"
	rm -f "$dir/$name".{done,body,head}
	for field in "$who" "If-None-Match: $etag" "$@"; do
		ask+=(-H "$field")
	done
	(
		program_close
		since=$(date +%s%3N)
		status=$(curl -s --max-time 90 "${ask[@]}" -w '%{http_code}' \
		    -D "$dir/$name.head" -o "$dir/$name.body" \
		    "$base/config?wait=$seconds")
		echo "${status:-000} $(($(date +%s%3N) - since))" >"$dir/$name.new"
		mv "$dir/$name.new" "$dir/$name.done"
	) </dev/null >/dev/null 2>&1 &
	echo $! >"$dir/$name.pid"
}

# poll_end NAME: sets status and took of a poll that was begun.
poll_end()
{
	wait_until -t 90 [ -e "$dir/$1.done" ] || return
	read -r status took <"$dir/$1.done"
	rm -f "$dir/$1.pid"
}

# register: sets $id and $token.
register()
{
	request POST /register "$AGENT_KEY" --data '{}' &&
	    expect_status 200 || return
	id=$(jq -r .agent_id "$dir/body")
	token=$(jq -r .token "$dir/body")
}

# agent_is ID STATE
agent_is()
{
	request GET "/agents/$1" "$ADMIN_KEY" &&
	    expect_json --arg state "$2" '.state == $state'
}

# polled_since ID SECONDS: whether the agent was there then or later.
polled_since()
{
	request GET "/agents/$1" "$ADMIN_KEY" &&
	    expect_json --argjson since "$2" '.last_poll |
	    sub("\\.[0-9]*Z"; "Z") | fromdate >= $since'
}

# watching: the process that holds.
# The one that lives; lighttpd may not have noticed yet that another ended.
watching()
{
	pgrep -P "$(program_pid controller)" -r D,R,S -x watch.fcgi
}

# held COUNT: whether all processes hold so many polls.
held()
{
	request GET /metrics "$ADMIN_KEY" &&
	    grep -qxF "dcm_polls_held $1" "$dir/body"
}

# poll_held NAME: whether a poll is held. One that came before lighttpd knew
# that the process had ended was refused, and asks again.
poll_held()
{
	if [ ! -e "$dir/$1.pid" ] || [ -e "$dir/$1.done" ]; then
		poll_start "$1" 60
	fi
	held 1
}

# held_why NAME: what became of a poll that is not held; fails.
held_why()
{
	cat "$dir/$1.done" || :
	ps -o pid,stat,wchan:32,args --ppid "$(program_pid controller)"
	tail -n 20 "$dir/controller.log"
	return 1
} >&2

@test "the process that holds is there before anyone asks to wait" {
	[ -n "$(watching)" ]
	held 0
}

@test "a held poll ends with a 304 when its time is over, not before" {
	poll_start one 2
	poll_end one
	[ "$status" = 304 ]
	[ "$took" -ge 2000 ]
	grep -qi "^ETag: $etag" "$dir/one.head"
}

@test "a held poll is answered with the version that is published" {
	poll_start one 60
	wait_until held 1
	publish
	poll_end one
	[ "$status" = 200 ]
	[ "$took" -lt 50000 ]
	[ "$(jq .version "$dir/one.body")" = $((version + 1)) ]
}

@test "many held polls are all answered with the version that came" {
	for n in {1..40}; do
		poll_start "many$n" 60
	done
	wait_until held 40
	publish
	for n in {1..40}; do
		poll_end "many$n"
		[ "$status" = 200 ]
		[ "$(jq .version "$dir/many$n.body")" = $((version + 1)) ]
	done
	wait_until held 0
}

@test "a version as large as one may be reaches whoever was held, whole" {
	for n in 1 2 3; do
		poll_start "large$n" 60
	done
	wait_until held 3
	head -c 65000 /dev/urandom | od -An -v -tx1 | tr -d ' \n' |
	    head -c 65000 >"$dir/hex"
	printf '{"url":"http://a","x":"%s"}' "$(cat "$dir/hex")" >"$dir/large"
	request POST /config "$ADMIN_KEY" --data-file "$dir/large"
	expect_status 201
	for n in 1 2 3; do
		poll_end "large$n"
		[ "$status" = 200 ]
		[ "$(jq -r .data.x "$dir/large$n.body")" = "$(cat "$dir/hex")" ]
	done
}

@test "while polls are held, the same process answers others at once" {
	for n in 1 2 3; do
		poll_start "many$n" 60
	done
	wait_until held 3
	# these go to it as well
	for path in '/config?wait=60' '/health?wait=1' '/nowhere?wait=1'; do
		SECONDS=0
		request GET "$path" "$AGENT_KEY"
		[ $SECONDS -lt 30 ]
	done
	held 3
	request GET /health
	expect_status 200
	publish
	for n in 1 2 3; do
		poll_end "many$n"
		[ "$status" = 200 ]
	done
}

@test "the version is not given to a token that was revoked meanwhile" {
	register
	rotated=$id
	poll_start rotated 60
	register
	deleted=$id
	poll_start deleted 60
	register
	poll_start good 60
	wait_until held 3
	request POST "/agents/$rotated/token" "$ADMIN_KEY"
	expect_status 200
	request DELETE "/agents/$deleted" "$ADMIN_KEY"
	expect_status 204
	publish
	for name in rotated deleted; do
		poll_end $name
		[ "$status" = 401 ]
		refute grep -q http://a "$dir/$name.body"
	done
	poll_end good
	[ "$status" = 200 ]
}

@test "an agent is there as long as its poll is held, and after it" {
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://often"},"poll_interval_seconds":1}'
	expect_status 201
	etag=$(header ETag)
	sleep 2.5	# until then, agents may have been told thirty seconds
	register
	poll_start one 60 "X-Applied-Version: 1" "X-Agent-State: failed"
	wait_until held 1
	held=$id heldtoken=$token
	register
	request GET /config "$AGENT_KEY" "X-Agent-ID: $id" \
	    "X-Applied-Version: 1" "X-Agent-State: ok"
	expect_status 200
	silent=$id id=$held token=$heldtoken
	# offline: no poll for three intervals, counted from a held one's end.
	# What was held came before the one who is offline now.
	wait_until agent_is "$silent" offline
	agent_is "$id" failed
	# what it said when it came is old when it is answered
	request POST "/agents/$id/status" "Authorization: Bearer $token" \
	    --data '{"applied_version":1,"state":"ok"}'
	expect_status 204
	wait_until agent_is "$id" ok
	since=$(date +%s)
	publish
	poll_end one
	[ "$status" = 200 ]
	wait_until polled_since "$id" "$since"
	agent_is "$id" ok
	wait_until agent_is "$id" offline
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://a"},"poll_interval_seconds":30}'
	expect_status 201
}

# settled: when nothing is left to be folded.
settled()
{
	[ -z "$(find "$dir/state/beats" -name '[0-9]*')" ]
}

@test "who holds polls writes heartbeats down when nobody else does" {
	poll_start one 60
	wait_until held 1
	# nobody is stopped who has the lock
	wait_until settled
	pgrep -P "$(program_pid controller)" '^(config|agents|status)' \
	    >"$dir/others"
	xargs kill -s STOP <"$dir/others"
	echo '200001 - - - F 304' >"$dir/state/beats/100"
	failed=0
	wait_until [ ! -e "$dir/state/beats/100" ] || failed=1
	xargs kill -s CONT <"$dir/others"
	[ $failed = 0 ]
	held 1
	publish
	poll_end one
	[ "$status" = 200 ]
}

@test "a client that has gone costs one deadline at the most" {
	poll_start dead 10
	wait_until held 1
	pkill -KILL -P "$(cat "$dir/dead.pid")" -x curl
	poll_end dead
	[ "$status" = 000 ]
	wait_until held 0
	publish
}

# kept SOCKET: a request of a web server that would keep the connection, and
# does not close its side; fails when the program keeps it, too.
kept()
{
	python3 - "$1" <<-'PY'
	import socket, struct, sys
	def record(kind, data):
	    return struct.pack("!BBHHBx", 1, kind, 1, len(data), 0) + data
	pairs = b"".join(bytes([len(n), len(v)]) + n + v for n, v in (
	    (b"REQUEST_METHOD", b"GET"), (b"REQUEST_URI", b"/health"),
	    (b"SCRIPT_NAME", b"/health")))
	s = socket.socket(socket.AF_UNIX)
	s.settimeout(20)
	s.connect(sys.argv[1])
	s.sendall(record(1, struct.pack("!HB5x", 1, 1)) + record(4, pairs) +
	    record(4, b"") + record(5, b""))
	got = b""
	while more := s.recv(4096):
	    got += more
	sys.exit(b"Status: " not in got)
	PY
}

@test "a web server that keeps its connection keeps nobody else waiting" {
	for name in watch-0 config-0 agents-0; do
		kept "$(find "$dir/state/run" "$dir/mount/run" \
		    -name "dcm-$name" 2>/dev/null)"
	done
}

@test "a process that is killed holds nothing, and the next one holds" {
	poll_start lost 60
	wait_until held 1
	kill -s KILL "$(watching)"
	wait_until held 0
	wait_until poll_held again || held_why again
	publish
	poll_end again
	[ "$status" = 200 ]
	[ "$(jq .version "$dir/again.body")" = $((version + 1)) ]
	# lighttpd says that it is gone, or asks the next one itself
	poll_end lost
	[[ $status = 200 || $status = 5* ]]
}

@test "a process that is told to end answers what it holds, and ends" {
	for signal in TERM USR1 INT HUP; do
		wait_until watching
		pid=$(watching)
		wait_until poll_held "ended$signal" || held_why "ended$signal"
		kill -s $signal "$pid"
		poll_end "ended$signal"
		[ "$status" = 304 ]
		[ "$took" -lt 50000 ]
		wait_until process_gone "$pid"
	done
	wait_until watching
	held 0
}
