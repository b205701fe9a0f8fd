/*
 * What no heartbeat says: that an agent fell silent, and that liveness has
 * agents that truth does not know (truth was restored), or the other way
 * round (liveness was lost, or the agent never polled).
 *
 * It refuses to take more than a fiftieth of the time: when the next look is
 * due lies in liveness, for all processes.
 */
#include "store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	STORE_SWEEP_INTERVALS = 3,	/* of silence */
	STORE_SWEEP_LATE = 4000,	/* ms until a heartbeat is known */
	STORE_SWEEP_SHARE = 50,
	STORE_SWEEP_CHEAP = 5,		/* ms; more is made rare */
	STORE_SWEEP_MOST = 600000,	/* ms until the next look; a time
					 * further away is a clock's that
					 * was set back */
	STORE_SWEEP_BATCH = 8192,
};

static long long
store_sweep_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
store_sweep_due(long long due, long long now)
{
	return now >= due || due - now > STORE_SWEEP_MOST;
}

/* Notes when the next look is due, after one that took `cost` ms. */
static enum store_end
store_sweep_next(struct store_file *f, enum store_sql which, long long now,
    long long cost)
{
	sqlite3_stmt *row;
	long long wait = cost * STORE_SWEEP_SHARE;

	if (cost <= STORE_SWEEP_CHEAP)
		return STORE_DONE;
	row = store_file_sql(f, which);
	sqlite3_bind_int64(row, 1, now + (wait < STORE_SWEEP_MOST ? wait :
	    STORE_SWEEP_MOST));
	return store_file_run(f, row);
}

/* --- silence ------------------------------------------------------------ */

static enum store_end
store_sweep_mark(struct store_file *f, enum store_sql which, long long since)
{
	sqlite3_stmt *row = store_file_sql(f, which);

	sqlite3_bind_int64(row, 1, since);
	return store_file_run(f, row);
}

static enum store_end
store_sweep_silent(struct store_file *f, long long now, long interval)
{
	long long start = store_sweep_clock(), some = 0;
	long long since = now - STORE_SWEEP_LATE -
	    STORE_SWEEP_INTERVALS * 1000LL * interval;
	sqlite3_stmt *row = store_file_sql(f, STORE_SQL_SILENT);
	enum store_end end;

	sqlite3_bind_int64(row, 1, since);
	end = store_file_whole(f, row, &some, NULL);
	if (end == STORE_DONE && some)
		end = store_sweep_mark(f, STORE_SQL_OFFLINE, since);
	if (end == STORE_DONE && some)
		end = store_sweep_mark(f, STORE_SQL_ONLINE, since);
	if (end == STORE_DONE)
		end = store_sweep_next(f, STORE_SQL_SWEEP_SILENT, now,
		    store_sweep_clock() - start);
	return end;
}

/* --- truth and liveness compared ---------------------------------------- */

enum store_end
store_known(struct store *s, const char *id)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;
	long long one;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_KNOWN);
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	return store_file_whole(&s->truth, row, &one, NULL);
}

/* The next ids of truth, or of liveness, after `after`. */
static enum store_end
store_sweep_ids(struct store *s, bool live, const char *after,
    char (*ids)[TOKEN_UUID], size_t *count)
{
	struct store_file *f = live ? &s->live : &s->truth;
	sqlite3_stmt *row = store_file_sql(f, live ? STORE_SQL_LIVE_IDS :
	    STORE_SQL_IDS);
	unsigned char key[16];
	int step = SQLITE_ERROR;

	*count = 0;
	store_live_key(key, after);
	if (live)
		sqlite3_bind_blob(row, 1, key, after[0] != '\0' ? 16 : 0,
		    SQLITE_STATIC);
	else
		sqlite3_bind_text(row, 1, after, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, STORE_SWEEP_BATCH);
	while (row != NULL && *count < STORE_SWEEP_BATCH &&
	    (step = sqlite3_step(row)) == SQLITE_ROW) {
		char *id = ids[(*count)++];

		if (live)
			store_live_id(id, sqlite3_column_blob(row, 0));
		else
			snprintf(id, TOKEN_UUID, "%s",
			    (const char *)sqlite3_column_text(row, 0));
	}
	sqlite3_reset(row);
	return step == SQLITE_ROW || step == SQLITE_DONE ? STORE_DONE :
	    store_file_failed(f);
}

/* Adds to liveness what truth has, or removes from it what truth has not. */
static enum store_end
store_sweep_one(struct store *s, bool live, const char *id)
{
	unsigned char key[16];
	sqlite3_stmt *row;
	enum store_end end;

	if (live) {
		end = store_known(s, id);
		if (end != STORE_NONE)
			return end;
	}
	store_live_key(key, id);
	row = store_file_sql(&s->live, live ? STORE_SQL_LIVE_FORGET :
	    STORE_SQL_ADD);
	sqlite3_bind_blob(row, 1, key, sizeof(key), SQLITE_STATIC);
	return store_file_run(&s->live, row);
}

static enum store_end
store_sweep_walk(struct store *s, bool live, char (*ids)[TOKEN_UUID])
{
	char after[TOKEN_UUID] = "";
	enum store_end end = STORE_DONE;
	size_t count = STORE_SWEEP_BATCH;

	while (end == STORE_DONE && count == STORE_SWEEP_BATCH) {
		end = store_sweep_ids(s, live, after, ids, &count);
		if (end != STORE_DONE || count == 0)
			return end;
		memcpy(after, ids[count - 1], sizeof(after));
		end = store_file_begin(&s->live);
		for (size_t i = 0; end == STORE_DONE && i < count; i++)
			end = store_sweep_one(s, live, ids[i]);
		if (end == STORE_DONE)
			end = store_file_commit(&s->live);
		else
			store_file_rollback(&s->live);
	}
	return end;
}

static enum store_end
store_sweep_join(struct store *s, long long now)
{
	char (*ids)[TOKEN_UUID];
	long long start = store_sweep_clock(), known = 0, live = 0;
	enum store_end end;

	end = store_total(s, &known);
	if (end == STORE_DONE)
		end = store_file_whole(&s->live, store_file_sql(&s->live,
		    STORE_SQL_COUNT), &live, NULL);
	if (end != STORE_DONE || known == live)
		return end;
	ids = calloc(STORE_SWEEP_BATCH, sizeof(*ids));
	if (ids == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	end = store_sweep_walk(s, false, ids);
	if (end == STORE_DONE)
		end = store_sweep_walk(s, true, ids);
	free(ids);
	if (end == STORE_DONE)
		end = store_sweep_next(&s->live, STORE_SQL_SWEEP_JOINED, now,
		    store_sweep_clock() - start);
	return end;
}

enum store_end
store_sweep(struct store *s, long long now, long interval)
{
	enum store_end end = store_ready(s);
	long long silent = 0, joined = 0;

	if (end == STORE_DONE)
		end = store_file_whole(&s->live, store_file_sql(&s->live,
		    STORE_SQL_SWEEP), &silent, &joined);
	if (end == STORE_DONE && store_sweep_due(silent, now))
		end = store_sweep_silent(&s->live, now, interval);
	if (end == STORE_DONE && store_sweep_due(joined, now))
		end = store_sweep_join(s, now);
	return end;
}
