/*
 * What is done by the clock: tasks that run here are touched, so that no
 * other worker takes them over; those that are to be tried again go back into
 * the stream, and those that are over out of the index. What the layout
 * before has is moved over; a worker of then may still run, and push.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "queue_redis.h"

enum {
	TEND_BEAT = QUEUE_REDIS_LEASE / 4,	/* ms */
	TEND_SWEEP = 500,
};

static void
queue_redis_tend_beaten(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, beat, ask);

	r->beating = false;
	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		log_warn("queue", "redis: %s", reply->str);
}

/* What runs here is not to be taken over. */
static void
queue_redis_tend_beat(struct loop_timer *timer)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, beats, timer);
	struct queue_redis_run *run;
	const char **words;
	size_t n = 5;

	loop_timer_start(r->base.setup.loop, timer, TEND_BEAT);
	if (r->beating || TAILQ_EMPTY(&r->runs))
		return;
	TAILQ_FOREACH(run, &r->runs, line)
		n++;
	words = reallocarray(NULL, n + 1, sizeof(*words));
	if (words == NULL)
		return;
	words[0] = "XCLAIM";
	words[1] = QUEUE_REDIS_TASKS;
	words[2] = QUEUE_REDIS_GROUP;
	words[3] = r->base.setup.instance;
	words[4] = "0";
	n = 5;
	TAILQ_FOREACH(run, &r->runs, line)
		words[n++] = run->entry;
	words[n++] = "JUSTID";
	r->beating = queue_redis_link_send(&r->verbs, &r->beat, n, words);
	free(words);
}

static void
queue_redis_tend_move(struct queue_redis *r)
{
	char lease[24];

	if (r->moving)
		return;
	snprintf(lease, sizeof(lease), "%d", (int)QUEUE_REDIS_LEASE);
	r->moving = queue_redis_eval(r, &r->move, queue_redis_script_move,
	    (const char *const[]){ lease, NULL });
}

static void
queue_redis_tend_moved(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, move, ask);

	r->moving = false;
	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		log_error("queue", "redis: %s", reply->str);
	else if (reply != NULL && reply->integer > 0)
		queue_redis_tend_move(r);
}

static void
queue_redis_tend_swept(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, sweep, ask);
	const redisReply *const *item;
	long long in;

	r->sweeping = false;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements < 7) {
		/* The group is made by whoever looks for tasks. */
		if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
			log_debug("queue", "redis: %s", reply->str);
		return;
	}
	r->swept = true;
	item = (const redisReply *const *)reply->element;
	in = item[0]->integer - item[2]->integer;
	r->facts.queued = in > 0 ? in : 0;
	r->facts.pending = item[1]->integer + item[2]->integer;
	r->facts.oldest = item[3]->str != NULL ?
	    strtoll(item[3]->str, NULL, 10) : 0;
	snprintf(r->offset, sizeof(r->offset), "%lld", item[4]->integer);
	if (item[5]->integer > 0)
		queue_redis_tend_soon(r);
	if (item[6]->integer > 0)
		queue_redis_tend_move(r);
}

static void
queue_redis_tend_sweep(struct loop_timer *timer)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, sweeps, timer);
	char now[24];

	loop_timer_start(r->base.setup.loop, timer, TEND_SWEEP);
	if (r->sweeping)
		return;
	snprintf(now, sizeof(now), "%lld", clock_wall());
	r->sweeping = queue_redis_eval(r, &r->sweep,
	    queue_redis_script_sweep,
	    (const char *const[]){ now, r->offset, NULL });
}

void
queue_redis_tend_soon(struct queue_redis *r)
{
	loop_timer_start(r->base.setup.loop, &r->sweeps, 0);
}

void
queue_redis_tend_start(struct queue_redis *r)
{
	strcpy(r->offset, "0");
	r->beat.answered = queue_redis_tend_beaten;
	r->sweep.answered = queue_redis_tend_swept;
	r->move.answered = queue_redis_tend_moved;
	r->beats.fire = queue_redis_tend_beat;
	r->sweeps.fire = queue_redis_tend_sweep;
	loop_timer_start(r->base.setup.loop, &r->beats, TEND_BEAT);
	loop_timer_start(r->base.setup.loop, &r->sweeps, TEND_SWEEP);
}

void
queue_redis_tend_stop(struct queue_redis *r)
{
	loop_timer_stop(r->base.setup.loop, &r->beats);
	loop_timer_stop(r->base.setup.loop, &r->sweeps);
}
