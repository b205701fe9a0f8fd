/*
 * The queue in a file: what its verbs write. Whoever pushed hears of it when
 * it is on disk; what was settled is answered then, too.
 */
#include "queue_sqlite.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

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
		s->leftover = true;
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
	sqlite3_bind_int64(sql, 1, s->arrival + 1);
	queue_sqlite_bind(sql, 2, task->id);
	sqlite3_bind_int64(sql, 3, row);
	sqlite3_bind_int64(sql, 4, task->created_at);
	if (row == 0 || !queue_sqlite_file_run(s, sql)) {
		queue_sqlite_spoil(s, "a task cannot be written");
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	s->arrival++;
	s->counts[QUEUE_QUEUED]++;
	queue_sqlite_feed_back(s, task->created_at, s->arrival);
	queue_sqlite_wait(s, call, QUEUE_DONE, false);
}

static bool
queue_sqlite_again(struct queue_sqlite *s,
    const struct queue_settled *settled, long long arrival)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_AGAIN);
	long long due = clock_wall() + settled->delay_ms;

	sqlite3_bind_int64(sql, 1, arrival);
	sqlite3_bind_int64(sql, 2, due);
	queue_sqlite_bind(sql, 3, settled->error);
	queue_sqlite_feed_back(s, due, arrival);
	return queue_sqlite_file_run(s, sql);
}

static bool
queue_sqlite_end(struct queue_sqlite *s, const struct queue_settled *settled,
    long long arrival)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_END);

	sqlite3_bind_int64(sql, 1, arrival);
	sqlite3_bind_int(sql, 2, (int)settled->state);
	sqlite3_bind_int64(sql, 3, clock_wall());
	queue_sqlite_bind(sql, 4, settled->error);
	if (!queue_sqlite_file_run(s, sql))
		return false;
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_RESULT);
	sqlite3_bind_int64(sql, 1, arrival);
	queue_sqlite_bind(sql, 2, settled->result);
	return queue_sqlite_file_run(s, sql);
}

static void
queue_sqlite_settle(struct queue *q, const struct queue_settled *settled,
    struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_of(q);
	bool again = settled->state == QUEUE_PENDING, ok;
	long long arrival = 0;
	int state = 0;

	ok = queue_sqlite_begin(s);
	if (ok) {
		arrival = queue_sqlite_feed_end(s, settled->id, &state);
		if (arrival == 0 || state > QUEUE_PENDING) {
			queue_sqlite_wait(s, call, QUEUE_ABSENT, true);
			return;
		}
		ok = again ? queue_sqlite_again(s, settled, arrival) :
		    queue_sqlite_end(s, settled, arrival);
	}
	if (!ok) {
		queue_sqlite_spoil(s, "a task cannot be settled");
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	if (!again)
		s->counts[state]--;
	queue_sqlite_wait(s, call, QUEUE_DONE, true);
}

static bool
queue_sqlite_delete(struct queue_sqlite *s, long long arrival)
{
	static const enum queue_sqlite_sql steps[] = {
		QUEUE_SQLITE_REMOVE_RESULT, QUEUE_SQLITE_REMOVE };
	sqlite3_stmt *sql;

	for (size_t i = 0; i < 2; i++) {
		sql = queue_sqlite_file_sql(s, steps[i]);
		sqlite3_bind_int64(sql, 1, arrival);
		if (!queue_sqlite_file_run(s, sql))
			return false;
	}
	return true;
}

static void
queue_sqlite_remove(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_of(q);
	bool ok = queue_sqlite_begin(s);
	int state = 0;
	long long arrival = queue_sqlite_feed_end(s, id, &state);

	if (arrival == 0) {
		queue_answer(q, call, QUEUE_ABSENT);
	} else if (!ok || !queue_sqlite_delete(s, arrival)) {
		queue_sqlite_spoil(s, "a task cannot be removed");
		queue_answer(q, call, QUEUE_DOWN);
	} else {
		s->counts[state]--;
		queue_sqlite_wait(s, call, QUEUE_DONE, false);
		return;
	}
	if (ok)
		queue_sqlite_wait(s, NULL, QUEUE_DONE, true);
}

static void
queue_sqlite_take(struct queue *q, size_t room)
{
	if (room > 0)
		queue_sqlite_feed_soon(queue_sqlite_of(q));
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
	s->commit.fire = queue_sqlite_commit_turn;
	s->feed.fire = queue_sqlite_feed_look;
	s->expiry.fire = queue_sqlite_tidy;
	TAILQ_INIT(&s->runs);
	s->given_due = LLONG_MIN;
	s->edge = LLONG_MAX;
	s->leftover = true;
	if (!queue_sqlite_file_open(s, error)) {
		free(s);
		return NULL;
	}
	queue_sqlite_commit_count(s);
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
	queue_sqlite_feed_forget(s);
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
