/*
 * What no heartbeat says: that an agent fell silent, and that liveness has
 * agents that truth does not know (truth was restored), or the other way
 * round (liveness was lost, or the agent never polled). And that the tally
 * is not what the rows say: no power cut lets both be written or none.
 *
 * It refuses to take more than a fiftieth of the time: when the next look is
 * due lies in liveness, for all processes, and while one of them takes long to
 * look, the others do not.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "keep.h"

enum {
	STORE_SWEEP_INTERVALS = 3,	/* of silence */
	STORE_SWEEP_LATE = 4000,	/* ms until a heartbeat is known */
	STORE_SWEEP_SHARE = 50,
	STORE_SWEEP_CHEAP = 5,		/* ms; more is made rare */
	STORE_SWEEP_MOST = 600000,	/* ms until the next look; a time
					 * further away is a clock's that
					 * was set back */
	STORE_SWEEP_BATCH = 8192,	/* of one transaction */
};

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

/* One of the statements that know who is silent. */
static sqlite3_stmt *
store_sweep_sql(struct store_file *f, enum store_sql which,
    const struct store_told *told, long long now)
{
	sqlite3_stmt *row = store_file_sql(f, which);
	long long since, latest = LLONG_MIN;

	for (int i = 0; i < STORE_TOLD_PARTS; i++) {
		const struct store_told_part *part = &told->part[
		    i < told->count ? i : told->count - 1];

		since = now - STORE_SWEEP_LATE -
		    STORE_SWEEP_INTERVALS * 1000LL * part->interval;
		sqlite3_bind_int64(row, 2 * i + 1, part->from);
		sqlite3_bind_int64(row, 2 * i + 2, since);
		latest = since > latest ? since : latest;
	}
	if (which == STORE_SQL_GONE || which == STORE_SQL_OFFLINE) {
		sqlite3_bind_int64(row, 18, now);
		sqlite3_bind_int64(row, 19, latest);
	}
	return row;
}

/* Marks those of whom `which` says that there are some: a batch at a time, so
 * that heartbeats wait for none of it long. *left: the time was over before
 * all were marked. */
static enum store_end
store_sweep_mark(struct store_file *f, enum store_sql which,
    const struct store_told *told, long long now, long long until,
    bool *left)
{
	enum store_sql mark = which == STORE_SQL_GONE ? STORE_SQL_OFFLINE :
	    STORE_SQL_ONLINE;
	sqlite3_stmt *row = store_sweep_sql(f, which, told, now);
	long long some = 0;
	enum store_end end = store_file_whole(f, row, &some, NULL);

	while (end == STORE_DONE && some && !*left) {
		row = store_sweep_sql(f, mark, told, now);
		sqlite3_bind_int64(row, 17, STORE_SWEEP_BATCH);
		end = store_file_run(f, row);
		some = sqlite3_changes(f->db) == STORE_SWEEP_BATCH;
		*left = some && clock_steady() >= until;
	}
	return end;
}

static enum store_end
store_sweep_silent(struct store *s, long long now, long budget)
{
	long long start = clock_steady();
	struct store_told told;
	enum store_end end = store_told(s, &told);
	bool left = false;

	if (end == STORE_DONE)
		end = store_sweep_mark(&s->live, STORE_SQL_GONE, &told, now,
		    start + budget, &left);
	if (end == STORE_DONE && !left)
		end = store_sweep_mark(&s->live, STORE_SQL_BACK, &told, now,
		    start + budget, &left);
	if (end == STORE_DONE && !left)
		end = store_sweep_next(&s->live, STORE_SQL_SWEEP_SILENT, now,
		    clock_steady() - start);
	return end;
}

/* --- the tally ---------------------------------------------------------- */

static enum store_end
store_sweep_recount(struct store_file *f)
{
	enum store_end end = store_file_begin(f);

	if (end != STORE_DONE)
		return end;
	end = store_file_run(f, store_file_sql(f, STORE_SQL_UNCOUNT));
	if (end == STORE_DONE)
		end = store_file_run(f, store_file_sql(f, STORE_SQL_RECOUNT));
	return store_file_end(f, end);
}

/* What the tally shows by itself: that it is wrong, or that it grows, for an
 * agent may report any version. */
static enum store_end
store_sweep_odd(struct store_file *f)
{
	long long wrong = 0, many = 0;
	enum store_end end = store_file_whole(f, store_file_sql(f,
	    STORE_SQL_ODD), &wrong, &many);

	if (end == STORE_DONE && wrong)
		end = store_sweep_recount(f);
	else if (end == STORE_DONE && many)
		end = store_file_run(f, store_file_sql(f, STORE_SQL_NOBODY));
	return end;
}

/* --- truth and liveness compared ---------------------------------------- */

/* The next ids of truth, or of liveness, after `after`. */
static enum store_end
store_sweep_ids(struct store *s, bool live, const char *after,
    char (*ids)[TOKEN_UUID], size_t *count)
{
	struct store_file *f = live ? &s->live : &s->truth;
	sqlite3_stmt *row = store_file_sql(f, live ? STORE_SQL_LIVE_IDS :
	    STORE_SQL_IDS);
	enum store_end end = STORE_DONE;
	unsigned char key[16];

	*count = 0;
	store_live_key(key, after);
	if (live)
		sqlite3_bind_blob(row, 1, key, after[0] != '\0' ? 16 : 0,
		    SQLITE_STATIC);
	else
		sqlite3_bind_text(row, 1, after, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, STORE_SWEEP_BATCH);
	while (*count < STORE_SWEEP_BATCH &&
	    (end = store_file_row(f, row)) == STORE_DONE) {
		char *id = ids[(*count)++];

		if (live)
			token_uuid_print(id, sqlite3_column_blob(row, 0));
		else
			snprintf(id, TOKEN_UUID, "%s",
			    (const char *)sqlite3_column_text(row, 0));
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
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
store_sweep_batch(struct store *s, char (*ids)[TOKEN_UUID], size_t *count)
{
	enum store_end end = store_sweep_ids(s, s->walk.live, s->walk.after,
	    ids, count);

	if (end != STORE_DONE || *count == 0)
		return end;
	end = store_file_begin(&s->live);
	for (size_t i = 0; end == STORE_DONE && i < *count; i++)
		end = store_sweep_one(s, s->walk.live, ids[i]);
	if (end == STORE_DONE)
		memcpy(s->walk.after, ids[*count - 1],
		    sizeof(s->walk.after));
	return store_file_end(&s->live, end);
}

/* Through all of truth, then all of liveness, on from where the last time
 * was over. *left: it is over again. */
static enum store_end
store_sweep_walk(struct store *s, char (*ids)[TOKEN_UUID], long long until,
    bool *left)
{
	enum store_end end = STORE_DONE;
	size_t count;

	for (*left = false; end == STORE_DONE && !*left;) {
		end = store_sweep_batch(s, ids, &count);
		if (end != STORE_DONE || count == STORE_SWEEP_BATCH) {
			*left = clock_steady() >= until;
			continue;
		}
		s->walk.after[0] = '\0';
		s->walk.live = !s->walk.live;
		if (!s->walk.live)
			break;
	}
	return end;
}

/* Whether truth has as many agents as the tally. */
static enum store_end
store_sweep_joined(struct store *s, bool *joined)
{
	long long known = 0, live = 0;
	enum store_end end = store_total(s, &known);

	if (end == STORE_DONE)
		end = store_file_whole(&s->live, store_file_sql(&s->live,
		    STORE_SQL_COUNT), &live, NULL);
	*joined = known == live;
	return end;
}

static enum store_end
store_sweep_join(struct store *s, long long now, long budget)
{
	long long start = clock_steady();
	char (*ids)[TOKEN_UUID];
	bool left = false, joined;
	enum store_end end = store_sweep_joined(s, &joined);

	if (end != STORE_DONE || joined)
		return end;
	ids = calloc(STORE_SWEEP_BATCH, sizeof(*ids));
	if (ids == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	end = store_sweep_walk(s, ids, start + budget, &left);
	free(ids);
	if (end == STORE_DONE && !left)
		end = store_sweep_joined(s, &joined);
	if (end == STORE_DONE && !left && !joined)
		end = store_sweep_recount(&s->live);
	if (end == STORE_DONE && !left)
		end = store_sweep_next(&s->live, STORE_SQL_SWEEP_JOINED, now,
		    clock_steady() - start);
	return end;
}

/* When the next looks are due. */
static enum store_end
store_sweep_read(struct store *s, long long *silent, long long *joined)
{
	return store_file_whole(&s->live, store_file_sql(&s->live,
	    STORE_SQL_SWEEP), silent, joined);
}

/* A look that took long before. Under the lock it may have been done; where
 * there can be no lock, as the disk is full, it is better done twice. */
static enum store_end
store_sweep_alone(struct store *s, long long now, long budget)
{
	long long silent, joined;
	enum store_end end;
	char path[PATH_MAX];
	int lock;

	snprintf(path, sizeof(path), "%s.sweep", s->live.path);
	lock = keep_lock(path, 0);
	if (lock < 0 && errno == EWOULDBLOCK)
		return STORE_DONE;
	end = store_sweep_read(s, &silent, &joined);
	if (end == STORE_DONE && store_sweep_due(silent, now))
		end = store_sweep_silent(s, now, budget);
	if (lock >= 0)
		close(lock);
	return end;
}

enum store_end
store_sweep(struct store *s, long long now, long budget)
{
	enum store_end end = store_ready(s);
	long long silent = 0, joined = 0;

	if (end == STORE_DONE)
		end = store_sweep_read(s, &silent, &joined);
	if (end == STORE_DONE && store_sweep_due(silent, now))
		end = silent > 0 ? store_sweep_alone(s, now, budget) :
		    store_sweep_silent(s, now, budget);
	if (end == STORE_DONE)
		end = store_sweep_odd(&s->live);
	if (end == STORE_DONE && store_sweep_due(joined, now))
		end = store_sweep_join(s, now, budget);
	return end;
}
