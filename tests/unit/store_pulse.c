/*
 * What is known of an agent without its row: the same as with it, whoever
 * writes it, and whatever was remembered.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_pulse.c"

#include "beats_here.h"

/* What is shown of an agent, "state version time". */
static const char *
shown(int n)
{
	static char text[64];
	struct store_agent a;

	CHECK_INT(store_agent(s, name(n), &a), STORE_DONE);
	snprintf(text, sizeof(text), "%s %lld %lld", a.state,
	    a.applied_version, a.last_poll);
	store_agent_free(&a);
	return text;
}

UNIT("what an agent says is known only where it is, remembered or not")
{
	struct store_beat beats[4];

	for (int remembers = 0; remembers < 2; remembers++) {
		folder_make();
		s = store_here("wal");
		store_remember(s, remembers);
		publishes(1);
		publishes(2);
		for (int n = 1; n <= 4; n++) {
			joins(n);
			beats[n - 1] = beat(n, 1000, 1, "ok");
		}
		CHECK_INT(store_fold(s, beats, 4, LLONG_MAX), STORE_DONE);
		CHECK_INT(s->roster.count, remembers ? 4 : 0);
		/* one has it, one has it and fails, one is late, one moves */
		beats[0] = beat(1, 2000, 1, "ok");
		beats[1] = beat(2, 2000, 1, "failed");
		beats[2] = beat(3, 500, 1, "failed");
		beats[3] = beat(4, 2000, 2, "ok");
		CHECK_INT(store_fold(s, beats, 4, LLONG_MAX), STORE_DONE);
		CHECK_TEXT(shown(1), "ok 1 2000");
		CHECK_TEXT(shown(2), "failed 1 2000");
		CHECK_TEXT(shown(3), "ok 1 1000");
		CHECK_TEXT(shown(4), "ok 2 2000");
		CHECK_INT(wrong(), 0);
		/* one says little, one is late with what is known, and an
		 * agent that nobody knows */
		beats[0] = beat(2, 3000, -1, NULL);
		beats[1] = beat(4, 500, 2, "ok");
		beats[2] = beat(9, 3000, 2, "ok");
		CHECK_INT(store_fold(s, beats, 3, LLONG_MAX), STORE_DONE);
		CHECK_TEXT(shown(2), "failed 1 3000");
		CHECK_TEXT(shown(4), "ok 2 2000");
		CHECK_INT(asks("SELECT count(*) FROM live"), 4);
		CHECK_INT(asks("SELECT sum(count) FROM spread "
		    "WHERE version = 2"), 1);
		store_free(s);
		folder_remove();
	}
}

UNIT("what is remembered of an agent that was deleted is not taken for it")
{
	struct store_beat b;
	struct store *other;

	folder_make();
	s = store_here("wal");
	other = store_here("wal");
	store_remember(s, true);
	joins(1);
	joins(2);
	tells(1000, 3, "ok", NULL);
	/* another process forgets it, and adds it again */
	CHECK_INT(store_live_forget(other, name(1)), STORE_DONE);
	joins(1);
	tells(2000, 3, "ok", NULL);
	CHECK_TEXT(shown(1), "ok 3 2000");
	CHECK_INT(wrong(), 0);
	/* nor is its number another's by then */
	CHECK_INT(store_live_forget(other, name(1)), STORE_DONE);
	b = beat(2, 2500, 4, "ok");
	CHECK_INT(store_fold(other, &b, 1, LLONG_MAX), STORE_DONE);
	tells(3000, 4, "ok", NULL);
	CHECK_TEXT(shown(1), "ok 4 3000");
	CHECK_TEXT(shown(2), "ok 4 2500");
	CHECK_INT(asks("SELECT count(DISTINCT number) FROM live"), 2);
	store_free(other);
	store_free(s);
	folder_remove();
}

UNIT("what is remembered is of the file that is there")
{
	struct store_beat b;
	char live[sizeof(path) + 8];

	folder_make();
	s = store_here("wal");
	store_remember(s, true);
	joins(1);
	joins(2);
	tells(1000, 3, "ok", NULL);
	b = beat(2, 1000, 3, "ok");
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	snprintf(live, sizeof(live), "%s/controller-live.db", folder);
	CHECK(unlink(live) == 0);
	b = beat(2, 2000, 3, "ok");
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	tells(3000, 3, "ok", NULL);
	CHECK_TEXT(shown(1), "ok 3 3000");
	CHECK_TEXT(shown(2), "ok 3 2000");
	store_free(s);
	folder_remove();
}

UNIT("a number that was given in vain, as the disk was full, is forgotten")
{
	enum { MANY = STORE_PULSE_AGENTS + 1 };	/* the last wants a page more */
	static struct store_beat beats[MANY];
	struct store *other;

	folder_make();
	s = store_here("wal");
	other = store_here("wal");
	store_remember(s, true);
	for (int n = 0; n < MANY; n++) {
		joins(n);
		beats[n] = beat(n, 1000, 3, "ok");
	}
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(sqlite3_exec(s->live.db, "PRAGMA max_page_count = 1", NULL,
	    NULL, NULL), SQLITE_OK);	/* as many as there are */
	CHECK_INT(store_fold(s, beats, MANY, LLONG_MAX), STORE_FULL);
	CHECK_INT(sqlite3_exec(s->live.db, "PRAGMA max_page_count = 9999",
	    NULL, NULL, NULL), SQLITE_OK);
	CHECK_TEXT(shown(1), "new -1 0");
	beats[0] = beat(7, 2000, 3, "ok");
	CHECK_INT(store_fold(other, beats, 1, LLONG_MAX), STORE_DONE);
	for (int n = 0; n < MANY; n++)
		beats[n] = beat(n, 3000, 3, "ok");
	CHECK_INT(store_fold(s, beats, MANY, LLONG_MAX), STORE_DONE);
	CHECK_INT(asks("SELECT count(*) FROM live WHERE state = 'ok'"), MANY);
	CHECK_INT(asks("SELECT count(DISTINCT number) FROM live"), MANY);
	CHECK_TEXT(shown(1), "ok 3 3000");
	store_free(other);
	store_free(s);
	folder_remove();
}

UNIT("an agent's news are not passed over for what it said later")
{
	struct store_beat beats[2];

	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	store_remember(s, true);
	publishes(1);
	publishes(2);
	joins(1);
	tells(1000, 1, "ok", NULL);
	applied = 0;
	beats[0] = beat(1, 2000, 2, "ok");
	beats[1] = beat(1, 3000, 1, "ok");
	CHECK_INT(store_fold(s, beats, 2, LLONG_MAX), STORE_DONE);
	CHECK_INT(applied, 1);
	CHECK_TEXT(shown(1), "ok 1 3000");
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("a version of any size is kept")
{
	static const long long versions[] = { 0, 1, (1LL << 43) - 1,
		1LL << 43, (1LL << 43) + 1, 1, 999999999999999999 };

	folder_make();
	s = store_here("wal");
	store_remember(s, true);
	joins(1);
	for (size_t i = 0; i < 7; i++) {
		for (int n = 0; n < 3; n++) {
			char text[64];

			tells((long long)i * 1000 + n + 1, versions[i], "ok",
			    NULL);
			snprintf(text, sizeof(text), "ok %lld %lld",
			    versions[i], (long long)i * 1000 + n + 1);
			CHECK_TEXT(shown(1), text);
		}
		CHECK_INT(store_sweep(s, 1000000, 1000), STORE_DONE);
		CHECK_INT(asks("SELECT state = 'offline' FROM live"), 1);
		CHECK_INT(asks("SELECT instr('0123456789ABCDEF', "
		    "substr(hex(said), 24, 1)) - 1 FROM pulse") % 8,
		    STORE_PULSE_OFFLINE);
		tells((long long)i * 1000 + 900, -1, NULL, NULL);
		CHECK_INT(asks("SELECT state = 'ok' FROM live"), 1);
		CHECK_INT(wrong(), 0);
	}
	store_free(s);
	folder_remove();
}

UNIT("a version that an agent has again is no first report of it")
{
	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	applied = 0;
	for (int n = 1; n <= 5; n++)
		publishes(n);
	joins(1);
	tells(1000, 1, "ok", NULL);
	tells(2000, 5, "ok", NULL);	/* its entry alone has it */
	tells(3000, 3, "ok", NULL);
	tells(4000, 5, "ok", NULL);
	CHECK_TEXT(shown(1), "ok 5 4000");
	CHECK_INT(applied, 2);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("of two polls in the same millisecond the later one counts")
{
	struct store_beat beats[2];

	for (int remembers = 0; remembers < 2; remembers++) {
		folder_make();
		s = store_here("wal");
		store_remember(s, remembers);
		joins(1);
		tells(1000, 1, "ok", NULL);
		beats[0] = beat(1, 2000, 1, "ok");
		beats[1] = beat(1, 2000, 2, "ok");
		CHECK_INT(store_fold(s, &beats[0], 1, LLONG_MAX), STORE_DONE);
		CHECK_INT(store_fold(s, &beats[1], 1, LLONG_MAX), STORE_DONE);
		CHECK_TEXT(shown(1), "ok 2 2000");
		tells(2000, -1, "failed", NULL);
		CHECK_TEXT(shown(1), "failed 2 2000");
		store_free(s);
		folder_remove();
	}
}

UNIT("an entry that nobody has is emptied, and a page of such is removed")
{
	folder_make();
	s = store_here("wal");
	joins(1);
	joins(2);
	tells(1000, 1, "ok", NULL);
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(asks("SELECT count(*) FROM pulse"), 1);
	CHECK_INT(sqlite3_exec(s->live.db, "UPDATE live SET number = NULL",
	    NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(store_sweep(s, 1000000, 1000), STORE_DONE);
	CHECK_INT(asks("SELECT count(*) FROM pulse"), 0);
	tells(1000000, 1, "ok", NULL);
	CHECK_INT(asks("SELECT count(*) FROM pulse"), 1);
	CHECK_INT(store_live_forget(s, name(1)), STORE_DONE);
	CHECK_INT(asks("SELECT count(*) FROM pulse"), 0);
	CHECK_INT(wrong(), 0);
	store_free(s);
	folder_remove();
}

UNIT("an agent that is well has no error")
{
	struct store_agent a;

	folder_make();
	s = store_here("wal");
	joins(1);
	tells(1000, 1, "failed", "no");
	tells(2000, 1, "ok", "of whom?");
	CHECK_INT(store_agent(s, name(1), &a), STORE_DONE);
	CHECK(a.error == NULL);
	store_agent_free(&a);
	store_free(s);
	folder_remove();
}

static int
stands_still(void *arg)
{
	(void)arg;
	usleep(50000);
	return 0;
}

UNIT("a look that was held up is followed by the next, all the same")
{
	folder_make();
	s = store_here("wal");
	joins(1);
	tells(1000, 1, "ok", NULL);
	store_sweep_owed(s);
	sqlite3_progress_handler(s->live.db, 8, stands_still, NULL);
	CHECK_INT(store_sweep(s, 2000, 60000), STORE_DONE);
	sqlite3_progress_handler(s->live.db, 0, NULL, NULL);
	CHECK(!s->walk.owed);
	CHECK(asks("SELECT silent FROM sweep") < 2000 + 10000);
	CHECK(asks("SELECT joined FROM sweep") < 2000 + 10000);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
