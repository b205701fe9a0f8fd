/*
 * Who is offline: three of the intervals that he was told when he polled,
 * however the interval moved since.
 */
#include "unit.h"

#include <limits.h>
#include <sys/stat.h>

#include "../../cgi/store_sqlite_told.c"

#include "keep.h"

#include "store_here.h"

static struct store *s;

/* With an interval before the first version. */
static struct store *
begins(long interval)
{
	struct store_options options = {
		.path = path,
		.journal = "wal",
		.interval = interval,
		.busy_ms = 20000,
	};

	return store_new(&options);
}

/* Publishes with an interval. Gives the time. */
static long long
publishes(long interval)
{
	static int n;
	const struct store_version *v;
	char data[64];
	struct store_change change = {
		.data = data,
		.len = (size_t)snprintf(data, sizeof(data),
		    "{\"url\":\"http://a/%d\"}", n++),
		.interval = interval,
		.author = "admin",
	};

	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	return v->created_at;
}

/* An agent that polled at that time. */
static void
polls(int n, long long at)
{
	struct store_beat b = { .at = at, .applied_version = -1,
		.state = "ok", .trusted = true };

	snprintf(b.id, sizeof(b.id), "%08d-0000-4000-8000-abcdef012345", n);
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

static long long
offline(long long now)
{
	long long count;

	CHECK_INT(store_sweep(s, now, 1000), STORE_DONE);
	CHECK_INT(store_count(s, "offline", -1, &count), STORE_DONE);
	return count;
}

UNIT("who was told a long interval is not offline when it is shortened")
{
	long long at;

	folder_make();
	s = begins(300);
	at = publishes(2);
	polls(1, at - 20000);
	polls(2, at - 290000);
	CHECK_INT(offline(at + 5000), 0);
	CHECK_INT(offline(at + 60000), 0);
	polls(3, at + 3000);			/* this one was told 2 */
	CHECK_INT(offline(at + 12000), 0);
	CHECK_INT(offline(at + 14000), 1);
	CHECK_INT(offline(at - 290000 + 905000), 2);
	CHECK_INT(offline(at + 1000000), 3);
	polls(1, at + 1000000);
	CHECK_INT(offline(at + 1001000), 2);
	store_free(s);
	folder_remove();
}

UNIT("who was told a short interval is offline in three of those")
{
	long long at;

	folder_make();
	s = begins(2);
	at = publishes(300);
	polls(1, at - 1000);
	polls(2, at + 500);	/* the answer may have been either */
	polls(3, at + 2500);
	CHECK_INT(offline(at + 12000), 1);
	CHECK_INT(offline(at + 900000), 1);
	CHECK_INT(offline(at + 905000), 2);
	CHECK_INT(offline(at + 907000), 3);
	store_free(s);
	folder_remove();
}

UNIT("before the first version it is the interval that was set")
{
	struct store_told told;
	long long at;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_ready(s), STORE_DONE);
	CHECK_INT(store_told(s, &told), STORE_DONE);
	CHECK_INT(told.count, 1);
	CHECK_INT(told.part[0].interval, 30);
	at = publishes(0);
	publishes(0);
	CHECK_INT(store_told(s, &told), STORE_DONE);
	CHECK_INT(told.count, 1);
	at = publishes(2);
	CHECK_INT(store_told(s, &told), STORE_DONE);
	CHECK_INT(told.count, 2);
	CHECK_INT(told.part[0].interval, 2);
	CHECK_INT(told.part[0].from, at + 2000);
	CHECK_INT(told.part[1].interval, 30);
	CHECK(told.part[1].from == LLONG_MIN);
	store_free(s);
	folder_remove();
}

UNIT("a hundred changes do not need more room")
{
	struct store_told told;

	folder_make();
	s = store_here("wal");
	for (int i = 0; i < 100; i++)
		publishes(i % 2 == 0 ? 10 : 20 + i);
	CHECK_INT(store_told(s, &told), STORE_DONE);
	CHECK(told.count >= 1 && told.count <= STORE_TOLD_PARTS);
	for (int i = 1; i < told.count; i++)
		CHECK(told.part[i].from < told.part[i - 1].from);
	CHECK(told.part[told.count - 1].from == LLONG_MIN);
	store_free(s);
	folder_remove();
}

/* How many turns of one millisecond it takes until so many are in a state. */
static int
turns(long long now, const char *state, long long many)
{
	long long count;
	int n = 0;

	do {
		CHECK_INT(store_sweep(s, now, 1), STORE_DONE);
		CHECK_INT(store_count(s, state, -1, &count), STORE_DONE);
		n++;
	} while (count < many && n < 20);
	CHECK_INT(count, many);
	return n;
}

UNIT("finding agents and marking them go on where the time was over")
{
	enum { MANY = 9000 };	/* more than a batch */

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_ready(s), STORE_DONE);
	/* agents that liveness has lost */
	CHECK(sqlite3_exec(s->truth.db, "WITH RECURSIVE n(i) AS (SELECT 1 "
	    "UNION ALL SELECT i + 1 FROM n LIMIT 9000) INSERT INTO agent "
	    "(id, address, registered_at, first_version) SELECT "
	    "printf('%08d-0000-4000-8000-abcdef012345', i), '', 1, 0 FROM n",
	    NULL, NULL, NULL) == SQLITE_OK);
	CHECK(turns(1000000, "new", MANY) > 1);
	CHECK(sqlite3_exec(s->live.db, "UPDATE live SET last_poll = 1000000, "
	    "said = 'ok', state = 'ok'", NULL, NULL, NULL) == SQLITE_OK);
	CHECK(turns(2000000, "offline", MANY) > 1);
	/* what an older program knew of later polls brings them back */
	CHECK(sqlite3_exec(s->live.db, "UPDATE live SET number = NULL, "
	    "last_poll = 3000000", NULL, NULL, NULL) == SQLITE_OK);
	CHECK(turns(3000001, "ok", MANY) > 1);
	store_free(s);
	folder_remove();
}

UNIT("while one process takes long to look, the others do not")
{
	char held[sizeof(path) + 16];
	int lock;

	folder_make();
	s = store_here("wal");
	snprintf(held, sizeof(held), "%s/controller-live.db.sweep",
	    folder);
	polls(1, 1000);
	lock = keep_lock(held, 0);
	CHECK(lock >= 0);
	CHECK_INT(offline(5000), 0);
	/* a look that was short waits not: this may have been a slow one */
	CHECK(sqlite3_exec(s->live.db, "UPDATE sweep SET silent = 0",
	    NULL, NULL, NULL) == SQLITE_OK);
	CHECK_INT(offline(1000000), 1);
	polls(1, 1000000);
	CHECK(sqlite3_exec(s->live.db, "UPDATE sweep SET silent = 1000000",
	    NULL, NULL, NULL) == SQLITE_OK);
	CHECK_INT(offline(2000000), 0);
	close(lock);
	CHECK_INT(offline(999999), 0);	/* not due */
	/* nor does one wait for a lock that nobody can have */
	CHECK(unlink(held) == 0 && mkdir(held, 0700) == 0);
	CHECK_INT(offline(2000000), 1);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
