# controller_backup.bats: backups while others write, and the way back, with
# nothing stopped.
# transports: standalone mount cgi

load helper

setup_file()
{
	export PROGRAMS_STAY=1
	controller_start DEFAULT_POLL_INTERVAL=1
}

# command ARGUMENT...: dcm-controller's command line on the same state; sets
# $status and $output.
command_run()
{
	local settings
	mapfile -t settings <"$dir/controller.env"
	run env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS-}" \
	    UBSAN_OPTIONS="${UBSAN_OPTIONS-}" "${settings[@]}" \
	    "$bin/dcm-controller" "$@"
}

publish()
{
	request POST /config "${ADMIN[@]}" --data "{\"url\":\"$1\"}"
}

# present FILTER: of the present version.
present()
{
	request GET /config "$AGENT_KEY" && expect_status 200 &&
	    jq -r "$1" "$dir/body"
}

# rows FILE: how many versions a database has, after a look at its health.
rows()
{
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
assert c.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
n, top = c.execute("SELECT count(*), max(version) FROM version").fetchone()
assert n == (top or 0), (n, top)
print(n)' "$1"
}

@test "there is no backup of nothing" {
	rm -rf "$dir/none"
	run env -i STATE_DIR="$dir/none" AGENT_API_KEY=a ADMIN_API_KEY=b \
	    "$bin/dcm-controller" --backup "$dir/none.db"
	[ "$status" = 1 ]
	[[ $output == *"no database"* ]]
	[ ! -e "$dir/none.db" ]
	[ ! -e "$dir/none" ]
}

@test "a backup is one file that holds all that was acknowledged" {
	publish http://one
	publish http://two
	expect_status 201
	command_run --backup "$dir/two.db"
	[ "$status" = 0 ]
	[ "$(rows "$dir/two.db")" = 2 ]
	[ "$(stat -c %a "$dir/two.db")" = 600 ]
	[ "$(find "$dir" -maxdepth 1 -name 'two.db*' | wc -l)" = 1 ]
}

@test "a backup replaces an older one, whole or not at all" {
	publish http://three
	cp "$dir/two.db" "$dir/again.db"
	command_run --backup "$dir/again.db"
	[ "$status" = 0 ]
	[ "$(rows "$dir/again.db")" = 3 ]
	command_run --backup "$dir/nowhere/x.db"
	[ "$status" = 1 ]
	command_run --backup "$dir/state/controller.db"
	[ "$status" = 1 ]
	[[ $output == *"itself"* ]]
	mkfifo "$dir/fifo"
	command_run --backup "$dir/fifo"
	[ "$status" = 1 ]
	[ -p "$dir/fifo" ]
	[ "$(present .version)" = 3 ]
}

# Publishes until it is told to stop, and counts. A restore may keep it
# waiting for too long.
writer()
{
	local n patience=${2-}
	dir=$dir/writer.$1
	mkdir -p "$dir"
	cp "$BATS_FILE_TMPDIR/controller.env" "$dir"
	for ((n = 0; ; n++)); do
		[ ! -e "$BATS_FILE_TMPDIR/enough" ] || break
		$patience publish "http://writer-$1/$n" &&
		    expect_status 201 || exit 1
		jq .version "$dir/body" >>"$dir/made"
	done
}

# writers_begin [PATIENCE]
writers_begin()
{
	rm -f "$dir/enough"
	pids=()
	for n in 1 2; do
		writer $n "$@" >"$dir/writer.$n.log" 2>&1 &
		pids+=($!)
	done
	wait_until [ -s "$dir/writer.1/made" ]
	wait_until [ -s "$dir/writer.2/made" ]
}

writers_end()
{
	local pid failed=0
	touch "$dir/enough"
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	return $failed
}

@test "backups are whole while others publish" {
	writers_begin
	for n in 1 2 3 4 5; do
		before=$(tail -n 1 "$dir/writer.1/made")
		command_run --backup "$dir/busy.db"
		[ "$status" = 0 ]
		[ "$(rows "$dir/busy.db")" -ge "$before" ]
	done
	writers_end
	last=$(present .version)
	cat "$dir"/writer.*/made | sort -n | cmp - <(seq 4 "$last")
	rm -r "$dir"/writer.*
}

@test "a restore publishes the backup's newest, and nothing is stopped" {
	before=$(present .version)
	command_run --restore "$dir/two.db"
	[ "$status" = 0 ]
	[[ $output == *"version $((before + 1)) "*"version 2 "* ]]
	kept=${output##*database is }
	[ "$(rows "$kept")" = "$before" ]
	[ "$(dirname "$kept")" = "$dir/state" ]
	request GET /config "$AGENT_KEY"
	[ "$body" = "{\"version\":$((before + 1)),\"data\":{\"url\":\"http://two\"},\"poll_interval_seconds\":1}" ]
	publish http://after
	expect_status 201
	expect_json ".version == $((before + 2))"
	# the backup is as it was
	[ "$(rows "$dir/two.db")" = 2 ]
	[ "$(find "$dir/state" -name '*restoring*' | wc -l)" = 0 ]
}

@test "history and audit tell of the restore" {
	version=$(present .version)
	request GET '/config/history?limit=2' "${ADMIN[@]}"
	expect_json '.[1] | .author == "restore" and
	    .comment == "restored from version 2"'
	request GET '/audit?limit=2' "${ADMIN[@]}"
	expect_json ".[1] | .action == \"restore\" and
	    .who == \"command line\" and
	    .what == {\"version\":$((version - 1)),\"content_of\":2}"
	request GET /config/1 "$AGENT_KEY"
	expect_json '.data.url == "http://one"'
}

@test "a restore while others publish loses nothing that was acknowledged" {
	writers_begin unlocked
	for n in 1 2 3; do
		command_run --restore "$dir/two.db"
		[ "$status" = 0 ]
	done
	writers_end
	rm -f "$dir/state/"*.replaced-*
	rows "$dir/state/controller.db"
	cat "$dir"/writer.*/made >"$dir/acknowledged"
	mapfile -t versions <"$dir/acknowledged"
	for version in "${versions[@]}"; do
		request GET "/config/$version" "$AGENT_KEY"
		expect_json '.data.url | test("^http://writer-")'
	done
	rm -r "$dir"/writer.*
}

@test "what is no backup is refused, and nothing changes" {
	before=$(present .version)
	echo garbage >"$dir/garbage"
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.execute("CREATE TABLE theirs (a)")
c.commit()' "$dir/theirs.db"
	env -i STATE_DIR="$dir/unused" ADMIN_API_KEY=a AGENT_API_KEY=b sh -c \
	    '"$0" --migrate && "$0" --backup "$1"' "$bin/dcm-controller" \
	    "$dir/empty.db"
	for wrong in "$dir/garbage" "$dir/theirs.db" "$dir/nothing" "$dir" \
	    /dev/null "$dir/state/controller.db" "$dir/empty.db"; do
		command_run --restore "$wrong"
		[ "$status" = 1 ]
	done
	[[ $output == *"nothing was published"*"$dir/empty.db" ]]
	[ "$(present .version)" = "$before" ]
	for wrong in --restore --backup '--restore x --backup y' \
	    '--restore x y'; do
		# shellcheck disable=SC2086	# words
		command_run $wrong
		[ "$status" = 2 ]
	done
}

@test "a database that is lost is restored, under responders that run" {
	version=$(present .version)
	command_run --backup "$dir/last.db"
	[ "$status" = 0 ]
	rm -f "$dir/state/controller.db"*
	command_run --restore "$dir/last.db"
	[ "$status" = 0 ]
	# a responder may have made an empty one before the restore came
	kept=${output##*database is }
	if [ "$kept" != "$output" ]; then
		[ "$TRANSPORT" != cgi ]
		[ "$(rows "$kept")" = 0 ]
	fi
	[ "$(present .version)" = $((version + 1)) ]
	publish http://found
	expect_json ".version == $((version + 2))"
}

@test "a database that is garbage is put aside, under responders that run" {
	version=$(present .version)
	command_run --backup "$dir/last.db"
	head -c 20000 /dev/zero | tr '\0' x >"$dir/garbage"
	rm -f "$dir/state/controller.db-"*
	mv "$dir/garbage" "$dir/state/controller.db"
	# lighttpd's fast path hears of it from a responder
	broken()
	{
		request GET /config "$AGENT_KEY" && [ "$status" = 503 ]
	}
	wait_until broken
	expect_problem 503
	command_run --restore "$dir/last.db"
	[ "$status" = 0 ]
	kept=${output##*database is }
	[ "$(head -c 5 "$kept")" = xxxxx ]
	[ "$(present .version)" = $((version + 1)) ]
	publish http://mended
	expect_status 201
}

# agent_has VERSION: what the agent says, and the worker.
agent_has()
{
	local agent worker
	agent=http://127.0.0.1:$(cat "$dir/agent.port")
	worker=http://127.0.0.1:$(cat "$dir/worker.port")
	[ "$(curl -s "$agent/state" | jq .applied_version)" = "$1" ] &&
	    [ "$(curl -s "$worker/state" | jq .version)" = "$1" ]
}

@test "agents converge on what was restored, without help" {
	[ "$TRANSPORT" != cgi ] || skip "nothing runs"
	worker_start
	agent_start
	publish http://good
	good=$(jq .version "$dir/body")
	wait_until -t 60 agent_has "$good"
	command_run --backup "$dir/good.db"
	publish http://bad
	publish http://worse
	wait_until -t 60 agent_has $((good + 2))
	command_run --restore "$dir/good.db"
	[ "$status" = 0 ]
	wait_until -t 60 agent_has $((good + 3))
	[ "$(curl -s -H 'X-API-Key: worker-key-of-the-tests' \
	    "$worker/config" | jq -r .data.url)" = http://good ]
}

@test "agents converge also when all but an older backup is lost" {
	[ "$TRANSPORT" != cgi ] || skip "nothing runs"
	rm -f "$dir/state/controller"*
	command_run --restore "$dir/good.db"
	[ "$status" = 0 ]
	version=$(present .version)
	wait_until -t 60 agent_has "$version"
	id=$(curl -s "http://127.0.0.1:$(cat "$dir/agent.port")/state" |
	    jq -r .agent_id)
	request GET /agents "$ADMIN_KEY"
	expect_json --arg id "$id" '[.[].id] | index($id) != null'
}
