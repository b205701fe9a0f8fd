# lighttpd_workers.bats: the mount in a lighttpd of several processes
# (server.max-worker). They share the port and the responders; each has a fast
# path and polls that it waits for of its own.

load helper

setup_file()
{
	export TRANSPORT=mount PROGRAMS_STAY=1
	echo 'server.max-worker = 2' >"$dir/mount.conf"
	controller_start
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://a/1"},"poll_interval_seconds":30}'
}

setup()
{
	program_runs controller || controller_again
	wait_until two
	request GET /config "$AGENT_KEY" 'Cache-Control: no-cache'
	expect_status 200
	etag=$(header ETag)
	version=$(jq .version "$dir/body")
}

workers()
{
	pgrep -P "$(program_pid controller)" -x lighttpd
}

two()
{
	[ "$(workers | wc -l)" = 2 ]
}

# responders: their process ids, without the neighbour's.
responders()
{
	pgrep -P "$(program_pid controller)" '^(config|agents|status|watch)'
}

all()
{
	[ "$(responders | wc -l)" = 5 ]
}

# only WORKER COMMAND...: while the other one stands still.
only()
{
	local one=$1 other failed=0
	shift
	other=$(workers | grep -vx "$one")
	kill -s STOP "$other"
	"$@" || failed=1
	kill -s CONT "$other"
	return $failed
}

# asked STATUS FIELD...: what /config answers.
asked()
{
	local code=$1 field ask=()
	shift
	for field; do
		ask+=(-H "$field")
	done
	[ "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' "${ask[@]}" \
	    "$base/config")" = "$code" ]
}

# alone STATUS FIELD...: likewise, while no responder can answer.
alone()
{
	local failed=0 pids
	mapfile -t pids < <(responders)
	kill -s STOP "${pids[@]}"
	asked "$@" || failed=1
	kill -s CONT "${pids[@]}"
	return $failed
}

# register: sets id, bearer.
register()
{
	request POST /register "$AGENT_KEY" --data '{}' && expect_status 200 ||
	    return
	id=$(jq -r .agent_id "$dir/body")
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
}

# poll_start NAME SECONDS: held; its status will be in $dir/NAME.done.
poll_start()
{
	rm -f "$dir/$1".{done,body}
	(
		program_close
		curl -s --max-time 90 -H "$AGENT_KEY" \
		    -H "If-None-Match: $etag" -o "$dir/$1.body" \
		    -w '%{http_code}' "$base/config?wait=$2" >"$dir/$1.new"
		mv "$dir/$1.new" "$dir/$1.done"
	) </dev/null >/dev/null 2>&1 &
}

poll_end()
{
	wait_until -t 60 [ -e "$dir/$1.done" ] && status=$(cat "$dir/$1.done")
}

held()
{
	request GET /metrics "$ADMIN_KEY" &&
	    grep -qxF "dcm_polls_held $1" "$dir/body"
}

# each_holds: a poll through either worker, named after its process id.
each_holds()
{
	local worker n=0
	for worker in $(workers); do
		n=$((n + 1))
		only "$worker" poll_through "$worker" $n || return
	done
}

poll_through()
{
	poll_start "$1" 60 && wait_until held "$2"
}

publish()
{
	request POST /config "$ADMIN_KEY" --data \
	    "{\"url\":\"http://a/$RANDOM$RANDOM\"}" && expect_status 201
}

has_magnet()
{
	lighttpd_has mod_magnet || skip "lighttpd has no mod_magnet"
}

@test "each worker has a fast path, which knows what is published" {
	has_magnet
	for worker in $(workers); do
		wait_until only "$worker" alone 304 "$AGENT_KEY" \
		    "If-None-Match: $etag"
	done
	publish
	new=$(header ETag)
	for worker in $(workers); do
		# who knows it is not told of an older one
		only "$worker" asked 304 "$AGENT_KEY" "If-None-Match: $new"
		wait_until only "$worker" alone 200 "$AGENT_KEY" \
		    "If-None-Match: $etag"
	done
}

@test "a token that was rotated or deleted stops in each within two seconds" {
	has_magnet
	register
	old=$bearer
	for worker in $(workers); do
		wait_until only "$worker" alone 200 "$old"
	done
	request POST "/agents/$id/token" "$ADMIN_KEY" --data ''
	expect_status 200
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	sleep 1
	for worker in $(workers); do
		only "$worker" asked 401 "$old"
		wait_until only "$worker" alone 200 "$bearer"
	done
	request DELETE "/agents/$id" "$ADMIN_KEY"
	expect_status 204
	sleep 1
	for worker in $(workers); do
		only "$worker" asked 401 "$bearer"
	done
}

# counted: polls that lighttpd answered, by /metrics.
counted()
{
	request GET /metrics "$ADMIN_KEY" &&
	    awk '/^dcm_requests_total{responder="lighttpd"/ { n += $2 }
	    END { print n + 0 }' "$dir/body"
}

settled()
{
	[ -z "$(find "$dir/state/beats" -name '[0-9]*')" ]
}

@test "the heartbeats of both are written down, and their polls counted" {
	has_magnet
	wait_until settled
	before=$(counted)
	told=$version
	for worker in $(workers); do
		register
		ids+=("$id")
		for n in 1 2 3 4 5; do
			wait_until only "$worker" alone 304 "$bearer" \
			    "If-None-Match: $etag" 'X-Agent-State: ok' \
			    "X-Applied-Version: $told"
		done
		told=$((told - 1))
	done
	more()
	{
		settled && [ "$(counted)" = $((before + 10)) ]
	}
	wait_until more
	for id in "${ids[@]}"; do
		request GET "/agents/$id" "$ADMIN_KEY"
		expect_json --argjson version "$version" \
		    '.applied_version == $version and .state == "ok"'
		version=$((version - 1))
	done
}

@test "polls that both wait for are released by one version" {
	each_holds
	publish
	for worker in $(workers); do
		poll_end "$worker"
		[ "$status" = 200 ]
		[ "$(jq .version "$dir/$worker.body")" = $((version + 1)) ]
	done
	wait_until held 0
}

@test "a worker that is killed takes its own polls with it, and no others" {
	each_holds
	mapfile -t pids < <(workers)
	kill -s KILL "${pids[0]}"
	poll_end "${pids[0]}"
	[ "$status" = 000 ]
	wait_until two
	before=$(responders)
	publish
	new=$(header ETag)
	poll_end "${pids[1]}"
	[ "$status" = 200 ]
	wait_until held 0
	[ "$(responders)" = "$before" ]
	# the new one has a fast path and polls as the old one had
	etag=$new
	each_holds
	publish
	for worker in $(workers); do
		poll_end "$worker"
		[ "$status" = 200 ]
	done
	! lighttpd_has mod_magnet || wait_until alone 200 "$AGENT_KEY"
}

@test "a responder that is killed is started again, for both" {
	each_holds
	for pid in $(responders); do
		kill -s KILL "$pid"
	done
	for worker in $(workers); do
		wait_until only "$worker" asked 304 "$AGENT_KEY" \
		    "If-None-Match: $etag" 'Cache-Control: no-cache'
	done
	wait_until all
	for worker in $(workers); do
		poll_end "$worker"
		[[ $status = 304 || $status = 5* ]]
	done
	wait_until each_holds
	publish
	for worker in $(workers); do
		poll_end "$worker"
		[ "$status" = 200 ]
	done
}

# gone PID...
gone()
{
	local pid
	for pid; do
		process_gone "$pid" || return
	done
}

@test "a graceful restart answers what is held, with other responders" {
	each_holds
	mapfile -t old < <(workers; responders)
	kill -s USR1 "$(program_pid controller)"
	for worker in "${old[@]:0:2}"; do
		poll_end "$worker"
		[ "$status" = 304 ]
	done
	wait_until gone "${old[@]}"
	program_runs controller
	wait_until two
	wait_until asked 304 "$AGENT_KEY" "If-None-Match: $etag"
	each_holds
	publish
	for worker in $(workers); do
		poll_end "$worker"
		[ "$status" = 200 ]
	done
}

@test "SIGTERM and SIGINT end workers and responders" {
	for signal in TERM INT; do
		wait_until all
		mapfile -t pids < <(workers; responders)
		program_stop controller "$signal"
		gone "${pids[@]}"
		controller_again
		wait_until two
	done
}

@test "kill -9 of lighttpd leaves no responder, and its workers tell nothing" {
	wait_until all
	mapfile -t pids < <(responders)
	mapfile -t left < <(workers)
	kill -s KILL "$(program_pid controller)"
	wait_until gone "${pids[@]}"
	wait_until program_gone controller
	# lighttpd's own workers live on; what nobody vouches for any more they
	# do not tell
	wait_until asked 503 "$AGENT_KEY"
	kill -s TERM "${left[@]}"
	wait_until gone "${left[@]}"
	rm "$dir/controller.pid"
	controller_again
	request GET /health
	expect_status 200
}
