# worker.bash: what the files about the worker alone stand on; loads the
# helper.

# shellcheck disable=SC2154	# of the helper
load helper
export SWAGGER=worker/swagger.yaml

# not COMMAND: bats looks at the status of a command, not of "!".
not()
{
	if "$@"; then
		echo "should have failed: $*" >&2
		return 1
	fi
}

# own [NAME=value ...]: a worker for one test beside that of the file; the
# one before it is stopped.
worker_name=worker
own()
{
	worker_name=own
	program_stop own
	worker_start "$@"
}

# worker_start [NAME=value ...]: the program $worker_name; sets $base.
worker_start()
{
	local try
	for try in 1 2 3; do
		worker_port=$(port_free)
		base=http://127.0.0.1:$worker_port
		export base worker_port
		program_start "$worker_name" env -i PATH="$PATH" \
		    ASAN_OPTIONS="${ASAN_OPTIONS-}" \
		    UBSAN_OPTIONS="${UBSAN_OPTIONS-}" BIND_ADDRESS=127.0.0.1 \
		    STATE_DIR="$dir/$worker_name" WORKER_PORT="$worker_port" \
		    "$@" "$bin/dcm-worker"
		wait_until worker_answers &&
		    program_runs "$worker_name" && return 0
		echo "start $try of the worker failed:" >&2
		tail -n 20 "$dir/$worker_name.log" >&2
		program_stop "$worker_name" KILL
	done
	return 1
}

# For the wait: also when it died, which ends the waiting.
worker_answers()
{
	program_gone "$worker_name" ||
	    [ "$(curl -so /dev/null -w '%{http_code}' "$base/health")" = 200 ]
}

# target_start: the web server of odd habits; sets $target, $target2 (the
# same on 127.0.0.2) and $events.
target_start()
{
	local port
	events=$dir/target.events
	: >"$events"
	rm -f "$dir/target.port"	# of one that is gone
	program_start target python3 "$top/tests/bats/target.py" \
	    "$dir/target.port" "$events"
	wait_until test -s "$dir/target.port" || return
	port=$(<"$dir/target.port")
	target=http://127.0.0.1:$port
	target2=http://127.0.0.2:$port
	export target target2 events
}

# site_start: lighttpd with the files of $dir/site; sets $site.
site_start()
{
	local port
	port=$(port_free)
	mkdir -p "$dir/site"
	cat >"$dir/site.conf" <<-CONF
	server.bind = "127.0.0.1"
	server.port = $port
	server.document-root = "$dir/site"
	mimetype.assign = ( ".txt" => "text/plain", ".bin" =>
	    "application/octet-stream" )
	CONF
	program_start site lighttpd -D -f "$dir/site.conf"
	site=http://127.0.0.1:$port
	export site
	wait_until port_open "$port"
}

# put DOCUMENT: a bare document, accepted.
put()
{
	request POST /config --data "$1" && expect_status 200
}

# put_url URL: the same, of the URL alone.
put_url()
{
	put "{\"url\":\"$1\"}"
}

# hit: asks for /hit; as `request`.
hit()
{
	request GET /hit
}

# state FILTER: a filter that is true of /state.
state()
{
	curl -s "$base/state" | json_true "$1"
}

event()
{
	grep -qE -- "$1" "$events"
}
