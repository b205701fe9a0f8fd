/*
 * The audit. Rows of deeds are added inside the transactions of the deeds;
 * refused credentials come counted and in batches, so that a flood of them
 * never holds the write lock for long.
 */
#include "store_sqlite.h"

#include "buf.h"
#include "json.h"

enum {
	STORE_AUDIT_BATCH = 256,	/* refused ones of one transaction */
	STORE_AUDIT_PURGE = 1000,	/* rows removed in one */
};

/* Binds a row, but for what is counted. */
static void
store_audit_bind(sqlite3_stmt *row, const struct store_audit *a)
{
	sqlite3_bind_int64(row, 1, a->at);
	sqlite3_bind_text(row, 2, a->who, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 3, a->address, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 4, a->request_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 5, a->action, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 6, a->what, -1, SQLITE_STATIC);
}

enum store_end
store_audit_add(struct store *s, const struct store_deed *deed, long long at,
    const struct buf *what)
{
	const struct store_audit row = {
		.at = at,
		.who = deed->who,
		.address = deed->address,
		.request_id = deed->request_id,
		.action = deed->action,
		.what = buf_text(what),
	};
	sqlite3_stmt *statement = store_file_sql(&s->truth, STORE_SQL_AUDIT);

	if (what->failed)
		return store_say(s, STORE_BROKEN, "audit", "out of memory");
	store_audit_bind(statement, &row);
	return store_file_run(&s->truth, statement);
}

/* --- refused credentials ------------------------------------------------ */

static enum store_end
store_refused_batch(struct store *s, const struct store_audit *rows,
    size_t count)
{
	enum store_end end = store_file_begin(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	for (size_t i = 0; end == STORE_DONE && i < count; i++) {
		row = store_file_sql(&s->truth, STORE_SQL_REFUSED);
		store_audit_bind(row, &rows[i]);
		sqlite3_bind_int64(row, 7, rows[i].count);
		end = store_file_run(&s->truth, row);
	}
	return store_file_end(&s->truth, end);
}

enum store_end
store_refused(struct store *s, const struct store_audit *rows, size_t count,
    size_t *written)
{
	enum store_end end = STORE_DONE;
	size_t n;

	for (*written = 0; end == STORE_DONE && *written < count;) {
		n = count - *written < STORE_AUDIT_BATCH ?
		    count - *written : STORE_AUDIT_BATCH;
		end = store_refused_batch(s, rows + *written, n);
		if (end == STORE_DONE)
			*written += n;
	}
	return end;
}

/* --- reading ------------------------------------------------------------ */

/* A page being read. */
struct store_audit_page {
	void (*each)(void *arg, const struct store_audit *);
	void *arg;
};

static enum store_end
store_audit_take(void *arg, sqlite3_stmt *row)
{
	struct store_audit_page *page = arg;
	const struct store_audit a = {
		.id = sqlite3_column_int64(row, 0),
		.at = sqlite3_column_int64(row, 1),
		.who = (const char *)sqlite3_column_text(row, 2),
		.address = (const char *)sqlite3_column_text(row, 3),
		.request_id = (const char *)sqlite3_column_text(row, 4),
		.action = (const char *)sqlite3_column_text(row, 5),
		.what = (const char *)sqlite3_column_text(row, 6),
		.count = sqlite3_column_int64(row, 7),
	};

	page->each(page->arg, &a);
	return STORE_DONE;
}

enum store_end
store_audit(struct store *s, long long before, long long since, long limit,
    void (*each)(void *arg, const struct store_audit *), void *arg,
    bool *more)
{
	struct store_audit_page page = { each, arg };
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	*more = false;
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_AUDITED);
	sqlite3_bind_int64(row, 1, before > 0 ? before : INT64_MAX);
	sqlite3_bind_int64(row, 2, since);
	sqlite3_bind_int64(row, 3, limit + 1);
	return store_file_page(&s->truth, row, limit, store_audit_take, &page,
	    more);
}

/* --- forgetting --------------------------------------------------------- */

/* Whether there is anything: most looks find nothing, and take no lock. */
static enum store_end
store_audit_old(struct store *s, long long since)
{
	sqlite3_stmt *row = store_file_sql(&s->truth, STORE_SQL_AUDIT_OLD);
	long long one;

	sqlite3_bind_int64(row, 1, since);
	return store_file_whole(&s->truth, row, &one, NULL);
}

enum store_end
store_audit_purge(struct store *s, long long since)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	if (end == STORE_DONE)
		end = store_audit_old(s, since);
	if (end == STORE_DONE)
		end = store_file_begin(&s->truth);
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_AUDIT_PURGE);
	sqlite3_bind_int64(row, 1, since);
	sqlite3_bind_int64(row, 2, STORE_AUDIT_PURGE);
	end = store_file_run(&s->truth, row);
	return store_file_end(&s->truth, end);
}
