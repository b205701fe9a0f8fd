/*
 * The generations of the agents' tokens: raised, buried with an agent that
 * is deleted, and never lowered.
 */
#include "store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"

/* Commits what was done to an agent, with a row of the audit. */
static enum store_end
store_token_finish(struct store *s, const char *id,
    const struct store_deed *deed, long long now, enum store_end end)
{
	struct buf what = BUF_INIT(256);

	if (end == STORE_DONE && deed != NULL) {
		buf_printf(&what, "{\"agent_id\":\"%s\"}", id);
		end = store_audit_add(s, deed, now, &what);
	}
	buf_free(&what);
	return store_file_end(&s->truth, end);
}

enum store_end
store_rotate(struct store *s, const char *id, const struct store_deed *deed,
    long long now, long long *generation)
{
	enum store_end end = store_file_begin(&s->truth);

	if (end != STORE_DONE)
		return end;
	end = store_file_whole(&s->truth, store_agent_sql(s,
	    STORE_SQL_ROTATE, id), generation, NULL);
	return store_token_finish(s, id, deed, now, end);
}

enum store_end
store_raise(struct store *s, const char *id, long long generation,
    long long now)
{
	enum store_end end = store_file_begin(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_agent_sql(s, STORE_SQL_RAISE, id);
	sqlite3_bind_int64(row, 2, generation);
	sqlite3_bind_int64(row, 3, now);
	return store_token_finish(s, id, NULL, now,
	    store_file_run(&s->truth, row));
}

enum store_end
store_raised(struct store *s, long limit,
    void (*each)(void *arg, const char *id, long long generation), void *arg,
    bool *more)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	*more = false;
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_RAISED);
	sqlite3_bind_int64(row, 1, limit + 1);	/* one more: `more` */
	while ((end = store_file_row(&s->truth, row)) == STORE_DONE &&
	    limit-- > 0)
		each(arg, (const char *)sqlite3_column_text(row, 0),
		    sqlite3_column_int64(row, 1));
	*more = end == STORE_DONE;
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* --- what a poll asks --------------------------------------------------- */

static int
store_token_order(const void *a, const void *b)
{
	const struct store_raised_row *x = a, *y = b;
	int order = memcmp(x->id, y->id, TOKEN_UUID);

	if (order != 0)
		return order;
	return (x->generation > y->generation) -
	    (x->generation < y->generation);
}

static void
store_token_take(void *arg, const char *id, long long generation)
{
	struct store_raised *raised = arg;
	struct store_raised_row *row = &raised->rows[raised->count++];

	snprintf(row->id, sizeof(row->id), "%s", id);
	row->generation = generation;
}

/* Reads all that are raised, when they are few. */
static enum store_end
store_token_gather(struct store *s)
{
	struct store_raised *raised = &s->raised;
	enum store_end end;
	bool more;

	raised->count = 0;
	raised->changes = sqlite3_total_changes64(s->truth.db);
	end = store_raised(s, STORE_RAISED_MAX, store_token_take, raised,
	    &more);
	qsort(raised->rows, (size_t)raised->count, sizeof(*raised->rows),
	    store_token_order);
	raised->known = end == STORE_DONE;
	raised->crowded = more;
	return end;
}

/* The highest one of an agent. */
static long long
store_token_find(const struct store_raised *raised, const char *id)
{
	int low = 0, high = raised->count;

	while (low < high) {
		int middle = (low + high) / 2;

		if (strcmp(raised->rows[middle].id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && strcmp(raised->rows[low - 1].id, id) == 0 ?
	    raised->rows[low - 1].generation : 1;
}

/* While others write, as when a fleet registers, one row costs less than all
 * of them each time. Our own writes move no data version. */
enum store_end
store_least(struct store *s, const char *id, long long *generation)
{
	struct store_raised *raised = &s->raised;
	bool moved;
	enum store_end end = store_look(s, &moved);

	if (end == STORE_DONE &&
	    raised->changes != sqlite3_total_changes64(s->truth.db))
		raised->known = false;
	if (end == STORE_DONE && !moved && !raised->known)
		end = store_token_gather(s);
	if (end != STORE_DONE)
		return end;
	*generation = 1;
	if (raised->known && !raised->crowded) {
		*generation = store_token_find(raised, id);
		return STORE_DONE;
	}
	end = store_generation(s, id, generation);
	return end == STORE_NONE ? STORE_DONE : end;
}

enum store_end
store_forget(struct store *s, const char *id, const struct store_deed *deed,
    long long now)
{
	enum store_end end = store_file_begin(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_agent_sql(s, STORE_SQL_BURY, id);
	sqlite3_bind_int64(row, 2, now);
	end = store_file_run(&s->truth, row);
	if (end == STORE_DONE)
		end = store_file_run(&s->truth, store_agent_sql(s,
		    STORE_SQL_FORGET, id));
	if (end == STORE_DONE && sqlite3_changes(s->truth.db) == 0)
		end = STORE_NONE;
	end = store_token_finish(s, id, deed, now, end);
	/* what is left of it there is swept away some time */
	if (end == STORE_DONE && store_live_forget(s, id) != STORE_DONE)
		log_warn("store", "%s", s->detail);
	return end;
}
