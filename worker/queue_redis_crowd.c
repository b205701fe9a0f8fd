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
	CROWD_WORDS = 4,		/* of a verb, at most */
};

struct queue_redis_one {
	struct queue_call *call;
	const struct queue_settled *settled;	/* of an end; borrowed */
	char entry[QUEUE_REDIS_ENTRY];
	char *text;		/* the task, or the record of its end */
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
		free(one->text);
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
	const struct queue_settled *s = one->settled;

	if (s == NULL) {
		words[0] = one->text;
		return 1;
	}
	words[0] = s->id;
	words[1] = one->entry;
	words[2] = one->text;
	words[3] = s->result;
	return CROWD_WORDS;
}

static bool
queue_redis_crowd_eval(struct queue_redis_crowd *c)
{
	const struct queue_setup *setup = &c->redis->base.setup;
	const char *words[2 + CROWD_MOST * CROWD_WORDS + 1];
	struct queue_redis_one *one;
	char number[24];
	size_t n = 0;

	snprintf(number, sizeof(number), "%lld", c->config != NULL ?
	    setup->max : setup->ttl_ms);
	words[n++] = number;
	if (c->config != NULL)
		words[n++] = c->config->text;
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
	queue_redis_take_look(r);
	queue_redis_link_write(&r->wait);
}

static void
queue_redis_crowd_turn(struct loop_timer *timer)
{
	queue_redis_crowd_send(LOOP_OF(struct queue_redis, gather, timer));
}

void
queue_redis_crowd_soon(struct queue_redis *r)
{
	if (loop_timer_runs(&r->gather))
		return;
	r->gather.fire = queue_redis_crowd_turn;
	loop_timer_start(r->base.setup.loop, &r->gather, 0);
}

/* --- gathering ---------------------------------------------------------- */

/* A place more in the crowd, which owns text then; NULL: out of memory, which
 * is answered. */
static struct queue_redis_one *
queue_redis_crowd_add(struct queue_redis *r,
    struct queue_redis_crowd **gathered, char *text, struct queue_call *call)
{
	struct queue_redis_one *one = calloc(1, sizeof(*one));
	struct queue_redis_crowd *c = *gathered;

	if (one != NULL && text != NULL && c == NULL &&
	    (c = calloc(1, sizeof(*c))) != NULL) {
		c->ask.answered = queue_redis_crowd_answered;
		c->redis = r;
		STAILQ_INIT(&c->all);
		*gathered = c;
	}
	if (one == NULL || text == NULL || c == NULL) {
		free(one);
		free(text);
		queue_answer(&r->base, call, QUEUE_DOWN);
		return NULL;
	}
	one->text = text;
	one->call = call;
	c->count++;
	STAILQ_INSERT_TAIL(&c->all, one, line);
	queue_redis_crowd_soon(r);
	return one;
}

void
queue_redis_crowd_push(struct queue_redis *r, const struct queue_task *task,
    struct queue_call *call)
{
	char *text;

	if (r->pushes != NULL && (r->pushes->config != task->config ||
	    r->pushes->count == CROWD_MOST))
		queue_redis_crowd_go(&r->pushes);
	if (asprintf(&text, "%s %lld 0 0", task->id, task->created_at) < 0)
		text = NULL;
	if (queue_redis_crowd_add(r, &r->pushes, text, call) != NULL &&
	    r->pushes->config == NULL)
		r->pushes->config = queue_text_hold(task->config);
}

/* expires state attempts created ended error */
static char *
queue_redis_crowd_record(const struct queue_redis *r,
    const struct queue_settled *s, const struct queue_redis_run *run)
{
	long long now = clock_wall();
	char *text;

	return asprintf(&text, "%lld %d %lld %lld %lld %s",
	    now + r->base.setup.ttl_ms, (int)s->state,
	    run != NULL ? run->attempts : 0,
	    run != NULL ? run->created_at : 0, now,
	    s->error != NULL ? s->error : "") < 0 ? NULL : text;
}

void
queue_redis_crowd_settle(struct queue_redis *r,
    const struct queue_settled *settled, const struct queue_redis_run *run,
    struct queue_call *call)
{
	struct queue_redis_one *one;

	if (r->ends != NULL && (r->ends->bytes >= CROWD_BYTES ||
	    r->ends->count == CROWD_MOST))
		queue_redis_crowd_go(&r->ends);
	one = queue_redis_crowd_add(r, &r->ends,
	    queue_redis_crowd_record(r, settled, run), call);
	if (one == NULL)
		return;
	one->settled = settled;
	if (run != NULL)
		memcpy(one->entry, run->entry, sizeof(one->entry));
	r->ends->bytes += strlen(settled->result);
}
