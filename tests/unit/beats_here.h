#ifndef BEATS_HERE_H
#define BEATS_HERE_H
/*
 * Heartbeats for the store of agents_here.h, and what came of them.
 */
#include <limits.h>

#include "agents_here.h"

static void
publishes(int n)
{
	const struct store_version *v;
	char data[64];
	struct store_change change = { .author = "test", .data = data };

	change.len = (size_t)snprintf(data, sizeof(data),
	    "{\"url\":\"http://%d\"}", n);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
}

static struct store_beat
beat(int n, long long at, long long version, const char *state)
{
	struct store_beat b = {
		.at = at, .applied_version = version, .state = state,
	};

	snprintf(b.id, sizeof(b.id), "%s", name(n));
	return b;
}

static void
tells(long long at, long long version, const char *state, const char *error)
{
	struct store_beat b = beat(1, at, version, state);

	b.error = error;
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

/* The first whole number of a question to liveness. */
static long long
asks(const char *question)
{
	sqlite3_stmt *row = NULL;
	long long answer;

	CHECK_INT(store_ready(s), STORE_DONE);
	CHECK_INT(sqlite3_prepare_v2(s->live.db, question, -1, &row, NULL),
	    SQLITE_OK);
	CHECK_INT(sqlite3_step(row), SQLITE_ROW);
	answer = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return answer;
}

/* The rows that the tally has more or fewer of than there are. */
static long long
wrong(void)
{
	return asks("SELECT count(*) FROM ("
	    "SELECT state, applied_version, sum(n) AS n FROM ("
	    "SELECT state, applied_version, 1 AS n FROM live UNION ALL "
	    "SELECT state, applied_version, -count FROM tally) "
	    "GROUP BY state, applied_version) WHERE n <> 0");
}

static long long applied;

static void
applies(void *arg, long long ms)
{
	(void)arg, (void)ms;
	applied++;
}

#endif
