/*
 * What no heartbeat says: that an agent fell silent, and that liveness has
 * agents that truth does not know (truth was restored), or the other way
 * round (liveness was lost, or the agent never polled). And that the tally
 * is not what is there: without a WAL a power cut may leave one and not
 * the other.
 *
 * It refuses to take more than a fiftieth of a processor, or to look for
 * silence more than a two-hundredth; of what it waits for, as for a disk, a
 * tenth counts. When the next look is due lies in liveness, for all processes,
 * and while one of them takes long to look, the others do not.
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
	STORE_SWEEP_SHARE = 50,
	STORE_SWEEP_SILENT_SHARE = 200,
	STORE_SWEEP_CHEAP = 5,		/* ms; more is made rare */
	STORE_SWEEP_WAITS = 10,		/* ms by the clock that count as one */
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

void
store_spent_begin(struct store_spent *spent)
{
	spent->busy -= clock_busy();
	spent->steady -= clock_steady();
}

void
store_spent_end(struct store_spent *spent)
{
	spent->busy += clock_busy();
	spent->steady += clock_steady();
}

/* One that was held up, as on a busy machine, does not put the next one off
 * for minutes. */
static long long
store_sweep_cost(const struct store_spent *spent)
{
	long long waited = spent->steady / STORE_SWEEP_WAITS;

	return spent->busy > waited ? spent->busy : waited;
}

/* Notes when the next look is due. */
static enum store_end
store_sweep_next(struct store_file *f, enum store_sql which, long long now,
    const struct store_spent *spent)
{
	long long cost = store_sweep_cost(spent);
	sqlite3_stmt *row;
	long long wait = cost * (which == STORE_SQL_SWEEP_SILENT ?
	    STORE_SWEEP_SILENT_SHARE : STORE_SWEEP_SHARE);

	if (cost <= STORE_SWEEP_CHEAP)
		return STORE_DONE;
	row = store_file_sql(f, which);
	sqlite3_bind_int64(row, 1, now + (wait < STORE_SWEEP_MOST ? wait :
	    STORE_SWEEP_MOST));
	return store_file_run(f, row);
}

/* --- silence ------------------------------------------------------------ */

/* The next ids of a statement of truth, or of liveness, after `after`. */
static enum store_end
store_sweep_ids(struct store_file *f, enum store_sql which,
    const char *after, char (*ids)[TOKEN_UUID], size_t *count)
{
	bool live = f == &f->store->live;
	sqlite3_stmt *row = store_file_sql(f, which);
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

static enum store_end
store_sweep_number(struct store *s, char (*ids)[TOKEN_UUID], size_t count)
{
	enum store_end end = store_pulse_begin(s);

	if (end != STORE_DONE)
		return end;
	for (size_t i = 0; end == STORE_DONE && i < count; i++)
		end = store_fold_apart(s, ids[i]);
	return store_pulse_end(s, end);
}

/* Gives a number to the agents of an older program that have polled. */
static enum store_end
store_sweep_apart(struct store *s, long long until, bool *left)
{
	size_t count = STORE_SWEEP_BATCH;
	enum store_end end = STORE_DONE;
	char (*ids)[TOKEN_UUID];

	ids = calloc(STORE_SWEEP_BATCH, sizeof(*ids));
	if (ids == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	while (end == STORE_DONE && count == STORE_SWEEP_BATCH && !*left) {
		end = store_sweep_ids(&s->live, STORE_SQL_APART, "", ids,
		    &count);
		if (end == STORE_DONE && count > 0)
			end = store_sweep_number(s, ids, count);
		*left = count == STORE_SWEEP_BATCH && clock_steady() >= until;
	}
	free(ids);
	return end;
}

static enum store_end
store_sweep_silent(struct store *s, long long now, long budget)
{
	struct store_spent looked = { .busy = 0 };
	long long start = clock_steady();
	struct store_told told;
	enum store_end end = store_told(s, &told);
	bool left = false;

	if (end == STORE_DONE)
		end = store_sweep_apart(s, start + budget, &left);
	if (end == STORE_DONE && !left)
		end = store_silent(s, &told, now, start + budget, &looked,
		    &left);
	if (end == STORE_DONE && !left)
		end = store_sweep_next(&s->live, STORE_SQL_SWEEP_SILENT, now,
		    &looked);
	return end;
}

/* --- the tally ---------------------------------------------------------- */

/* What the tally shows by itself: that it is wrong, or that it grows, for an
 * agent may report any version. */
static enum store_end
store_sweep_odd(struct store *s)
{
	struct store_file *f = &s->live;
	long long wrong = 0, many = 0;
	enum store_end end = store_file_whole(f, store_file_sql(f,
	    STORE_SQL_ODD), &wrong, &many);

	if (end == STORE_DONE && wrong)
		end = store_tally_anew(s);
	else if (end == STORE_DONE && many)
		end = store_file_run(f, store_file_sql(f, STORE_SQL_NOBODY));
	return end;
}

/* --- truth and liveness compared ---------------------------------------- */

/* Adds to liveness what truth has, or removes from it what truth has not. */
static enum store_end
store_sweep_one(struct store *s, bool live, const char *id)
{
	enum store_end end;

	if (!live)
		return store_live_new(s, id);
	end = store_known(s, id);
	return end == STORE_NONE ? store_live_drop(s, id) : end;
}

static enum store_end
store_sweep_batch(struct store *s, char (*ids)[TOKEN_UUID], size_t *count)
{
	bool live = s->walk.live;
	enum store_end end = store_sweep_ids(live ? &s->live : &s->truth,
	    live ? STORE_SQL_LIVE_IDS : STORE_SQL_IDS, s->walk.after, ids,
	    count);

	if (end != STORE_DONE || *count == 0)
		return end;
	end = store_pulse_begin(s);
	if (end != STORE_DONE)
		return end;
	for (size_t i = 0; end == STORE_DONE && i < *count; i++)
		end = store_sweep_one(s, live, ids[i]);
	if (end == STORE_DONE)
		memcpy(s->walk.after, ids[*count - 1],
		    sizeof(s->walk.after));
	return store_pulse_end(s, end);
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

void
store_sweep_owed(struct store *s)
{
	memset(&s->walk, 0, sizeof(s->walk));
	s->walk.owed = true;
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
	struct store_spent spent = { .busy = 0 };
	long long start = clock_steady();
	char (*ids)[TOKEN_UUID];
	bool left = false, joined;
	enum store_end end;

	store_spent_begin(&spent);
	end = store_sweep_joined(s, &joined);
	if (end != STORE_DONE || (joined && !s->walk.owed))
		return end;
	ids = calloc(STORE_SWEEP_BATCH, sizeof(*ids));
	if (ids == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	end = store_sweep_walk(s, ids, start + budget, &left);
	free(ids);
	if (end == STORE_DONE && !left) {
		s->walk.owed = false;
		end = store_sweep_joined(s, &joined);
	}
	if (end == STORE_DONE && !left && !joined)
		end = store_tally_anew(s);
	store_spent_end(&spent);
	if (end == STORE_DONE && !left)
		end = store_sweep_next(&s->live, STORE_SQL_SWEEP_JOINED, now,
		    &spent);
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
		end = store_sweep_odd(s);
	if (end == STORE_DONE && store_sweep_due(joined, now))
		end = store_sweep_join(s, now, budget);
	return end;
}
