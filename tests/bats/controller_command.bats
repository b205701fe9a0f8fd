# controller_command.bats: dcm-controller on the command line, and how a
# responder begins and ends.

load helper

setup()
{
	dir=$BATS_TEST_TMPDIR
}

teardown()
{
	programs_stop
}

# command ARGUMENT...: with these settings and no others; sets $status,
# $output and $lines.
settings=(AGENT_API_KEY=a ADMIN_API_KEY=b)
command_run()
{
	run env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS-}" \
	    UBSAN_OPTIONS="${UBSAN_OPTIONS-}" STATE_DIR="$dir/state" \
	    "${settings[@]}" "$bin/dcm-controller" "$@"
}

says()
{
	grep -qE -- "$1" <<<"$output" || {
		echo "nothing like \"$1\" in: $output" >&2
		return 1
	}
}

@test "--version and --help say what it is and takes" {
	command_run --version
	[ "$status" = 0 ]
	says '^dcm-controller [0-9]+\.[0-9]+'
	command_run --help
	[ "$status" = 0 ]
	for name in --migrate --check --openapi --config STATE_DIR DB_PATH \
	    DB_JOURNAL ADMIN_API_KEY DEFAULT_CONFIG CONFIG_MAX_BYTES; do
		says "$name"
	done
}

@test "arguments that make no sense get the usage" {
	for wrong in '' --nothing 'x' '--check --migrate' '--config' \
	    '--check x'; do
		# shellcheck disable=SC2086	# words
		command_run $wrong
		[ "$status" = 2 ]
		says '^usage:|usage:'
	done
}

@test "--check of a fresh state is good, and makes nothing" {
	command_run --check
	[ "$status" = 0 ]
	says '^ok .*settings'
	says '^ok .*credentials'
	refute says '^bad'
	[ ! -e "$dir/state" ]
}

@test "--migrate makes the database, also twenty at once, and is done then" {
	pids=()
	for n in {1..20}; do
		(
			command_run --migrate
			[ "$status" = 0 ] || { echo "$output"; exit 1; }
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	command_run --migrate
	[ "$status" = 0 ]
	says 'version is 0'
	command_run --check
	[ "$status" = 0 ]
	[ "$(stat -c %a "$dir/state/controller.db")" = 600 ]
	[ "$(stat -c %a "$dir/state")" = 700 ]
}

@test "--check names each credential that is missing" {
	settings=(AGENT_API_KEY=a ADMIN_USERNAME=x)
	command_run --check
	[ "$status" = 1 ]
	says '^bad .*ADMIN_PASSWORD is not set'
	settings=(ADMIN_API_KEY=a)
	command_run --check
	[ "$status" = 1 ]
	says '^bad .*AGENT_API_KEY'
}

@test "--check finds a key that others may read, and one that is none" {
	mkdir -p "$dir/state"
	head -c 32 /dev/urandom >"$dir/state/token.key"
	chmod 644 "$dir/state/token.key"
	command_run --check
	[ "$status" = 1 ]
	says '^bad .*token.key.*600'
	chmod 600 "$dir/state/token.key"
	command_run --check
	[ "$status" = 0 ]
	echo short >"$dir/state/token.key"
	command_run --check
	[ "$status" = 1 ]
	says '^bad .*token.key.*32 bytes'
}

@test "--check finds damage inside the database" {
	command_run --migrate
	python3 - "$dir/state/controller.db" <<-'PY'
	import sqlite3, sys
	c = sqlite3.connect(sys.argv[1])
	c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	c.close()
	f = open(sys.argv[1], "r+b")
	f.seek(4096)
	f.write(b"\x55" * 4096)
	f.close()
	PY
	command_run --check
	[ "$status" = 1 ]
	says '^bad .*controller.db'
}

@test "a wrong setting is named with its value and what is allowed" {
	for wrong in DB_JOURNAL=off DEFAULT_POLL_INTERVAL=0 \
	    DEFAULT_POLL_INTERVAL=1.5 POLL_INTERVAL_SECONDS=x \
	    CONFIG_MAX_BYTES=-1 LOG_LEVEL=loud BASE_PATH=dcm \
	    CONTROLLER_PORT=65536; do
		settings=(AGENT_API_KEY=a ADMIN_API_KEY=b "$wrong")
		command_run --check
		[ "$status" = 1 ]
		says "${wrong%%=*}"
		says "${wrong#*=}"
	done
	for wrong in '{' '[]' '{}' '{"url":"ftp://a"}' \
	    '{"url":"http://a","poll_interval_seconds":0}'; do
		settings=(AGENT_API_KEY=a ADMIN_API_KEY=b
		    "DEFAULT_CONFIG=$wrong")
		command_run --migrate
		[ "$status" = 1 ]
		says '^DEFAULT_CONFIG'
	done
	settings=(AGENT_API_KEY=a ADMIN_API_KEY_FILE=/nonexistent/key)
	command_run --check
	[ "$status" = 1 ]
	says ADMIN_API_KEY_FILE
}

@test "settings come from --config, and the environment goes first" {
	printf '%s\n' '# of the tests' 'export STATE_DIR=/nonexistent' \
	    "ADMIN_API_KEY='x'" 'AGENT_API_KEY="y"' >"$dir/conf"
	settings=()
	command_run --check --config "$dir/conf"
	[ "$status" = 0 ]
	says "$dir/state"
	echo 'half a line' >>"$dir/conf"
	command_run --check --config "$dir/conf"
	[ "$status" = 1 ]
	says 'conf:5'
	command_run --check --config "$dir/none"
	[ "$status" = 1 ]
	says 'none'
}

# responder NAME SETTING...: on a socket of its own, as a web server would
# start it; sets $status and $output.
responder()
{
	local name=$1
	shift
	run timeout 20 python3 - "$dir/socket" "$bin/$name" "$@" <<-'PY'
	import os, socket, subprocess, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen()
	env = dict(a.split("=", 1) for a in sys.argv[3:])
	env["PATH"] = os.environ["PATH"]
	sys.exit(subprocess.run([sys.argv[2]], stdin=s, env=env).returncode)
	PY
}

@test "a wrong setting stops a responder before it serves" {
	responder config.fcgi STATE_DIR="$dir/state" DB_JOURNAL=off
	[ "$status" = 1 ]
	says 'DB_JOURNAL'
	says 'off'
	[ ! -e "$dir/state" ]
}

@test "plain CGI does not take its query for arguments" {
	run env -i STATE_DIR="$dir/state" GATEWAY_INTERFACE=CGI/1.1 \
	    REQUEST_METHOD=GET SCRIPT_NAME= PATH_INFO=/health \
	    QUERY_STRING=--version "$bin/config.fcgi" --version
	[ "$status" = 0 ]
	says '^Status: 400'
	refute says '^dcm-controller'
}

@test "plain CGI names a setting that is wrong, and not its value" {
	run env -i STATE_DIR="$dir/state" GATEWAY_INTERFACE=CGI/1.1 \
	    REQUEST_METHOD=GET SCRIPT_NAME= PATH_INFO=/config \
	    DB_JOURNAL=a-value "$bin/config.fcgi" 2>/dev/null
	[ "$status" = 0 ]
	says '^Status: 503'
	says 'DB_JOURNAL'
}

@test "a web server that is killed leaves no responder behind" {
	TRANSPORT=standalone controller_start
	mapfile -t pids < <(pgrep -P "$(program_pid controller)")
	[ ${#pids[@]} -ge 3 ]
	program_stop controller KILL
	for pid in "${pids[@]}"; do
		wait_until process_gone "$pid"
	done
}
