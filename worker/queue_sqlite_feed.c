/*
 * Giving out tasks from the file, the one that is due first first. Which of
 * them run is known here alone: a place in their order is kept, before which
 * all were given out, and it goes back when one is to come again, or when the
 * clock was set back.
 */
#include <stdlib.h>
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

void
queue_sqlite_feed_back(struct queue_sqlite *s, long long due,
    long long arrival)
{
	if (due < s->edge)
		s->edge = due;
	if (due > s->given_due ||
	    (due == s->given_due && arrival > s->given_arrival))
		return;
	s->given_due = due;
	s->given_arrival = arrival - 1;
}

/* --- what runs ---------------------------------------------------------- */

static void
queue_sqlite_feed_free(struct queue_sqlite_run *run)
{
	queue_text_drop(run->task.config);
	free(run);
}

static bool
queue_sqlite_feed_runs(const struct queue_sqlite *s, long long arrival)
{
	const struct queue_sqlite_run *run;

	TAILQ_FOREACH(run, &s->runs, line)
		if (run->arrival == arrival)
			return true;
	return false;
}

static struct queue_sqlite_run *
queue_sqlite_feed_find(struct queue_sqlite *s, const char *id)
{
	struct queue_sqlite_run *run;

	TAILQ_FOREACH(run, &s->runs, line)
		if (memcmp(run->task.id, id, TOKEN_UUID) == 0)
			return run;
	return NULL;
}

long long
queue_sqlite_feed_end(struct queue_sqlite *s, const char *id, int *state)
{
	struct queue_sqlite_run *run = queue_sqlite_feed_find(s, id);
	long long arrival = 0;
	sqlite3_stmt *sql;

	if (run != NULL) {
		arrival = run->arrival;
		*state = run->state;
		TAILQ_REMOVE(&s->runs, run, line);
		s->running--;
		queue_sqlite_feed_free(run);
		return arrival;
	}
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_PLACE);
	sqlite3_bind_text(sql, 1, id, -1, SQLITE_STATIC);
	if (sqlite3_step(sql) == SQLITE_ROW) {
		arrival = sqlite3_column_int64(sql, 0);
		*state = sqlite3_column_int(sql, 1);
	}
	sqlite3_reset(sql);
	return arrival;
}

/* That they run may be what was undone. */
void
queue_sqlite_feed_undone(struct queue_sqlite *s)
{
	struct queue_sqlite_run *run;
	sqlite3_stmt *sql;

	TAILQ_FOREACH(run, &s->runs, line) {
		sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_PLACE);
		sqlite3_bind_text(sql, 1, run->task.id, -1, SQLITE_STATIC);
		if (sqlite3_step(sql) == SQLITE_ROW)
			run->state = sqlite3_column_int(sql, 1);
		sqlite3_reset(sql);
	}
}

void
queue_sqlite_feed_forget(struct queue_sqlite *s)
{
	struct queue_sqlite_run *run;

	while ((run = TAILQ_FIRST(&s->runs)) != NULL) {
		TAILQ_REMOVE(&s->runs, run, line);
		queue_sqlite_feed_free(run);
	}
}

/* --- finding ------------------------------------------------------------ */

/* The text of a row of `config`; the one used last is kept. Borrowed. */
static struct queue_text *
queue_sqlite_feed_config(struct queue_sqlite *s, long long row,
    const void *text, size_t len)
{
	if (s->config == NULL || s->config_row != row) {
		queue_text_drop(s->config);
		s->config = queue_text_new(text, len);
		s->config_row = row;
	}
	return s->config;
}

static bool
queue_sqlite_feed_row(struct queue_sqlite *s, sqlite3_stmt *row,
    struct queue_sqlite_line *found)
{
	struct queue_text *config = queue_sqlite_feed_config(s,
	    sqlite3_column_int64(row, 5), sqlite3_column_text(row, 6),
	    (size_t)sqlite3_column_bytes(row, 6));
	struct queue_sqlite_run *run = calloc(1, sizeof(*run));

	if (run == NULL || config == NULL) {
		free(run);
		return false;
	}
	run->arrival = sqlite3_column_int64(row, 0);
	memcpy(run->task.id, sqlite3_column_text(row, 1), TOKEN_UUID);
	run->task.created_at = sqlite3_column_int64(row, 2);
	run->task.attempts = sqlite3_column_int64(row, 3);
	run->task.failures = sqlite3_column_int64(row, 4);
	run->task.config = queue_text_hold(config);
	run->due = sqlite3_column_int64(row, 7);
	TAILQ_INSERT_TAIL(found, run, line);
	return true;
}

/* As many as there is room for, of those that are due and on disk: whoever
 * pushed may yet be refused, and nothing is begun for him; nor is what comes
 * after him, for the place in the order goes over nobody. False: the file
 * failed. */
static bool
queue_sqlite_feed_look_up(struct queue_sqlite *s, long long now,
    struct queue_sqlite_line *found)
{
	sqlite3_stmt *next = queue_sqlite_file_sql(s, QUEUE_SQLITE_NEXT);
	size_t room = s->base.room;
	int code = SQLITE_DONE;

	sqlite3_bind_int64(next, 1, s->given_due);
	sqlite3_bind_int64(next, 2, now < s->edge ? now : s->edge - 1);
	sqlite3_bind_int64(next, 3, s->safe);
	sqlite3_bind_int64(next, 4, s->given_arrival);
	sqlite3_bind_int64(next, 5, (long long)(room + s->running));
	while (room > 0 && (code = sqlite3_step(next)) == SQLITE_ROW) {
		if (queue_sqlite_feed_runs(s, sqlite3_column_int64(next, 0)))
			continue;
		if (!queue_sqlite_feed_row(s, next, found))
			break;
		room--;
	}
	sqlite3_reset(next);
	return code == SQLITE_DONE || room == 0;
}

/* --- giving out --------------------------------------------------------- */

/* Takes the run. */
static bool
queue_sqlite_feed_give(struct queue_sqlite *s, struct queue_sqlite_run *run)
{
	sqlite3_stmt *take = queue_sqlite_file_sql(s, QUEUE_SQLITE_TAKE);
	struct queue_task task;

	sqlite3_bind_int64(take, 1, run->arrival);
	if (!queue_sqlite_begin(s) || !queue_sqlite_file_run(s, take)) {
		queue_sqlite_spoil(s, "a task cannot be taken");
		queue_sqlite_feed_free(run);
		return false;
	}
	s->counts[run->task.attempts > 0 ? QUEUE_PENDING : QUEUE_QUEUED]--;
	s->counts[QUEUE_PENDING]++;
	s->given_due = run->due;
	s->given_arrival = run->arrival;
	run->task.attempts++;
	run->state = QUEUE_PENDING;
	task = run->task;
	run->task.config = NULL;
	TAILQ_INSERT_TAIL(&s->runs, run, line);
	s->running++;
	s->base.room--;
	/* It may be settled in there already. */
	s->base.setup.taken(s->base.setup.arg, &task);
	queue_text_drop(task.config);
	return true;
}

/* When the next one is due; there may be none. */
static void
queue_sqlite_feed_sleep(struct queue_sqlite *s, long long now)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_DUE);
	long long wait;

	sqlite3_bind_int64(sql, 1, now);
	if (sqlite3_step(sql) == SQLITE_ROW &&
	    sqlite3_column_type(sql, 0) != SQLITE_NULL) {
		wait = sqlite3_column_int64(sql, 0) - clock_wall();
		queue_sqlite_feed_at(s, wait > 1 ? wait : 1);
	}
	sqlite3_reset(sql);
}

void
queue_sqlite_feed(struct queue_sqlite *s)
{
	struct queue_sqlite_line found = TAILQ_HEAD_INITIALIZER(found);
	struct queue_sqlite_run *run;
	long long now = clock_wall();
	bool ok;

	loop_timer_stop(s->base.setup.loop, &s->feed);
	if (s->base.room == 0)
		return;
	ok = queue_sqlite_feed_look_up(s, now, &found);
	while ((run = TAILQ_FIRST(&found)) != NULL) {
		TAILQ_REMOVE(&found, run, line);
		if (ok && s->base.room > 0)
			ok = queue_sqlite_feed_give(s, run);
		else
			queue_sqlite_feed_free(run);
	}
	if (s->begun)
		queue_sqlite_wait(s, NULL, QUEUE_DONE, true);
	if (!ok)
		queue_sqlite_feed_at(s, QUEUE_SQLITE_RETRY);
	else if (s->base.room > 0)
		queue_sqlite_feed_sleep(s, now);
}

void
queue_sqlite_feed_look(struct loop_timer *timer)
{
	queue_sqlite_feed(LOOP_OF(struct queue_sqlite, feed, timer));
}
