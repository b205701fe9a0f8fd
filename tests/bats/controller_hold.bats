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

teardown_file()
{
	programs_stop
}

# Every test begins with the present tag.
setup()
{
	request GET /config "$AGENT_KEY"
	expect_status 200
	etag=$(header ETag)
	version=$(jq .version "$dir/body")
}

# publish: another version.
publish()
{
	local data="{\"url\":\"http://a/$BATS_TEST_NUMBER/$RANDOM$RANDOM\"}"
	request POST /config "$ADMIN_KEY" --data "$data" &&
	    expect_status 201
}

# poll_start NAME SECONDS [HEADER ...]: a poll with the present tag, in the
# background; its status and what it took, in ms, will be in $dir/NAME.done.
poll_start()
{
	local name=$1 seconds=$2 field ask=()
	shift 2
	rm -f "$dir/$name".{done,body,head}
	for field in "$AGENT_KEY" "If-None-Match: $etag" "$@"; do
		ask+=(-H "$field")
	done
	(
		program_close
		since=$(date +%s%3N)
		status=$(curl -s --max-time 90 "${ask[@]}" -w '%{http_code}' \
		    -D "$dir/$name.head" -o "$dir/$name.body" \
		    "$base/config?wait=$seconds")
		echo "$status $(($(date +%s%3N) - since))" >"$dir/$name.new"
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

# watching: the process that holds.
watching()
{
	pgrep -P "$(program_pid controller)" -x watch.fcgi
}

# held COUNT: whether so many connections are open in it, beside what it has
# when nothing is held.
held()
{
	local sockets
	sockets=$(find "/proc/$(watching)/fd" -lname 'socket:*' | wc -l) &&
	    [ $((sockets - 1)) -eq "$1" ]
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
