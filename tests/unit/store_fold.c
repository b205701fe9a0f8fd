/*
 * What is counted beside the rows and entries of agents. It is what these
 * say, whatever beats come, in whatever order, and also after a fold that
 * failed.
 */
#include <limits.h>

#include "unit.h"

#include "../../cgi/store_sqlite_fold.c"

#include "beats_here.h"

enum { AGENTS = 40, BATCH = 60, ROUNDS = 60, VERSIONS = 6 };

static int
dice(int sides)
{
	static uint64_t seed = 4711;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (unsigned)sides);
}

/* The agents whose entry is not what their row says. */
static int
odd_entries(void)
{
	sqlite3_stmt *row = NULL;
	int odd = 0;

	CHECK_INT(sqlite3_prepare_v2(s->live.db, "SELECT number, "
	    "applied_version, state, pulse.said FROM live LEFT JOIN pulse "
	    "ON page = number / ?1 WHERE number IS NOT NULL", -1, &row, NULL),
	    SQLITE_OK);
	sqlite3_bind_int64(row, 1, STORE_PULSE_AGENTS);
	while (sqlite3_step(row) == SQLITE_ROW) {
		struct store_pulse pulse;

		CHECK(store_pulse_decode(sqlite3_column_blob(row, 3),
		    sqlite3_column_bytes(row, 3), sqlite3_column_int64(row, 0),
		    &pulse));
		if (pulse.state == STORE_PULSE_UNKNOWN)
			continue;
		odd += pulse.state != store_pulse_state(
		    (const char *)sqlite3_column_text(row, 2)) ||
		    pulse.version < sqlite3_column_int64(row, 1);
	}
	sqlite3_finalize(row);
	return odd;
}

static void
folds(int count, long long at)
{
	static const char *const states[] = { NULL, "ok", "ok", "ok",
	    "failed", "no-worker" };
	struct store_beat beats[BATCH];

	for (int i = 0; i < count; i++) {
		beats[i] = beat(dice(AGENTS), at + dice(2000),
		    dice(VERSIONS + 1) - 1, states[dice(6)]);
		if (dice(10) == 0)
			beats[i].error = dice(2) == 0 ? "" : "no";
	}
	CHECK_INT(store_fold(s, beats, (size_t)count, LLONG_MAX), STORE_DONE);
}

static void
whatever_comes(bool remembers)
{
	applied = 0;
	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	store_remember(s, remembers);
	for (int n = 0; n < AGENTS; n++)
		joins(n);
	for (int n = 1; n < VERSIONS; n++)
		publishes(n);
	for (int round = 0; round < ROUNDS; round++) {
		folds(1 + dice(BATCH), round * 1000LL);
		CHECK_INT(wrong(), 0);
		CHECK_INT(store_sweep(s, round * 1000LL + 50000 +
		    dice(100000), 1000), STORE_DONE);
		CHECK_INT(wrong(), 0);
		if (dice(4) == 0)
			CHECK_INT(store_live_forget(s, name(dice(AGENTS))),
			    STORE_DONE);
		CHECK_INT(wrong(), 0);
	}
	CHECK_INT(asks("SELECT count(*) FROM live WHERE highest < "
	    "applied_version"), 0);
	CHECK_INT(odd_entries(), 0);
	CHECK(applied > AGENTS);
	CHECK_INT(asks("SELECT sum(count) FROM spread"), applied);
	store_free(s);
	folder_remove();
}

UNIT("what is counted is what the rows say, whatever comes")
{
	whatever_comes(false);
}

UNIT("also where agents are remembered")
{
	whatever_comes(true);
}

UNIT("an agent may move on from a version that nobody else has reported yet")
{
	struct store_beat beats[] = { beat(1, 1000, 1, "ok"),
		beat(1, 3000, 2, "ok"), beat(1, 3500, 2, "failed") };

	folder_make();
	s = store_here("wal");
	joins(1);
	CHECK_INT(store_fold(s, beats, 3, 9000), STORE_DONE);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("more versions at once than are counted at once")
{
	enum { MANY = STORE_TALLIES + STORE_SPREAD_VERSIONS };
	struct store_beat beats[MANY];

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= MANY; n++) {
		joins(n);
		publishes(n);
		beats[n - 1] = beat(n, 1000, 1, "ok");
	}
	CHECK_INT(store_fold(s, beats, MANY, LLONG_MAX), STORE_DONE);
	for (int n = 1; n <= MANY; n++)
		beats[n - 1] = beat(n, 2000, n, "ok");
	CHECK_INT(store_fold(s, beats, MANY, LLONG_MAX), STORE_DONE);
	CHECK_INT(wrong(), 0);
	CHECK_INT(asks("SELECT count(*) FROM spread"), MANY);
	CHECK_INT(asks("SELECT sum(count) FROM spread"), 2 * MANY - 1);
	store_free(s);
	folder_remove();
}

UNIT("an agent reports a version for the first time once, whatever it goes by")
{
	struct store_rollout r;
	long long since;

	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	applied = 0;
	joins(1);
	joins(2);
	publishes(1);
	publishes(2);
	CHECK_INT(store_rollout(s, 2, &r), STORE_DONE);
	since = r.published_at;
	tells(since + 1023, 2, "ok", NULL);
	tells(since + 1024, 1, "ok", NULL);
	tells(since + 1025, 0, "ok", NULL);
	tells(since + 1026, 2, "ok", NULL);
	CHECK_INT(applied, 1);
	CHECK_INT(store_fold(s, &(struct store_beat[]){ beat(2, since + 1000,
	    2, "ok") }[0], 1, LLONG_MAX), STORE_DONE);
	CHECK_INT(applied, 2);
	CHECK_INT(store_rollout(s, 2, &r), STORE_DONE);
	CHECK_INT(r.max, 1023);
	CHECK_INT(asks("SELECT sum(count) FROM spread WHERE version = 2"), 2);
	store_free(s);
	folder_remove();
}

static void
claims_what_never_was(bool remembers)
{
	struct store_rollout r;

	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	applied = 0;
	store_remember(s, remembers);
	joins(1);
	publishes(1);
	tells(1000, 1, "ok", NULL);
	tells(2000, 9, "ok", NULL);
	CHECK_INT(store_rollout(s, 0, &r), STORE_DONE);
	CHECK_INT(r.up_to_date, 0);
	CHECK_INT(r.behind, 1);
	tells(3000, 9, "failed", NULL);
	CHECK_INT(store_rollout(s, 0, &r), STORE_DONE);
	CHECK_INT(r.failed, 1);
	for (int n = 2; n <= 4; n++) {
		publishes(n);
		tells(2000 + n * 1000, n, "ok", NULL);
		CHECK_INT(applied, n);
		tells(2500 + n * 1000, n < 4 ? 1000000 : 4, "ok", NULL);
		CHECK_INT(applied, n);
	}
	CHECK_INT(store_rollout(s, 0, &r), STORE_DONE);
	CHECK_INT(r.up_to_date, 1);
	CHECK_INT(asks("SELECT count(*) FROM spread"), 4);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("a version that was never published keeps no later one from being counted")
{
	claims_what_never_was(false);
	claims_what_never_was(true);
}

UNIT("what went wrong is what an agent said last, be its state the same")
{
	struct store_agent a;

	folder_make();
	s = store_here("wal");
	joins(1);
	tells(1000, 1, "failed", "one");
	tells(2000, 1, "failed", "two");
	tells(3000, 1, "failed", NULL);
	CHECK_INT(store_agent(s, name(1), &a), STORE_DONE);
	CHECK_TEXT(a.error, "two");
	CHECK_INT(a.last_poll, 3000);
	store_agent_free(&a);
	tells(4000, 1, "failed", "");
	CHECK_INT(store_agent(s, name(1), &a), STORE_DONE);
	CHECK(a.error == NULL);
	store_agent_free(&a);
	store_free(s);
	folder_remove();
}

UNIT("a fold that failed has counted nothing, and told nobody")
{
	struct store_beat beats[3];

	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	applied = 0;
	for (int n = 1; n <= 3; n++) {
		joins(n);
		publishes(n);
		beats[n - 1] = beat(n, 1000, 1, "ok");
	}
	CHECK_INT(store_fold(s, beats, 3, LLONG_MAX), STORE_DONE);
	for (int n = 1; n <= 3; n++)
		beats[n - 1] = beat(n, 2000, 2, n < 3 ? "ok" : "failed");
	CHECK_INT(sqlite3_exec(s->live.db, "CREATE TEMP TRIGGER refuse BEFORE "
	    "UPDATE ON live WHEN hex(new.id) LIKE '00000003%' BEGIN "
	    "SELECT raise(ABORT, 'no'); END", NULL, NULL, NULL), SQLITE_OK);
	CHECK(store_fold(s, beats, 3, LLONG_MAX) != STORE_DONE);
	CHECK_INT(wrong(), 0);		/* opened anew: it is not refused */
	CHECK_INT(store_fold(s, beats, 3, LLONG_MAX), STORE_DONE);
	CHECK_INT(wrong(), 0);
	CHECK_INT(asks("SELECT sum(count) FROM spread WHERE version = 2"), 3);
	CHECK_INT(applied, 6);
	store_free(s);
	folder_remove();
}

UNIT("a tally that is not what the rows say is counted anew")
{
	struct store_beat b;

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= 9; n++) {
		joins(n);
		b = beat(n, 1000, n % 2, "ok");
		CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	}
	CHECK_INT(sqlite3_exec(s->live.db, "UPDATE tally SET count = count + "
	    "5 WHERE count > 0", NULL, NULL, NULL), SQLITE_OK);
	CHECK(wrong() != 0);
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(wrong(), 0);
	CHECK_INT(sqlite3_exec(s->live.db, "INSERT INTO tally "
	    "VALUES ('ok', 7, -2), ('ok', 8, 2)", NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(wrong(), 2);
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("an agent that reports what it likes does not grow the tally for ever")
{
	struct store_beat b;

	folder_make();
	s = store_here("wal");
	joins(1);
	for (int n = 1; n <= 1000; n++) {
		b = beat(1, n, n, "ok");
		CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
		if (n % 100 == 0)
			CHECK_INT(store_sweep(s, n, 1000), STORE_DONE);
	}
	CHECK(asks("SELECT count(*) FROM tally") < 400);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("what an older program has counted goes on")
{
	const char *steps[3] = { migrate_steps_live[0], migrate_steps_live[1],
	    NULL };
	struct migrate_plan plan;
	struct migrate_result result;
	struct store_beat b;
	sqlite3 *db;

	folder_make();
	s = store_here("wal");
	plan = store_file_plan(&s->live);
	plan.steps = steps;
	CHECK_INT(migrate_open(&plan, &db, &result), MIGRATE_DONE);
	CHECK_INT(sqlite3_exec(db, "INSERT INTO live (id, last_poll) "
	    "VALUES (x'00000001000040008000abcdef012345', 1); "
	    "UPDATE live SET applied_version = 1, highest = 1, state = 'ok'",
	    NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	joins(1);
	CHECK_INT(wrong(), 0);
	b = beat(1, 1000, 2, NULL);
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	CHECK_INT(wrong(), 0);
	CHECK_INT(asks("SELECT count FROM tally WHERE state = 'ok' "
	    "AND applied_version = 2"), 1);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
