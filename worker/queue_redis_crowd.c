/*
 * Pushes and ends, which come in crowds: those of one turn of the loop go to
 * Redis as one step, and each has an answer of its own. What one of them
 * costs Redis is mostly the step.
 *
 * Nothing waits for company: a crowd is sent before the loop waits again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "queue_redis.h"

enum {
	CROWD_MOST = 128,		/* verbs; unpack() of Lua has a limit */
	CROWD_BYTES = 1 << 20,		/* of results; one may have more */
	CROWD_WORDS = 5,		/* of a verb, at most */
};

struct queue_redis_one {
	struct queue_call *call;
	struct queue_task task;			/* of a push; config unset */
	const struct queue_settled *settled;	/* of an end; borrowed */
	char entry[QUEUE_REDIS_ENTRY];
	char number[24];
	STAILQ_ENTRY(queue_redis_one) line;
};

struct queue_redis_crowd {
	struct queue_redis_ask ask;
	struct queue_redis *redis;
	struct queue_text *config;	/* of all pushes, held; NULL: ends */
	size_t count, bytes;
	STAILQ_HEAD(, queue_redis_one) all;
};

/* --- answers ------------------------------------------------------------ */

/* What became of the nth. */
static enum queue_end
queue_redis_crowd_end(const struct queue_redis_crowd *c, size_t n,
    const redisReply *reply)
{
	if (reply == NULL)
		return QUEUE_DOWN;
	if (c->config != NULL && reply->type == REDIS_REPLY_INTEGER)
		return (long long)n < reply->integer ? QUEUE_DONE : QUEUE_FULL;
	if (c->config == NULL && reply->type == REDIS_REPLY_ARRAY &&
	    n < reply->elements)
		return reply->element[n]->integer == 1 ? QUEUE_DONE :
		    QUEUE_ABSENT;
	return QUEUE_DOWN;
}

/* Ends the crowd. */
static void
queue_redis_crowd_answer(struct queue_redis_crowd *c, const redisReply *reply)
{
	struct queue_redis_one *one;
	size_t n = 0;

	while ((one = STAILQ_FIRST(&c->all)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->all, line);
		queue_answer(&c->redis->base, one->call,
		    queue_redis_crowd_end(c, n++, reply));
		free(one);
	}
	queue_text_drop(c->config);
	free(c);
}

static void
queue_redis_crowd_answered(struct queue_redis_ask *ask,
    const redisReply *reply)
{
	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		log_error("queue", "redis: %s", reply->str);
	queue_redis_crowd_answer(LOOP_OF(struct queue_redis_crowd, ask, ask),
	    reply);
}

/* --- sending ------------------------------------------------------------ */

static size_t
queue_redis_crowd_one(struct queue_redis_one *one, const char **words)
{
	static const char *const states[] = {
		[QUEUE_COMPLETED] = "2", [QUEUE_FAILED] = "3",
	};
	const struct queue_settled *s = one->settled;

	if (s == NULL) {
		snprintf(one->number, sizeof(one->number), "%lld",
		    one->task.created_at);
		words[0] = one->task.id;
		words[1] = one->number;
		return 2;
	}
	words[0] = s->id;
	words[1] = one->entry;
	words[2] = states[s->state];
	words[3] = s->error != NULL ? s->error : "";
	words[4] = s->result;
	return CROWD_WORDS;
}

static bool
queue_redis_crowd_eval(struct queue_redis_crowd *c)
{
	const struct queue_setup *setup = &c->redis->base.setup;
	const char *words[2 + CROWD_MOST * CROWD_WORDS + 1];
	char first[24], second[24];
	struct queue_redis_one *one;
	size_t n = 2;

	words[0] = first;
	if (c->config != NULL) {
		snprintf(first, sizeof(first), "%lld", setup->max);
		words[1] = c->config->text;
	} else {
		snprintf(first, sizeof(first), "%lld", clock_wall());
		snprintf(second, sizeof(second), "%lld", setup->ttl_ms);
		words[1] = second;
	}
	STAILQ_FOREACH(one, &c->all, line)
		n += queue_redis_crowd_one(one, words + n);
	words[n] = NULL;
	return queue_redis_eval(c->redis, &c->ask, c->config != NULL ?
	    queue_redis_script_push : queue_redis_script_end, words);
}

static void
queue_redis_crowd_go(struct queue_redis_crowd **gathered)
{
	struct queue_redis_crowd *c = *gathered;

	*gathered = NULL;
	if (c != NULL && !queue_redis_crowd_eval(c))
		queue_redis_crowd_answer(c, NULL);
}

void
queue_redis_crowd_send(struct queue_redis *r)
{
	loop_timer_stop(r->base.setup.loop, &r->gather);
	queue_redis_crowd_go(&r->pushes);
	queue_redis_crowd_go(&r->ends);
	queue_redis_link_write(&r->verbs);
}

static void
queue_redis_crowd_turn(struct loop_timer *timer)
{
	queue_redis_crowd_send(LOOP_OF(struct queue_redis, gather, timer));
}

/* --- gathering ---------------------------------------------------------- */

/* A place more in the crowd; NULL: out of memory, which is answered. */
static struct queue_redis_one *
queue_redis_crowd_add(struct queue_redis *r,
    struct queue_redis_crowd **gathered, struct queue_call *call)
{
	struct queue_redis_one *one = calloc(1, sizeof(*one));
	struct queue_redis_crowd *c = *gathered;

	if (one != NULL && c == NULL &&
	    (c = calloc(1, sizeof(*c))) != NULL) {
		c->ask.answered = queue_redis_crowd_answered;
		c->redis = r;
		STAILQ_INIT(&c->all);
		*gathered = c;
	}
	if (one == NULL || c == NULL) {
		free(one);
		queue_answer(&r->base, call, QUEUE_DOWN);
		return NULL;
	}
	one->call = call;
	c->count++;
	STAILQ_INSERT_TAIL(&c->all, one, line);
	if (!loop_timer_runs(&r->gather)) {
		r->gather.fire = queue_redis_crowd_turn;
		loop_timer_start(r->base.setup.loop, &r->gather, 0);
	}
	return one;
}

void
queue_redis_crowd_push(struct queue_redis *r, const struct queue_task *task,
    struct queue_call *call)
{
	struct queue_redis_one *one;

	if (r->pushes != NULL && (r->pushes->config != task->config ||
	    r->pushes->count == CROWD_MOST))
		queue_redis_crowd_go(&r->pushes);
	one = queue_redis_crowd_add(r, &r->pushes, call);
	if (one == NULL)
		return;
	one->task = *task;
	if (r->pushes->config == NULL)
		r->pushes->config = queue_text_hold(task->config);
}

void
queue_redis_crowd_settle(struct queue_redis *r,
    const struct queue_settled *settled, const char *entry,
    struct queue_call *call)
{
	struct queue_redis_one *one;

	if (r->ends != NULL && (r->ends->bytes >= CROWD_BYTES ||
	    r->ends->count == CROWD_MOST))
		queue_redis_crowd_go(&r->ends);
	one = queue_redis_crowd_add(r, &r->ends, call);
	if (one == NULL)
		return;
	one->settled = settled;
	snprintf(one->entry, sizeof(one->entry), "%s", entry);
	r->ends->bytes += strlen(settled->result);
}
