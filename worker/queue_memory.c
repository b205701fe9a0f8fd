/*
 * The queue in memory: it ends with the process. The simplest engine, and
 * the measure of the others.
 *
 * Results have a bound in bytes too, for there is no disk to put them on:
 * above it the oldest go before their time.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock.h"
#include "queue.h"

enum {
	MEMORY_RESULTS = 256 << 20,	/* bytes of all results */
};

struct queue_memory_task {
	struct queue_task task;	/* config: held while it is not over */
	struct queue_memory *queue;
	enum queue_state state;
	long long ended_at;
	char *error, *result;	/* owned */
	size_t size;		/* of the result */
	struct loop_timer again;
	TAILQ_ENTRY(queue_memory_task) arrival;
	TAILQ_ENTRY(queue_memory_task) line;	/* waiting, or ended */
	bool waits;		/* it is in the line of those to give out */
};

TAILQ_HEAD(queue_memory_line, queue_memory_task);

struct queue_memory {
	struct queue base;
	void *ids;		/* tsearch(3) */
	struct queue_memory_line all, waiting, ended;	/* oldest first */
	long long queued, pending;
	size_t results;		/* bytes */
	struct loop_timer feed, expiry;
};

static struct queue_memory *
queue_memory_of(struct queue *q)
{
	return LOOP_OF(struct queue_memory, base, q);
}

static int
queue_memory_compare(const void *a, const void *b)
{
	const struct queue_memory_task *one = a, *two = b;

	return strcmp(one->task.id, two->task.id);
}

static struct queue_memory_task *
queue_memory_find(struct queue_memory *m, const char *id)
{
	struct queue_memory_task key = { .queue = m };
	void *found;

	memcpy(key.task.id, id, TOKEN_UUID);
	found = tfind(&key, &m->ids, queue_memory_compare);
	return found != NULL ? *(struct queue_memory_task **)found : NULL;
}

static bool
queue_memory_over(const struct queue_memory_task *t)
{
	return t->state == QUEUE_COMPLETED || t->state == QUEUE_FAILED;
}

static void
queue_memory_count(struct queue_memory *m, const struct queue_memory_task *t,
    long long n)
{
	if (t->state == QUEUE_QUEUED)
		m->queued += n;
	else if (t->state == QUEUE_PENDING)
		m->pending += n;
}

static void
queue_memory_free(struct queue_memory *m, struct queue_memory_task *t)
{
	queue_memory_count(m, t, -1);
	loop_timer_stop(m->base.setup.loop, &t->again);
	tdelete(t, &m->ids, queue_memory_compare);
	TAILQ_REMOVE(&m->all, t, arrival);
	if (t->waits)
		TAILQ_REMOVE(&m->waiting, t, line);
	else if (queue_memory_over(t))
		TAILQ_REMOVE(&m->ended, t, line);
	m->results -= t->size;
	queue_text_drop(t->task.config);
	free(t->error);
	free(t->result);
	free(t);
}

/* --- giving out --------------------------------------------------------- */

static void
queue_memory_hungry(struct queue_memory *m)
{
	if (!TAILQ_EMPTY(&m->waiting) && m->base.room > 0 &&
	    !loop_timer_runs(&m->feed))
		loop_timer_start(m->base.setup.loop, &m->feed, 0);
}

static void
queue_memory_feed(struct loop_timer *timer)
{
	struct queue_memory *m = LOOP_OF(struct queue_memory, feed, timer);
	struct queue_memory_task *t;

	while (m->base.room > 0 &&
	    (t = TAILQ_FIRST(&m->waiting)) != NULL) {
		m->base.room--;
		TAILQ_REMOVE(&m->waiting, t, line);
		t->waits = false;
		queue_memory_count(m, t, -1);
		t->state = QUEUE_PENDING;
		queue_memory_count(m, t, 1);
		t->task.attempts++;
		m->base.setup.taken(m->base.setup.arg, &t->task);
	}
}

static void
queue_memory_wait(struct queue_memory *m, struct queue_memory_task *t)
{
	t->waits = true;
	TAILQ_INSERT_TAIL(&m->waiting, t, line);
	queue_memory_hungry(m);
}

static void
queue_memory_again(struct loop_timer *timer)
{
	struct queue_memory_task *t = LOOP_OF(struct queue_memory_task, again,
	    timer);

	queue_memory_wait(t->queue, t);
}

static void
queue_memory_take(struct queue *q, size_t room)
{
	(void)room;
	queue_memory_hungry(queue_memory_of(q));
}

/* --- results go --------------------------------------------------------- */

/* Whether the task that ended first has to go now. */
static bool
queue_memory_stale(const struct queue_memory *m)
{
	const struct queue_memory_task *t = TAILQ_FIRST(&m->ended);

	return t != NULL && (m->results > MEMORY_RESULTS ||
	    t->ended_at + m->base.setup.ttl_ms <= clock_wall());
}

static void
queue_memory_expire(struct queue_memory *m)
{
	const struct queue_memory_task *t;
	long long wait;

	while (queue_memory_stale(m))
		queue_memory_free(m, TAILQ_FIRST(&m->ended));
	t = TAILQ_FIRST(&m->ended);
	if (t == NULL)
		return;
	wait = t->ended_at + m->base.setup.ttl_ms - clock_wall();
	loop_timer_start(m->base.setup.loop, &m->expiry,
	    wait > 100 ? wait : 100);
}

static void
queue_memory_expiry(struct loop_timer *timer)
{
	queue_memory_expire(LOOP_OF(struct queue_memory, expiry, timer));
}

/* --- verbs -------------------------------------------------------------- */

static struct queue *
queue_memory_open(const struct queue_setup *setup, struct buf *error)
{
	struct queue_memory *m;

	if (strcmp(setup->url, "memory:") != 0) {
		buf_str(error, "QUEUE_URL: memory: has nothing after it");
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (m == NULL) {
		buf_str(error, "out of memory");
		return NULL;
	}
	queue_begin(&m->base, &queue_memory, setup);
	TAILQ_INIT(&m->all);
	TAILQ_INIT(&m->waiting);
	TAILQ_INIT(&m->ended);
	m->feed.fire = queue_memory_feed;
	m->expiry.fire = queue_memory_expiry;
	return &m->base;
}

static void
queue_memory_close(struct queue *q)
{
	struct queue_memory *m = queue_memory_of(q);

	loop_timer_stop(q->setup.loop, &m->feed);
	loop_timer_stop(q->setup.loop, &m->expiry);
	queue_deliver(q);
	loop_timer_stop(q->setup.loop, &q->turn);
	while (!TAILQ_EMPTY(&m->all))
		queue_memory_free(m, TAILQ_FIRST(&m->all));
	free(m);
}

static void
queue_memory_push(struct queue *q, const struct queue_task *task,
    struct queue_call *call)
{
	struct queue_memory *m = queue_memory_of(q);
	struct queue_memory_task *t;

	if (m->queued + m->pending >= q->setup.max) {
		queue_answer(q, call, QUEUE_FULL);
		return;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	t->task = *task;
	t->queue = m;
	t->again.fire = queue_memory_again;
	if (tsearch(t, &m->ids, queue_memory_compare) == NULL) {
		free(t);
		queue_answer(q, call, QUEUE_DOWN);
		return;
	}
	t->task.config = queue_text_hold(task->config);
	TAILQ_INSERT_TAIL(&m->all, t, arrival);
	queue_memory_count(m, t, 1);
	queue_memory_wait(m, t);
	queue_answer(q, call, QUEUE_DONE);
}

/* Its end: the configuration is not needed any more. */
static void
queue_memory_end(struct queue_memory *m, struct queue_memory_task *t,
    const char *result)
{
	t->ended_at = clock_wall();
	t->result = result != NULL ? strdup(result) : NULL;
	t->size = t->result != NULL ? strlen(t->result) : 0;
	m->results += t->size;
	queue_text_drop(t->task.config);
	t->task.config = NULL;
	TAILQ_INSERT_TAIL(&m->ended, t, line);
	queue_memory_expire(m);
}

static void
queue_memory_settle(struct queue *q, const struct queue_settled *settled,
    struct queue_call *call)
{
	struct queue_memory *m = queue_memory_of(q);
	struct queue_memory_task *t = queue_memory_find(m, settled->id);

	if (t == NULL || queue_memory_over(t)) {
		queue_answer(q, call, QUEUE_ABSENT);
		return;
	}
	free(t->error);
	t->error = settled->error != NULL ? strdup(settled->error) : NULL;
	queue_memory_count(m, t, -1);
	t->state = settled->state;
	queue_memory_count(m, t, 1);
	if (queue_memory_over(t)) {
		queue_memory_end(m, t, settled->result);
	} else {
		t->task.failures++;
		loop_timer_start(q->setup.loop, &t->again,
		    settled->delay_ms);
	}
	queue_answer(q, call, QUEUE_DONE);
}

static void
queue_memory_record(struct queue_call *call,
    const struct queue_memory_task *t, bool whole)
{
	struct queue_record *r = queue_record_add(call);

	if (r == NULL)
		return;
	memcpy(r->id, t->task.id, TOKEN_UUID);
	r->state = t->state;
	r->attempts = t->task.attempts;
	r->created_at = t->task.created_at;
	r->ended_at = t->ended_at;
	r->error = t->error != NULL ? strdup(t->error) : NULL;
	if (whole && t->result != NULL)
		r->result = strdup(t->result);
}

static void
queue_memory_read(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_memory *m = queue_memory_of(q);
	struct queue_memory_task *t;

	queue_memory_expire(m);
	t = queue_memory_find(m, id);
	if (t != NULL)
		queue_memory_record(call, t, true);
	queue_answer(q, call, t != NULL ? QUEUE_DONE : QUEUE_ABSENT);
}

static void
queue_memory_list(struct queue *q, const struct queue_page *page,
    struct queue_call *call)
{
	struct queue_memory *m = queue_memory_of(q);
	struct queue_memory_task *t = TAILQ_FIRST(&m->all);

	if (page->after[0] != '\0') {
		t = queue_memory_find(m, page->after);
		if (t == NULL) {
			queue_answer(q, call, QUEUE_ABSENT);
			return;
		}
		t = TAILQ_NEXT(t, arrival);
	}
	for (; t != NULL && call->count < page->limit;
	    t = TAILQ_NEXT(t, arrival))
		if (page->state == QUEUE_ANY || t->state == page->state)
			queue_memory_record(call, t, false);
	queue_answer(q, call, QUEUE_DONE);
}

static void
queue_memory_remove(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_memory *m = queue_memory_of(q);
	struct queue_memory_task *t = queue_memory_find(m, id);

	if (t != NULL)
		queue_memory_free(m, t);
	queue_answer(q, call, t != NULL ? QUEUE_DONE : QUEUE_ABSENT);
}

static void
queue_memory_facts(struct queue *q, struct queue_facts *facts)
{
	const struct queue_memory *m = queue_memory_of(q);
	const struct queue_memory_task *t = TAILQ_FIRST(&m->all);

	facts->queued = m->queued;
	facts->pending = m->pending;
	if (m->queued + m->pending == 0)
		return;
	while (t != NULL && queue_memory_over(t))
		t = TAILQ_NEXT(t, arrival);
	facts->oldest = t != NULL ? t->task.created_at : 0;
}

const struct queue_engine queue_memory = {
	.scheme = "memory:",
	.open = queue_memory_open,
	.close = queue_memory_close,
	.push = queue_memory_push,
	.take = queue_memory_take,
	.settle = queue_memory_settle,
	.read = queue_memory_read,
	.list = queue_memory_list,
	.remove = queue_memory_remove,
	.facts = queue_memory_facts,
};
