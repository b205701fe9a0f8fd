/*
 * Versions: the present one, known as long as PRAGMA data_version says that
 * nobody else wrote; older ones; and publishing, where the order of things
 * is decided under the write lock and nowhere else.
 */
#include "store_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "etag.h"
#include "version.h"

void
store_version_free(struct store_version *v)
{
	free(v->body);
	memset(v, 0, sizeof(*v));
}

/* Fills v: body and tag are made here and nowhere else. */
static enum store_end
store_version_make(struct store *s, struct store_version *v,
    const char *data, size_t len)
{
	struct buf body = BUF_INIT(VERSION_BODY_MAX);

	version_body(&body, v->version, data, len, v->interval);
	v->len = body.len;
	v->body = buf_give(&body);
	if (v->body == NULL)
		return store_say(s, STORE_BROKEN, "a version does not fit "
		    "into memory", "out of memory");
	etag_make(v->etag, v->version, v->body, v->len);
	return STORE_DONE;
}

/* A row of version, data, poll_interval, created_at. */
static enum store_end
store_version_row(struct store *s, sqlite3_stmt *row,
    struct store_version *v)
{
	const void *data;

	v->version = sqlite3_column_int64(row, 0);
	v->interval = (long)sqlite3_column_int64(row, 2);
	v->created_at = sqlite3_column_int64(row, 3);
	data = sqlite3_column_blob(row, 1);
	if (data == NULL)
		return store_file_failed(&s->truth);
	return store_version_make(s, v, data,
	    (size_t)sqlite3_column_bytes(row, 1));
}

/* Reads the newest version into s->current, whatever is there. */
static enum store_end
store_version_newest(struct store *s)
{
	sqlite3_stmt *row = store_file_sql(&s->truth, STORE_SQL_NEWEST);
	struct store_version v = { .interval = s->interval };
	enum store_end end = store_file_row(&s->truth, row);

	if (end == STORE_DONE)
		end = store_version_row(s, row, &v);
	else if (end == STORE_NONE)
		end = store_version_make(s, &v, "{}", 2);
	sqlite3_reset(row);
	if (end != STORE_DONE) {
		store_version_free(&v);
		return end;
	}
	store_version_free(&s->current);
	s->current = v;
	return STORE_DONE;
}

/* Reads again what another process may have written. */
static enum store_end
store_version_reload(struct store *s)
{
	enum store_end end = store_file_schema(&s->truth);
	long long newest = -1;

	if (end == STORE_NEWER) {
		store_file_close(&s->truth);
		end = store_file_ready(&s->truth);
	}
	if (end != STORE_DONE || s->current.body == NULL)
		return end == STORE_DONE ? store_version_newest(s) : end;
	/* most changes are of agents: then body and tag are good still */
	end = store_file_whole(&s->truth, store_file_sql(&s->truth,
	    STORE_SQL_NEWEST_NUMBER), &newest, NULL);
	if (end != STORE_DONE)
		return end;
	return newest == s->current.version && s->seen >= 0 ? STORE_DONE :
	    store_version_newest(s);
}

enum store_end
store_look(struct store *s, bool *moved)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3 *db = s->truth.db;
	long long number = 0;	/* moves when another one has committed */

	if (end == STORE_DONE)
		end = store_file_whole(&s->truth, store_file_sql(&s->truth,
		    STORE_SQL_CHANGED), &number, NULL);
	*moved = end != STORE_DONE || number != s->seen;
	if (end == STORE_DONE && *moved) {
		s->raised.known = false;
		/* the number first: what comes after it is seen next time */
		end = store_version_reload(s);
		s->seen = end == STORE_DONE && s->truth.db == db ?
		    number : -1;
	}
	return end;
}

enum store_end
store_current(struct store *s, const struct store_version **out)
{
	bool moved;

	*out = &s->current;
	return store_look(s, &moved);
}

enum store_end
store_seen(struct store *s, const struct store_version **out)
{
	if (s->seen < 0)
		return store_current(s, out);
	*out = &s->current;
	return STORE_DONE;
}

enum store_end
store_version(struct store *s, long long version, struct store_version *v)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	memset(v, 0, sizeof(*v));
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_VERSION);
	sqlite3_bind_int64(row, 1, version);
	end = store_file_row(&s->truth, row);
	if (end == STORE_DONE)
		end = store_version_row(s, row, v);
	sqlite3_reset(row);
	return end;
}

/* --- the history -------------------------------------------------------- */

/* A page being read. */
struct store_version_page {
	void (*each)(void *arg, const struct store_entry *);
	void *arg;
};

static enum store_end
store_version_take(void *arg, sqlite3_stmt *row)
{
	struct store_version_page *page = arg;
	const struct store_entry entry = {
		.version = sqlite3_column_int64(row, 0),
		.created_at = sqlite3_column_int64(row, 1),
		.interval = (long)sqlite3_column_int64(row, 2),
		.size = sqlite3_column_int64(row, 3),
		.sha256 = (const char *)sqlite3_column_text(row, 4),
		.author = (const char *)sqlite3_column_text(row, 5),
		.comment = (const char *)sqlite3_column_text(row, 6),
	};

	page->each(page->arg, &entry);
	return STORE_DONE;
}

enum store_end
store_history(struct store *s, long long before, long limit,
    void (*each)(void *arg, const struct store_entry *), void *arg,
    bool *more)
{
	struct store_version_page page = { each, arg };
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	*more = false;
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_HISTORY);
	sqlite3_bind_int64(row, 1, before > 0 ? before : INT64_MAX);
	sqlite3_bind_int64(row, 2, limit + 1);
	return store_file_page(&s->truth, row, limit, store_version_take,
	    &page, more);
}

/* --- publishing --------------------------------------------------------- */

static enum store_end
store_version_audit(struct store *s, const struct store_change *change,
    const struct store_version *v)
{
	struct buf what = BUF_INIT(128);
	enum store_end end;

	if (change->deed == NULL)
		return STORE_DONE;
	buf_printf(&what, "{\"version\":%lld", v->version);
	if (change->content_of > 0)
		buf_printf(&what, ",\"content_of\":%lld",
		    change->content_of);
	buf_char(&what, '}');
	end = store_audit_add(s, change->deed, v->created_at, &what);
	buf_free(&what);
	return end;
}

static enum store_end
store_version_insert(struct store *s, const struct store_change *change,
    const struct store_version *v)
{
	sqlite3_stmt *row = store_file_sql(&s->truth, STORE_SQL_PUBLISH);
	unsigned char sum[TOKEN_SHA256];
	char hex[2 * TOKEN_SHA256 + 1];

	token_sha256(sum, change->data, change->len);
	token_hex(hex, sum, sizeof(sum));
	sqlite3_bind_int64(row, 1, v->version);
	sqlite3_bind_blob64(row, 2, change->data, change->len, SQLITE_STATIC);
	sqlite3_bind_text(row, 3, hex, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 4, v->interval);
	sqlite3_bind_int64(row, 5, v->created_at);
	sqlite3_bind_text(row, 6, change->author, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 7, change->comment, -1, SQLITE_STATIC);
	return store_file_run(&s->truth, row);
}

enum store_end
store_version_again(struct store *s, const struct store_change *change,
    const struct store_version *old, long long number)
{
	const struct store_version next = {
		.version = number,
		.interval = old->interval,
		.created_at = clock_wall(),
	};
	struct store_change again = *change;
	struct json_span data;
	enum store_end end;

	version_data(&data, old->body, old->len);
	again.data = data.text;
	again.len = data.len;
	end = store_version_insert(s, &again, &next);
	return end == STORE_DONE ? store_version_audit(s, &again, &next) :
	    end;
}

/* Whether the present version is what the change asks for. */
static enum store_end
store_version_decide(struct store *s, const struct store_change *change,
    struct store_version *next)
{
	const struct store_version *now = &s->current;
	enum store_end end;

	if ((change->if_match != NULL &&
	    !etag_match(change->if_match, now->etag)) ||
	    (change->first && now->version != 0))
		return STORE_STALE;
	next->interval = change->interval > 0 ? change->interval :
	    now->interval;
	next->version = now->version;
	next->created_at = clock_wall();
	if (now->version > 0) {
		end = store_version_make(s, next, change->data, change->len);
		if (end != STORE_DONE)
			return end;
		if (next->len == now->len &&
		    memcmp(next->body, now->body, now->len) == 0)
			return STORE_SAME;
		free(next->body);
	}
	next->version++;
	return store_version_make(s, next, change->data, change->len);
}

/* What would come of it, by what is present now. */
static enum store_end
store_version_try(struct store *s, const struct store_change *change,
    const struct store_version **out)
{
	struct store_version next = { .version = 0 };
	enum store_end end = store_current(s, out);

	if (end == STORE_DONE)
		end = store_version_decide(s, change, &next);
	store_version_free(&next);
	return end;
}

enum store_end
store_publish(struct store *s, const struct store_change *change,
    const struct store_version **out)
{
	struct store_version next = { .version = 0 };
	enum store_end end;

	if (change->dry)
		return store_version_try(s, change, out);
	end = store_file_begin(&s->truth);
	*out = &s->current;
	if (end != STORE_DONE)
		return end;
	s->seen = -1;
	end = store_version_newest(s);
	if (end == STORE_DONE)
		end = store_version_decide(s, change, &next);
	if (end == STORE_DONE)
		end = store_version_insert(s, change, &next);
	if (end == STORE_DONE)
		end = store_version_audit(s, change, &next);
	end = store_file_end(&s->truth, end);
	if (end != STORE_DONE) {
		store_version_free(&next);
		return end;
	}
	store_version_free(&s->current);
	s->current = next;
	return STORE_DONE;
}
