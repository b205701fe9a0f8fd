#!/bin/bash
# agents.sh: GET /agents with a million agents, beside the same page of a
# controller that has a thousand; and what looking for silent ones costs.
#
# AGENTS (1000000): how many. ROUNDS (500): requests of a row.
# shellcheck source=tests/bench/table.bash
. "$(dirname "$0")/table.bash"

many=${AGENTS:-1000000} few=1000 rounds=${ROUNDS:-500}

# fleet COUNT: that many agents in truth and in liveness, all of them heard of
# just now: one of a hundred has the version before, one of a thousand a later
# one, and as many failed.
# Ids are spread evenly and sorted, as the tables are.
fleet()
{
	python3 - "$dir/state" "$1" <<-'PYTHON'
	import sqlite3, sys, time
	folder, count = sys.argv[1], int(sys.argv[2])
	numbers = """WITH RECURSIVE n(i) AS (
	    SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT %d)""" % count
	uuid = """printf('%%08x-0000-4000-8000-%%012x',
	    i * (4294967296 / %d), i)""" % count
	now = int(time.time() * 1000)

	def fill(name, sql):
	    db = sqlite3.connect(folder + name)
	    db.create_function('key', 1,
	        lambda text: bytes.fromhex(text.replace('-', '')))
	    db.executescript('PRAGMA synchronous=OFF; BEGIN;' + numbers +
	        sql + '; COMMIT')
	    db.close()

	fill('/controller.db', """
	    INSERT INTO agent SELECT %s, 'host-' || i, '192.0.2.7', 8081,
	    '{"rack":"' || i %% 100 || '"}', '"0.1.0"', '192.0.2.7',
	    %d, 1, 1 FROM n""" % (uuid, now))
	fill('/controller-live.db', """
	    INSERT INTO live (id, last_poll, applied_version, highest, said,
	    state) SELECT key(%s), %d, v, v, s, s FROM (
	    SELECT i, 2 - (i %% 100 = 7) + (i %% 1000 = 501) AS v,
	    CASE WHEN i %% 1000 = 1 THEN 'failed' ELSE 'ok' END AS s
	    FROM n);
	    INSERT INTO tally SELECT state, applied_version, count(*) FROM
	    live GROUP BY state, applied_version""" % (uuid, now))
	PYTHON
}

# page QUERY [TIMES]: what a request costs, in us of a processor.
page()
{
	local i before after rounds=$((rounds * ${2:-1}))
	for ((i = 0; i < rounds; i++)); do
		echo "url = \"$base/agents?$1\""
		echo "output = \"$dir/page\""
	done >"$dir/urls"
	before=$(bench_cpu "$(program_pid controller)")
	curl -sSf -H "$ADMIN_KEY" -K "$dir/urls"
	after=$(bench_cpu "$(program_pid controller)")
	bench_calc "($after - $before) / $rounds"
}

# The last hundred of COUNT.
last()
{
	local apart=$((4294967296 / $1))
	printf '%08x-0000-4000-8000-000000000000' $((apart * ($1 - 100)))
}

middle=80000000-0000-4000-8000-000000000000
names=('the first page' 'a page of the middle' 'the last page'
    'state=ok, the middle' 'version=2, the middle'
    'state=ok and version=2' 'version=1, one of a hundred'
    'version=3, one of a thousand' 'state=failed and version=2'
    'state=failed, the total')
aims=('x<=1.5' 'x<=1.5' 'x<=1.5' 'x<=1.5' 'x<=1.5' 'x<=1.5' - - - 'x<=1.5')

# pages COUNT: one of each kind, a line each.
pages()
{
	page limit=100
	page "limit=100&after=$middle"
	page "limit=100&after=$(last "$1")"
	page "limit=100&after=$middle&state=ok"
	page "limit=100&after=$middle&version=2"
	page "limit=100&after=$middle&version=2&state=ok"
	page "limit=100&after=$middle&version=1"
	page "limit=100&after=$middle&version=3"
	page 'limit=100&version=2&state=failed'
	page 'limit=1&state=failed' 5
}

# What an older program knew of agents is given numbers first.
numbered()
{
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60)
sys.exit(db.execute("SELECT EXISTS (SELECT 1 FROM live INDEXED BY live_apart "
    "WHERE number IS NULL AND last_poll > 0)").fetchone()[0])' \
	    "$dir/state/controller-live.db"
}

# fill COUNT: a controller with so many agents, in a new folder.
fill()
{
	rm -rf "$dir/state"
	controller_start LOG_LEVEL=error DEFAULT_POLL_INTERVAL=3600
	request POST /config "$ADMIN_KEY" --data '{"url":"https://ip.me"}'
	request GET /agents "$ADMIN_KEY"
	program_stop controller
	fleet "$1"
	controller_again
	request GET /agents "$ADMIN_KEY"
	expect_header X-Total-Count "$1"
	wait_until -t 120 numbered
}

for count in "$few" "$many"; do
	bench_say "$count agents"
	fill "$count"
	pages "$count" >"$dir/times.$count"
	[ "$count" = "$many" ] || program_stop controller
done
for i in "${!names[@]}"; do
	bench_row 'GET /agents, a million of them : a thousand' \
	    "${names[i]}" "$(sed -n "$((i + 1))p" "$dir/times.$many")" \
	    "$(sed -n "$((i + 1))p" "$dir/times.$few")" us "${aims[i]}"
done

# Nobody asks for ten seconds: what the processes do by themselves.
before=$(bench_cpu "$(program_pid controller)")
sleep 10
after=$(bench_cpu "$(program_pid controller)")
bench_row 'GET /agents, a million of them : a thousand' \
    'looking for silent ones, of a processor' \
    "$(bench_calc "($after - $before) / 1e5")" - % '<=5'

# All fall silent at once.
offline()
{
	request GET '/agents?state=offline&limit=1' "$ADMIN_KEY" &&
	    expect_header X-Total-Count "$1"
}
python3 -c 'import sqlite3, sys
def back(said):
    ago = 20000000
    return b"".join((int.from_bytes(said[i:i + 6], "big") - ago).to_bytes(
        6, "big") + said[i + 6:i + 12] if any(said[i:i + 6]) else
        said[i:i + 12] for i in range(0, len(said), 12))
db = sqlite3.connect(sys.argv[1], timeout=60)
db.create_function("back", 1, back)
db.execute("UPDATE pulse SET said = back(said)")
db.commit()' "$dir/state/controller-live.db"
begun=$(date +%s%N)
wait_until -t 300 offline "$many"
bench_row 'GET /agents, a million of them : a thousand' \
    'until all are shown offline' \
    "$(bench_calc "($(date +%s%N) - $begun) / 1e9")" - s '<=30'
