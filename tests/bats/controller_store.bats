# controller_store.bats: the controller when its database is not well, its
# settings are not set, or its process is killed. Each test has a state of
# its own.
# transports: standalone mount cgi

load helper

setup()
{
	dir=$BATS_TEST_TMPDIR
	real=$bin
	db=$dir/state/controller.db
}

teardown()
{
	programs_stop
}

# wrapped COMMAND...: from now on it runs the programs.
wrapped()
{
	local name
	bin=$dir/bin
	mkdir -p "$bin"
	for name in config.fcgi agents.fcgi status.fcgi watch.fcgi \
	    dcm-controller; do
		printf '%s\n' '#!/bin/sh' "exec $* $real/$name \"\$@\"" \
		    >"$bin/$name"
		chmod +x "$bin/$name"
	done
}

# bound: from now on the programs run as root does not: permissions count.
bound()
{
	[ "$(id -u)" = 0 ] || return 0
	wrapped setpriv --bounding-set -dac_override,-dac_read_search,-fowner
}

publish()
{
	request POST /config "${ADMIN[@]}" --data "{\"url\":\"$1\"}"
}

# settled: what is committed is in the database's file itself, without a WAL.
settled()
{
	python3 - "$db" <<-'PY'
	import sqlite3, sys
	c = sqlite3.connect(sys.argv[1])
	c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	c.close()
	PY
	rm -f "$db-wal" "$db-shm"
}

# sql TEXT: on the database.
sql()
{
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
print(*[r[0] for r in c.execute(sys.argv[2])])' "$db" "$1"
}

# down PATTERN: reads and writes are refused with such a detail, and the
# program lives.
down()
{
	request GET /config "$AGENT_KEY" && expect_problem 503 "$1" &&
	    request GET /config/1 "$AGENT_KEY" && expect_problem 503 "$1" &&
	    request GET /agents "$ADMIN_KEY" && expect_problem 503 "$1" &&
	    request POST /register "$AGENT_KEY" --data '{}' &&
	    expect_problem 503 "$1" &&
	    publish http://lost && expect_problem 503 "$1" &&
	    request GET /ready && expect_problem 503 "$1" &&
	    request GET /health && expect_status 200
}

# up VERSION: it works again, and nothing was lost.
up()
{
	wait_until is_ready && request GET /config "$AGENT_KEY" &&
	    expect_status 200 && expect_json ".version == $1" &&
	    publish "http://again/$1" && expect_status 201 &&
	    expect_json ".version == $1 + 1"
}

is_ready()
{
	request GET /ready && expect_status 200
}

@test "garbage in place of the database is refused, and left alone" {
	controller_start
	publish http://first
	controller_stop
	settled
	mv "$db" "$dir/kept"
	head -c 20000 /dev/urandom >"$db"
	cp "$db" "$dir/garbage"
	controller_again
	down 'not a database'
	"$bin/dcm-controller" --version
	refute env -i STATE_DIR="$dir/state" "$bin/dcm-controller" --check \
	    >"$dir/check"
	grep -q '^bad .*controller.db: .*not a database' "$dir/check"
	cmp "$db" "$dir/garbage"
	mv "$dir/kept" "$db"
	up 1
}

@test "a database from a newer version is refused, and left alone" {
	controller_start
	publish http://first
	controller_stop
	settled
	schema=$(sql 'PRAGMA user_version')
	sql 'PRAGMA user_version=999'
	cp "$db" "$dir/newer"
	controller_again
	down 'newer version.*999'
	for option in --check --migrate; do
		run env -i STATE_DIR="$dir/state" AGENT_API_KEY=a \
		    ADMIN_API_KEY=b "$bin/dcm-controller" "$option"
		[ "$status" = 1 ]
		[[ $output == *999* ]]
	done
	controller_stop
	settled
	cmp "$db" "$dir/newer"
	controller_again
	sql "PRAGMA user_version=$schema"
	up 1
}

@test "a database of another program is refused, and left alone" {
	controller_settings
	sql 'CREATE TABLE theirs (a)'
	controller_again
	down 'another program'
	[ "$(sql 'SELECT count(*) FROM sqlite_master')" = 1 ]
}

@test "a read-only database can be read, and says why it is not written" {
	bound
	controller_start
	publish http://first
	controller_stop
	settled
	chmod 444 "$db"
	controller_again
	request GET /config "$AGENT_KEY"
	expect_status 200
	expect_json '.version == 1'
	publish http://lost
	expect_problem 503 'read-only'
	request POST /register "$AGENT_KEY" --data '{}'
	expect_problem 503 'read-only'
	request GET /ready
	expect_problem 503 'read-only'
	chmod 600 "$db"*	# SQLite made the others like it
	up 1
}

@test "a folder that may not be written is said" {
	bound
	controller_start
	publish http://first
	controller_stop
	settled
	chmod 500 "$dir/state"
	controller_again
	request GET /ready
	expect_problem 503
	publish http://lost
	expect_problem 503
	request GET /health
	expect_status 200
	chmod 700 "$dir/state"
	up 1
}

@test "where no file may grow, writes are refused, and nothing is lost" {
	local large
	controller_start
	publish http://first
	controller_stop
	wrapped prlimit --fsize=65536
	controller_again
	large=$(printf %060000d 0)
	request POST /config "${ADMIN[@]}" \
	    --data "{\"url\":\"http://lost\",\"x\":\"$large\"}"
	expect_problem 503
	request GET /ready
	expect_problem 503 'no space left'
	request GET /config "$AGENT_KEY"
	expect_status 200
	expect_json '.data.url == "http://first"'
	controller_stop
	bin=$real
	controller_again
	up 1
}

@test "a folder in place of the database is said" {
	controller_settings
	mkdir -p "$db"
	controller_again
	down 'cannot be opened'
	rmdir "$db"
	up 0
}

@test "while another process has it locked, reads go on and writes wait" {
	controller_start
	publish http://first
	mkfifo "$dir/hold"
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
open(sys.argv[2]).read()
c.execute("COMMIT")' "$db" "$dir/hold" 3>&- &
	holder=$!
	exec 8>"$dir/hold"
	wait_until -t 10 is_locked
	request GET /config "$AGENT_KEY"
	expect_status 200
	publish http://lost
	expect_problem 503 locked
	expect_header Retry-After '[0-9]+'
	request GET /ready
	expect_problem 503 locked
	exec 8>&-
	wait "$holder"
	up 1
}

is_locked()
{
	refute sql 'BEGIN IMMEDIATE'
}

@test "a database that is removed is made again, and says so in the log" {
	controller_start
	publish http://first
	rm -f "$db" "$db-wal" "$db-shm"
	request GET /config "$AGENT_KEY"
	expect_status 200
	expect_json '.version == 0'
	[ "$TRANSPORT" = cgi ] || wait_until log_has controller 'was replaced'
}

@test "heartbeats that cannot be read do not stop the truth" {
	controller_start
	publish http://first
	controller_stop
	head -c 20000 /dev/urandom >"$dir/state/controller-live.db"
	rm -f "$dir"/state/controller-live.db-*
	controller_again
	request GET /config "$AGENT_KEY"
	expect_status 200
	publish http://second
	expect_status 201
	request GET /agents "$ADMIN_KEY"
	expect_status 200
	[ -e "$dir/state/controller-live.db.damaged" ]
}

@test "DB_JOURNAL=truncate makes a database without a WAL" {
	controller_start DB_JOURNAL=truncate
	publish http://first
	expect_status 201
	[ ! -e "$db-wal" ]
	[ "$(sql 'PRAGMA journal_mode')" = delete ]
	controller_stop
	controller_settings DB_JOURNAL=wal
	controller_again
	publish http://second
	expect_status 201
	[ ! -e "$db-wal" ]
}

@test "DEFAULT_CONFIG is version 1 of an empty database, and of no other" {
	controller_start 'DEFAULT_CONFIG={"data":{"url":"http://default"},"poll_interval_seconds":5}'
	request GET /config "$AGENT_KEY"
	expect_json '.version == 1 and .data.url == "http://default" and
	    .poll_interval_seconds == 5'
	publish http://second
	expect_json '.version == 2'
	controller_stop
	controller_settings 'DEFAULT_CONFIG={"url":"http://other"}'
	controller_again
	request GET /config "$AGENT_KEY"
	expect_json '.version == 2 and .data.url == "http://second"'
}

@test "DEFAULT_POLL_INTERVAL, also as POLL_INTERVAL_SECONDS, counts first" {
	controller_start POLL_INTERVAL_SECONDS=7
	request GET /config "$AGENT_KEY"
	expect_json '.poll_interval_seconds == 7'
}

@test "API_KEY is one key for both roles" {
	controller_start API_KEY=the-one-key ADMIN_API_KEY= AGENT_API_KEY=
	request POST /register 'X-API-Key: the-one-key' --data '{}'
	expect_status 200
	request GET /agents 'X-API-Key: the-one-key'
	expect_status 200
}

@test "a secret may stand in a file" {
	echo from-a-file >"$dir/key"
	controller_start ADMIN_API_KEY= ADMIN_API_KEY_FILE="$dir/key"
	request GET /agents 'X-API-Key: from-a-file'
	expect_status 200
}

@test "without an administrator's credential everything says so" {
	controller_start ADMIN_USERNAME= ADMIN_PASSWORD= ADMIN_API_KEY=
	request GET /config "$AGENT_KEY"
	expect_problem 503 ADMIN_PASSWORD
	request GET /ready
	expect_problem 503 ADMIN_PASSWORD
	request GET /health
	expect_status 200
	request GET /x
	expect_problem 404
}

@test "a request beside the mount is logged as what was asked for" {
	[ "$TRANSPORT" = cgi ] || skip "only what is below it gets there"
	controller_start BASE_PATH=/elsewhere
	request GET "/x?secret=1"
	expect_problem 404
	log_has controller '"GET /[^ "?]+/x" 404'
}

@test "a wrong setting is named to callers, and explained in the log" {
	[ "$TRANSPORT" = cgi ] || skip "it stops a responder at start"
	controller_start DEFAULT_POLL_INTERVAL=none
	request GET /config "$AGENT_KEY"
	expect_problem 503 'DEFAULT_POLL_INTERVAL$'
	log_has controller 'DEFAULT_POLL_INTERVAL.*none.*86400'
}

@test "without an agent's password the setting is named" {
	controller_start AGENT_PASSWORD= AGENT_API_KEY=
	request GET /agents "$ADMIN_KEY"
	expect_problem 503 '^AGENT_PASSWORD'
}

@test "a responder that is killed while it publishes loses nothing" {
	[ "$TRANSPORT" != cgi ] || skip "the unit test of the store does it"
	controller_start
	acknowledged=0
	for n in {1..6}; do
		for i in 1 2 3; do
			publish "http://$n/$i"
			[ "$status" != 201 ] ||
				acknowledged=$(jq .version "$dir/body")
		done
		(publish "http://$n/killed" >/dev/null 2>&1 || :) &
		# shellcheck disable=SC2046	# pids
		kill -s KILL $(responders) 2>/dev/null || :
		wait $!
		wait_until has_config
	done
	request GET /config "$AGENT_KEY"
	expect_json ".version >= $acknowledged"
	wait_until serves_the_last
	[ "$(sql 'PRAGMA integrity_check')" = ok ]
}

# The fast path's files are behind, for seconds, when a responder was killed
# between a commit and them.
serves_the_last()
{
	has_config &&
	    [ "$(sql 'SELECT count(*) FROM version')" = \
	    "$(jq .version "$dir/body")" ]
}

# Its own pool of processes answers, not that of /ready.
has_config()
{
	request GET /config "$AGENT_KEY" && expect_status 200
}

# The processes of config.fcgi that the test's web server has started.
responders()
{
	local parent
	parent=$(program_pid controller)
	ps -o pid=,comm= --ppid "$parent" | awk '/config.fcgi/ { print $1 }'
}

@test "SIGTERM lets a responder end by itself, and a new one take over" {
	[ "$TRANSPORT" != cgi ] || skip "nothing runs"
	controller_start
	was=$(responders)
	# shellcheck disable=SC2086	# pids
	kill -s TERM $was
	for pid in $was; do
		wait_until process_gone "$pid"
	done
	wait_until has_config
	publish http://after
	expect_status 201
}
