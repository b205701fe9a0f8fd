/*
 * Without a WAL liveness is written without fsync: after a power cut, which is
 * played here, some of its pages may be older than others. How many numbers
 * were given is in another one than the rows that have them.
 */
#include <limits.h>

#include "unit.h"

#include "../../cgi/store_sqlite_pulse.c"

#include "agents_here.h"

static void
polls(int n, long long at)
{
	struct store_beat b = { .at = at, .applied_version = 1, .state = "ok" };

	snprintf(b.id, sizeof(b.id), "%s", name(n));
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

static void
numbers_are(long long numbers)
{
	struct store_agent a;
	char sql[64];

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= 3; n++)
		joins(n);
	polls(1, 1000);
	polls(2, 1000);
	snprintf(sql, sizeof(sql), "UPDATE sweep SET numbers = %lld", numbers);
	CHECK_INT(sqlite3_exec(s->live.db, sql, NULL, NULL, NULL), SQLITE_OK);
	polls(3, 2000);
	for (int n = 1; n <= 3; n++) {
		CHECK_INT(store_agent(s, name(n), &a), STORE_DONE);
		CHECK_INT(a.last_poll, n == 3 ? 2000 : 1000);
		store_agent_free(&a);
	}
	store_free(s);
	folder_remove();
}

UNIT("numbers that were given are not given again, be their count too small")
{
	numbers_are(0);
	numbers_are(1);
}

UNIT("nor is there a number below 0")
{
	numbers_are(-5000);
}

UNIT_MAIN
