/*
 * Giving out tasks from the file, the one that is due first first.
 */
#include <string.h>

#include "clock.h"
#include "queue_sqlite.h"

enum { QUEUE_SQLITE_RETRY = 1000 };	/* ms, after the file failed */

static void
queue_sqlite_feed_at(struct queue_sqlite *s, int64_t ms)
{
	loop_timer_start(s->base.setup.loop, &s->feed, ms);
}

void
queue_sqlite_feed_soon(struct queue_sqlite *s)
{
	if (!loop_timer_runs(&s->feed) ||
	    s->feed.due > loop_now(s->base.setup.loop))
		queue_sqlite_feed_at(s, 0);
}

/* The text of a row of `config`; the one used last is kept. Borrowed. */
static struct queue_text *
queue_sqlite_config(struct queue_sqlite *s, long long row, const void *text,
    size_t len)
{
	if (s->config == NULL || s->config_row != row) {
		queue_text_drop(s->config);
		s->config = queue_text_new(text, len);
		s->config_row = row;
	}
	return s->config;
}

static bool
queue_sqlite_take_row(struct queue_sqlite *s, sqlite3_stmt *row)
{
	sqlite3_stmt *take = queue_sqlite_file_sql(s, QUEUE_SQLITE_TAKE);
	struct queue_task task = { .created_at = sqlite3_column_int64(row, 3) };
	int state = sqlite3_column_int(row, 2);

	memcpy(task.id, sqlite3_column_text(row, 1), TOKEN_UUID);
	task.attempts = sqlite3_column_int64(row, 4) + 1;
	task.failures = sqlite3_column_int64(row, 5);
	task.config = queue_sqlite_config(s, sqlite3_column_int64(row, 6),
	    sqlite3_column_text(row, 7), (size_t)sqlite3_column_bytes(row, 7));
	sqlite3_bind_int64(take, 1, sqlite3_column_int64(row, 0));
	sqlite3_reset(row);
	if (task.config == NULL || !queue_sqlite_begin(s) ||
	    !queue_sqlite_file_run(s, take))
		return false;
	s->counts[state]--;
	s->counts[QUEUE_PENDING]++;
	s->base.room--;
	queue_text_hold(task.config);
	s->base.setup.taken(s->base.setup.arg, &task);
	queue_text_drop(task.config);
	return true;
}

/* When the next one is due; there may be none. */
static void
queue_sqlite_sleep(struct queue_sqlite *s)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_DUE);
	long long wait;

	if (sqlite3_step(sql) == SQLITE_ROW &&
	    sqlite3_column_type(sql, 0) != SQLITE_NULL) {
		wait = sqlite3_column_int64(sql, 0) - clock_wall();
		queue_sqlite_feed_at(s, wait > 1 ? wait : 1);
	}
	sqlite3_reset(sql);
}

void
queue_sqlite_feed(struct loop_timer *timer)
{
	struct queue_sqlite *s = LOOP_OF(struct queue_sqlite, feed, timer);
	sqlite3_stmt *next;
	int code = SQLITE_ROW;

	/* Whoever pushed may yet be refused: nothing is begun for him. The
	 * commit looks again. */
	if (s->pushed)
		return;
	while (s->base.room > 0) {
		next = queue_sqlite_file_sql(s, QUEUE_SQLITE_NEXT);
		sqlite3_bind_int64(next, 1, clock_wall());
		code = sqlite3_step(next);
		if (code != SQLITE_ROW)
			break;
		if (!queue_sqlite_take_row(s, next)) {
			code = SQLITE_ERROR;
			break;
		}
	}
	sqlite3_reset(s->statements[QUEUE_SQLITE_NEXT]);
	if (s->begun)
		queue_sqlite_wait(s, NULL, QUEUE_DONE, true);
	if (code == SQLITE_DONE)
		queue_sqlite_sleep(s);
	else if (code != SQLITE_ROW)
		queue_sqlite_feed_at(s, QUEUE_SQLITE_RETRY);
}
