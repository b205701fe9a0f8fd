/*
 * The generations of the agents' tokens: raised, buried with an agent that
 * is deleted, and never lowered.
 */
#include "store_sqlite.h"

#include "buf.h"
#include "log.h"

enum store_end
store_agent(struct store *s, const char *id, struct store_agent *a)
{
	enum store_end end = store_ready(s);
	sqlite3_stmt *row;

	*a = (struct store_agent){ .applied_version = -1 };
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_AGENT);
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	end = store_file_row(&s->truth, row);
	if (end == STORE_DONE)
		end = store_agent_row(s, row, a);
	sqlite3_reset(row);
	return end;
}

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
	if (end == STORE_DONE)
		return store_file_commit(&s->truth);
	store_file_rollback(&s->truth);
	return end;
}

enum store_end
store_rotate(struct store *s, const char *id, const struct store_deed *deed,
    long long now, long long *generation)
{
	enum store_end end = store_file_begin(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_ROTATE);
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	end = store_file_whole(&s->truth, row, generation, NULL);
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
	row = store_file_sql(&s->truth, STORE_SQL_RAISE);
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
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
	int step;

	*more = false;
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_RAISED);
	if (row == NULL)
		return store_file_failed(&s->truth);
	sqlite3_bind_int64(row, 1, limit + 1);	/* one more: `more` */
	while ((step = sqlite3_step(row)) == SQLITE_ROW && limit-- > 0)
		each(arg, (const char *)sqlite3_column_text(row, 0),
		    sqlite3_column_int64(row, 1));
	*more = step == SQLITE_ROW;
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		end = store_file_failed(&s->truth);
	sqlite3_reset(row);
	return end;
}

enum store_end
store_forget(struct store *s, const char *id, const struct store_deed *deed,
    long long now)
{
	enum store_end end = store_file_begin(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_BURY);
	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, now);
	end = store_file_run(&s->truth, row);
	if (end == STORE_DONE)
		end = store_agent_run(s, STORE_SQL_FORGET, id);
	if (end == STORE_DONE && sqlite3_changes(s->truth.db) == 0)
		end = STORE_NONE;
	end = store_token_finish(s, id, deed, now, end);
	/* what is left of it there is swept away some time */
	if (end == STORE_DONE && store_live_forget(s, id) != STORE_DONE)
		log_warn("store", "%s", s->detail);
	return end;
}
