/*
 * Transactions of the queue in a file. Verbs write into one that is committed
 * in the next turn of the loop: all that came meanwhile share its fsync, and
 * whoever pushed hears of it only then. What was merely taken or settled
 * waits a little longer, for losing it does a task twice and loses none.
 *
 * A commit that fails undoes what was in it, and says so to each caller.
 */
#include "queue_sqlite.h"

#include <limits.h>

#include "clock.h"
#include "log.h"

enum {
	COMMIT_SAY = 1000,	/* ms between two lines of a failure */
	COMMIT_LAZY = 10,	/* ms until a commit that can wait */
	COMMIT_PAUSE = 20,	/* ms between two commits at most */
};

/* Logs why the file failed, once a second at most. */
static void
queue_sqlite_commit_failed(struct queue_sqlite *s, const char *what)
{
	int64_t now = loop_now(s->base.setup.loop);

	if (s->said != 0 && now - s->said < COMMIT_SAY)
		return;
	log_error("queue", "%s: %s", what, sqlite3_errmsg(s->db));
	s->said = now;
}

/* Of a statement that gives one. */
static long long
queue_sqlite_commit_number(struct queue_sqlite *s, enum queue_sqlite_sql which)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, which);
	long long number = 0;

	if (sqlite3_step(sql) == SQLITE_ROW)
		number = sqlite3_column_int64(sql, 0);
	sqlite3_reset(sql);
	return number;
}

void
queue_sqlite_commit_count(struct queue_sqlite *s)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_COUNT);
	long long last;

	s->counts[QUEUE_QUEUED] = s->counts[QUEUE_PENDING] = 0;
	while (sqlite3_step(sql) == SQLITE_ROW)
		s->counts[sqlite3_column_int(sql, 0)] =
		    sqlite3_column_int64(sql, 1);
	sqlite3_reset(sql);
	last = queue_sqlite_commit_number(s, QUEUE_SQLITE_ARRIVAL);
	if (s->arrival < last)
		s->arrival = last;
	s->safe = s->arrival;
	s->low = queue_sqlite_commit_number(s, QUEUE_SQLITE_LOW);
	if (s->low == 0)
		s->low = s->arrival + 1;
}

static void
queue_sqlite_commit_rollback(struct queue_sqlite *s)
{
	if (!sqlite3_get_autocommit(s->db))
		queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, QUEUE_SQLITE_ROLLBACK));
}

/* Nothing is given out before the file was seen to take it. Not at the
 * opening, for the disk may be full. */
static bool
queue_sqlite_commit_first(struct queue_sqlite *s)
{
	static const enum queue_sqlite_sql steps[] = { QUEUE_SQLITE_BEGIN,
		QUEUE_SQLITE_OPENED, QUEUE_SQLITE_COMMIT };
	sqlite3_stmt *sql;

	for (size_t i = 0; i < 3 && !s->opened; i++) {
		sql = queue_sqlite_file_sql(s, steps[i]);
		if (steps[i] == QUEUE_SQLITE_OPENED)
			sqlite3_bind_int64(sql, 1, clock_wall());
		if (!queue_sqlite_file_run(s, sql)) {
			queue_sqlite_commit_failed(s,
			    "the queue cannot be written");
			queue_sqlite_commit_rollback(s);
			return false;
		}
	}
	s->opened = true;
	return true;
}

bool
queue_sqlite_begin(struct queue_sqlite *s)
{
	if (s->begun)
		return !s->spoilt;
	if (queue_sqlite_commit_first(s)) {
		s->begun = queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, QUEUE_SQLITE_BEGIN));
		if (!s->begun)
			queue_sqlite_commit_failed(s, "no transaction");
	}
	return s->begun;
}

void
queue_sqlite_spoil(struct queue_sqlite *s, const char *what)
{
	queue_sqlite_commit_failed(s, what);
	s->spoilt = s->begun;
	if (s->begun)
		queue_sqlite_wait(s, NULL, QUEUE_DOWN, true);
}

void
queue_sqlite_wait(struct queue_sqlite *s, struct queue_call *call,
    enum queue_end end, bool lazy)
{
	struct loop *loop = s->base.setup.loop;
	int64_t ms = lazy ? COMMIT_LAZY : 0;

	if (loop_now(loop) + ms < s->pause)
		ms = s->pause - loop_now(loop);
	if (call != NULL) {
		s->waits++;
		call->end = end;
		call->next = NULL;
		*s->waiting_end = call;
		s->waiting_end = &call->next;
	}
	if (!loop_timer_runs(&s->commit) ||
	    s->commit.due > loop_now(loop) + ms)
		loop_timer_start(loop, &s->commit, ms);
}

static void
queue_sqlite_commit_undone(struct queue_sqlite *s)
{
	queue_sqlite_commit_failed(s, "a commit failed");
	queue_sqlite_commit_rollback(s);
	queue_text_drop(s->config);
	s->config = NULL;
	queue_sqlite_commit_count(s);
	queue_sqlite_feed_undone(s);
}

/* Nothing else is done meanwhile: where many call at once, at least as long
 * a time is left for all that is not waiting for the disk, and for more of
 * them to come. */
static bool
queue_sqlite_commit_sync(struct queue_sqlite *s)
{
	long long begin = clock_steady(), end;
	bool ok = queue_sqlite_file_run(s,
	    queue_sqlite_file_sql(s, QUEUE_SQLITE_COMMIT));

	end = clock_steady();
	s->pause = 0;
	if (s->waits > 1)
		s->pause = end + (end - begin < COMMIT_PAUSE ?
		    end - begin : COMMIT_PAUSE);
	return ok;
}

void
queue_sqlite_commit(struct queue_sqlite *s)
{
	struct queue_call *call = s->waiting, *next;
	bool ok = true;

	loop_timer_stop(s->base.setup.loop, &s->commit);
	if (s->begun)
		ok = !s->spoilt && queue_sqlite_commit_sync(s);
	s->begun = s->spoilt = false;
	s->edge = LLONG_MAX;
	if (ok)
		s->safe = s->arrival;
	else
		queue_sqlite_commit_undone(s);
	s->waits = 0;
	s->waiting = NULL;
	s->waiting_end = &s->waiting;
	for (; call != NULL; call = next) {
		next = call->next;
		queue_answer(&s->base, call, ok ? call->end : QUEUE_DOWN);
	}
	queue_deliver(&s->base);
}

void
queue_sqlite_commit_turn(struct loop_timer *timer)
{
	struct queue_sqlite *s = LOOP_OF(struct queue_sqlite, commit, timer);

	queue_sqlite_commit(s);
	/* At once: new pushes must not keep the old ones waiting. */
	queue_sqlite_feed(s);
}
