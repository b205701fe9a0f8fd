/*
 * The queue in a file. Verbs write into one transaction that is committed
 * in the next turn of the loop: all that came meanwhile share its fsync, and
 * whoever pushed hears of it only then. What was merely taken or settled
 * waits a little longer, for losing it does a task twice and loses none.
 *
 * A commit that fails undoes what was in it, and says so to each caller.
 */
#include "queue_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

enum {
	QUEUE_SQLITE_SAY = 1000,	/* ms between two lines of a failure */
	QUEUE_SQLITE_LAZY = 10,		/* ms until a commit that can wait */
	QUEUE_SQLITE_EXPIRY = 1000,	/* ms between two looks for results
					 * whose time is over */
};

static struct queue_sqlite *
queue_sqlite_of(struct queue *q)
{
	return LOOP_OF(struct queue_sqlite, base, q);
}

static void
queue_sqlite_bind(sqlite3_stmt *statement, int at, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* --- transactions ------------------------------------------------------- */

/* Logs why the file failed, once a second at most. */
static void
queue_sqlite_failed(struct queue_sqlite *s, const char *what)
{
	int64_t now = loop_now(s->base.setup.loop);

	if (s->said != 0 && now - s->said < QUEUE_SQLITE_SAY)
		return;
	log_error("queue", "%s: %s", what, sqlite3_errmsg(s->db));
	s->said = now;
}

static void
queue_sqlite_recount(struct queue_sqlite *s)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_COUNT);

	s->counts[QUEUE_QUEUED] = s->counts[QUEUE_PENDING] = 0;
	while (sqlite3_step(sql) == SQLITE_ROW)
		s->counts[sqlite3_column_int(sql, 0)] =
		    sqlite3_column_int64(sql, 1);
	sqlite3_reset(sql);
}

static void
queue_sqlite_rollback(struct queue_sqlite *s)
{
	if (!sqlite3_get_autocommit(s->db))
		queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, QUEUE_SQLITE_ROLLBACK));
}

/* What ran when the file was opened is due again; on disk before anything is
 * given out. Not at the opening, for the disk may be full. */
static bool
queue_sqlite_recover(struct queue_sqlite *s)
{
	static const enum queue_sqlite_sql steps[] = { QUEUE_SQLITE_BEGIN,
		QUEUE_SQLITE_RECOVER, QUEUE_SQLITE_COMMIT };

	if (s->recovered)
		return true;
	for (size_t i = 0; i < 3; i++) {
		if (!queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, steps[i]))) {
			queue_sqlite_failed(s, "the queue cannot be written");
			queue_sqlite_rollback(s);
			return false;
		}
	}
	s->recovered = true;
	return true;
}

bool
queue_sqlite_begin(struct queue_sqlite *s)
{
	if (!s->begun && queue_sqlite_recover(s)) {
		s->begun = queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, QUEUE_SQLITE_BEGIN));
		if (!s->begun)
			queue_sqlite_failed(s, "no transaction");
	}
	return s->begun;
}

void
queue_sqlite_wait(struct queue_sqlite *s, struct queue_call *call,
    enum queue_end end, bool lazy)
{
	int64_t ms = lazy ? QUEUE_SQLITE_LAZY : 0;
	struct loop *loop = s->base.setup.loop;

	if (call != NULL) {
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
queue_sqlite_undone(struct queue_sqlite *s)
{
	queue_sqlite_failed(s, "a commit failed");
	queue_sqlite_rollback(s);
	queue_text_drop(s->config);
	s->config = NULL;
	queue_sqlite_recount(s);
}

static void
queue_sqlite_commit(struct queue_sqlite *s)
{
	struct queue_call *call = s->waiting, *next;
	bool ok = true;

	loop_timer_stop(s->base.setup.loop, &s->commit);
	if (s->begun)
		ok = queue_sqlite_file_run(s,
		    queue_sqlite_file_sql(s, QUEUE_SQLITE_COMMIT));
	s->begun = s->pushed = false;
	if (!ok)
		queue_sqlite_undone(s);
	s->waiting = NULL;
	s->waiting_end = &s->waiting;
	for (; call != NULL; call = next) {
		next = call->next;
		queue_answer(&s->base, call, ok ? call->end : QUEUE_DOWN);
	}
	queue_deliver(&s->base);
}

static void
queue_sqlite_turn(struct loop_timer *timer)
{
	struct queue_sqlite *s = LOOP_OF(struct queue_sqlite, commit, timer);

	queue_sqlite_commit(s);
	if (s->base.room > 0)
		queue_sqlite_feed_soon(s);
}

/* --- verbs that write --------------------------------------------------- */

/* The row of a configuration; 0: the file failed. */
static long long
queue_sqlite_config_row(struct queue_sqlite *s, struct queue_text *config)
{
	unsigned char digest[TOKEN_SHA256];
	char hex[2 * TOKEN_SHA256 + 1];
	sqlite3_stmt *sql;
	long long row = 0;

	if (s->config == config)
		return s->config_row;
	token_sha256(digest, config->text, config->len);
	token_hex(hex, digest, sizeof(digest));
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_CONFIG_ADD);
	queue_sqlite_bind(sql, 1, hex);
	sqlite3_bind_text(sql, 2, config->text, (int)config->len,
	    SQLITE_STATIC);
	if (!queue_sqlite_file_run(s, sql))
		return 0;
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_CONFIG_FIND);
	queue_sqlite_bind(sql, 1, hex);
	if (sqlite3_step(sql) == SQLITE_ROW)
		row = sqlite3_column_int64(sql, 0);
	sqlite3_reset(sql);
	if (row > 0) {
		queue_text_drop(s->config);
		s->config = queue_text_hold(config);
		s->config_row = row;
	}
	return row;
}

static void
queue_sqlite_push(struct queue *q, const struct queue_task *task,
    struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_of(q);
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_PUSH);
	long long row;

	if (s->counts[QUEUE_QUEUED] + s->counts[QUEUE_PENDING] >=
	    q->setup.max) {
		queue_answer(q, call, QUEUE_FULL);
		return;
	}
	row = queue_sqlite_begin(s) ?
	    queue_sqlite_config_row(s, task->config) : 0;
	queue_sqlite_bind(sql, 1, task->id);
	sqlite3_bind_int64(sql, 2, row);
	sqlite3_bind_int64(sql, 3, task->created_at);
	if (row == 0 || !queue_sqlite_file_run(s, sql)) {
		queue_sqlite_failed(s, "a task cannot be written");
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	s->counts[QUEUE_QUEUED]++;
	s->pushed = true;
	queue_sqlite_wait(s, call, QUEUE_DONE, false);
}

static sqlite3_stmt *
queue_sqlite_settle_sql(struct queue_sqlite *s,
    const struct queue_settled *settled)
{
	long long now = clock_wall();
	sqlite3_stmt *sql;

	if (settled->state == QUEUE_PENDING) {
		sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_AGAIN);
		sqlite3_bind_int64(sql, 2, now + settled->delay_ms);
		queue_sqlite_bind(sql, 3, settled->error);
	} else {
		sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_END);
		sqlite3_bind_int(sql, 2, (int)settled->state);
		sqlite3_bind_int64(sql, 3, now);
		queue_sqlite_bind(sql, 4, settled->error);
		queue_sqlite_bind(sql, 5, settled->result);
	}
	queue_sqlite_bind(sql, 1, settled->id);
	return sql;
}

static void
queue_sqlite_settle(struct queue *q, const struct queue_settled *settled,
    struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_of(q);
	enum queue_end end = QUEUE_DONE;

	if (!queue_sqlite_begin(s) || !queue_sqlite_file_run(s,
	    queue_sqlite_settle_sql(s, settled))) {
		queue_sqlite_failed(s, "a task cannot be settled");
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	if (sqlite3_changes(s->db) == 0)
		end = QUEUE_ABSENT;
	else if (settled->state != QUEUE_PENDING)
		s->counts[QUEUE_PENDING]--;
	queue_sqlite_wait(s, call, end, true);
}

static void
queue_sqlite_remove(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_of(q);
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_STATE);
	int state = -1;

	queue_sqlite_bind(sql, 1, id);
	if (sqlite3_step(sql) == SQLITE_ROW)
		state = sqlite3_column_int(sql, 0);
	sqlite3_reset(sql);
	if (state < 0) {
		queue_answer(q, call, QUEUE_ABSENT);
		return;
	}
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_REMOVE);
	queue_sqlite_bind(sql, 1, id);
	if (!queue_sqlite_begin(s) || !queue_sqlite_file_run(s, sql)) {
		queue_sqlite_failed(s, "a task cannot be removed");
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	s->counts[state]--;
	queue_sqlite_wait(s, call, QUEUE_DONE, false);
}

static void
queue_sqlite_take(struct queue *q, size_t room)
{
	if (room > 0)
		queue_sqlite_feed_soon(queue_sqlite_of(q));
}

static void
queue_sqlite_expiry(struct loop_timer *timer)
{
	struct queue_sqlite *s = LOOP_OF(struct queue_sqlite, expiry, timer);
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_EXPIRE);

	sqlite3_bind_int64(sql, 1, clock_wall() - s->base.setup.ttl_ms);
	if (queue_sqlite_begin(s) && queue_sqlite_file_run(s, sql) &&
	    sqlite3_changes(s->db) > 0) {
		sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_CONFIG_DROP);
		sqlite3_bind_int64(sql, 1, s->config != NULL ?
		    s->config_row : 0);
		queue_sqlite_file_run(s, sql);
	}
	queue_sqlite_wait(s, NULL, QUEUE_DONE, true);
	loop_timer_start(s->base.setup.loop, timer, QUEUE_SQLITE_EXPIRY);
}

/* --- the engine --------------------------------------------------------- */

static struct queue *
queue_sqlite_open(const struct queue_setup *setup, struct buf *error)
{
	struct queue_sqlite *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		buf_str(error, "out of memory");
		return NULL;
	}
	queue_begin(&s->base, &queue_sqlite, setup);
	s->waiting_end = &s->waiting;
	s->commit.fire = queue_sqlite_turn;
	s->feed.fire = queue_sqlite_feed;
	s->expiry.fire = queue_sqlite_expiry;
	if (!queue_sqlite_file_open(s, error)) {
		free(s);
		return NULL;
	}
	queue_sqlite_recount(s);
	loop_timer_start(setup->loop, &s->expiry, 0);
	return &s->base;
}

static void
queue_sqlite_close(struct queue *q)
{
	struct queue_sqlite *s = queue_sqlite_of(q);

	queue_sqlite_commit(s);
	loop_timer_stop(q->setup.loop, &s->feed);
	loop_timer_stop(q->setup.loop, &s->expiry);
	loop_timer_stop(q->setup.loop, &s->commit);
	loop_timer_stop(q->setup.loop, &q->turn);
	queue_text_drop(s->config);
	queue_sqlite_file_close(s);
	free(s);
}

const struct queue_engine queue_sqlite = {
	.scheme = "sqlite:",
	.open = queue_sqlite_open,
	.close = queue_sqlite_close,
	.push = queue_sqlite_push,
	.take = queue_sqlite_take,
	.settle = queue_sqlite_settle,
	.read = queue_sqlite_read,
	.list = queue_sqlite_list,
	.remove = queue_sqlite_remove,
	.facts = queue_sqlite_facts,
};
