/*
 * What the engines of the queue have in common: how one is picked, and how
 * answers are given. Knows no engine but by its row.
 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct queue_engine *const queue_engines[] = {
	&queue_memory,
	&queue_sqlite,
#ifdef WITH_REDIS
	&queue_redis,
#endif
};

/* --- texts -------------------------------------------------------------- */

struct queue_text *
queue_text_new(const void *text, size_t len)
{
	struct queue_text *t = malloc(sizeof(*t) + len + 1);

	if (t == NULL)
		return NULL;
	t->refs = 1;
	t->len = len;
	memcpy(t->text, text, len);
	t->text[len] = '\0';
	return t;
}

struct queue_text *
queue_text_hold(struct queue_text *t)
{
	t->refs++;
	return t;
}

void
queue_text_drop(struct queue_text *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

const char *
queue_state_name(enum queue_state state)
{
	static const char *const names[] = {
		[QUEUE_QUEUED] = "queued", [QUEUE_PENDING] = "pending",
		[QUEUE_COMPLETED] = "completed", [QUEUE_FAILED] = "failed",
		[QUEUE_ANY] = "any",
	};

	return names[state];
}

/* --- answers ------------------------------------------------------------ */

struct queue_record *
queue_record_add(struct queue_call *call)
{
	size_t n = call->count;
	struct queue_record *more;

	/* Full at each power of two. */
	if ((n & (n - 1)) == 0) {
		more = reallocarray(call->records, n > 0 ? n * 2 : 1,
		    sizeof(*more));
		if (more == NULL)
			return NULL;
		call->records = more;
	}
	call->count++;
	memset(&call->records[n], 0, sizeof(call->records[n]));
	return &call->records[n];
}

/* The call is gone once done was called. */
static void
queue_finish(struct queue_call *call)
{
	struct queue_record *records = call->records;
	size_t count = call->count;

	call->done(call);
	for (size_t i = 0; i < count; i++) {
		free(records[i].error);
		free(records[i].result);
	}
	free(records);
}

void
queue_deliver(struct queue *q)
{
	struct queue_call *call = q->ready, *next;

	q->ready = NULL;
	q->ready_end = &q->ready;
	for (; call != NULL; call = next) {
		next = call->next;
		queue_finish(call);
	}
}

static void
queue_turn(struct loop_timer *timer)
{
	queue_deliver(LOOP_OF(struct queue, turn, timer));
}

void
queue_answer(struct queue *q, struct queue_call *call, enum queue_end end)
{
	call->end = end;
	call->next = NULL;
	*q->ready_end = call;
	q->ready_end = &call->next;
	if (!loop_timer_runs(&q->turn))
		loop_timer_start(q->setup.loop, &q->turn, 0);
}

void
queue_begin(struct queue *q, const struct queue_engine *engine,
    const struct queue_setup *setup)
{
	q->engine = engine;
	q->setup = *setup;
	q->ready_end = &q->ready;
	q->turn.fire = queue_turn;
}

/* --- verbs -------------------------------------------------------------- */

static void
queue_prepare(struct queue_call *call)
{
	call->end = QUEUE_DOWN;
	call->records = NULL;
	call->count = 0;
	call->next = NULL;
}

struct queue *
queue_open(const struct queue_setup *setup, struct buf *error)
{
	size_t n = sizeof(queue_engines) / sizeof(queue_engines[0]);

	for (size_t i = 0; i < n; i++)
		if (strncmp(setup->url, queue_engines[i]->scheme,
		    strlen(queue_engines[i]->scheme)) == 0)
			return queue_engines[i]->open(setup, error);
	/* Its rest may be a password. */
	buf_printf(error, "QUEUE_URL \"%.*s…\" is none of",
	    (int)strcspn(setup->url, ":/@"), setup->url);
	for (size_t i = 0; i < n; i++)
		buf_printf(error, "%s %s", i > 0 ? "," : "",
		    queue_engines[i]->scheme);
	return NULL;
}

void
queue_close(struct queue *q)
{
	if (q == NULL)
		return;
	loop_timer_stop(q->setup.loop, &q->turn);
	q->engine->close(q);
}

void
queue_push(struct queue *q, const struct queue_task *task,
    struct queue_call *call)
{
	queue_prepare(call);
	q->engine->push(q, task, call);
}

void
queue_take(struct queue *q, size_t room)
{
	q->room = room;
	q->engine->take(q, room);
}

void
queue_settle(struct queue *q, const struct queue_settled *settled,
    struct queue_call *call)
{
	queue_prepare(call);
	q->engine->settle(q, settled, call);
}

void
queue_read(struct queue *q, const char *id, struct queue_call *call)
{
	queue_prepare(call);
	q->engine->read(q, id, call);
}

void
queue_list(struct queue *q, const struct queue_page *page,
    struct queue_call *call)
{
	queue_prepare(call);
	q->engine->list(q, page, call);
}

void
queue_remove(struct queue *q, const char *id, struct queue_call *call)
{
	queue_prepare(call);
	q->engine->remove(q, id, call);
}

void
queue_facts(struct queue *q, struct queue_facts *facts)
{
	*facts = (struct queue_facts){ .up = true };
	q->engine->facts(q, facts);
}

bool
queue_shared(const struct queue *q)
{
	return q->engine->shared;
}
