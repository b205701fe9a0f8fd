/*
 * The queue in Redis, which many workers share: Streams with one consumer
 * group. What a killed worker had taken, another takes over.
 *
 * Whether an acknowledged task survives a crash of Redis is up to Redis
 * (appendonly, appendfsync). While it is away nothing is accepted.
 */
#include "queue_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

struct queue_redis_verb {
	struct queue_redis_ask ask;
	struct queue_redis *redis;
	struct queue_call *call;
	enum queue_end none;	/* what 0 stands for */
	char gone[TOKEN_UUID];	/* is run no more, once there is an answer;
				 * "": none */
};

static struct queue_redis *
queue_redis_of(struct queue *q)
{
	return LOOP_OF(struct queue_redis, base, q);
}

bool
queue_redis_eval(struct queue_redis *r, struct queue_redis_ask *ask,
    const char *script, const char *const *words)
{
	const char **all;
	size_t n = 0;
	bool sent;

	while (words[n] != NULL)
		n++;
	all = reallocarray(NULL, n + 3, sizeof(*all));
	if (all == NULL)
		return false;
	all[0] = "EVAL";
	all[1] = script;
	all[2] = "0";
	memcpy(all + 3, words, n * sizeof(*all));
	sent = queue_redis_link_send(&r->verbs, ask, n + 3, all);
	free(all);
	return sent;
}

/* --- answers ------------------------------------------------------------ */

static long long
queue_redis_number(const redisReply *reply)
{
	return reply->str != NULL ? strtoll(reply->str, NULL, 10) : 0;
}

/* {id, state, attempts, created, ended, error, result} */
static void
queue_redis_record(struct queue_call *call, const redisReply *row)
{
	struct queue_record *record;

	if (row->elements < 6 || row->element[0]->len != TOKEN_UUID - 1 ||
	    (record = queue_record_add(call)) == NULL)
		return;
	memcpy(record->id, row->element[0]->str, TOKEN_UUID);
	record->state = (enum queue_state)
	    (queue_redis_number(row->element[1]) & 3);
	record->attempts = queue_redis_number(row->element[2]);
	record->created_at = queue_redis_number(row->element[3]);
	record->ended_at = queue_redis_number(row->element[4]);
	if (row->element[5]->len > 0)
		record->error = strdup(row->element[5]->str);
	if (row->elements > 6 && row->element[6]->str != NULL)
		record->result = strdup(row->element[6]->str);
}

static enum queue_end
queue_redis_end(struct queue_redis_verb *verb, const redisReply *reply)
{
	if (reply == NULL)
		return QUEUE_DOWN;
	if (reply->type == REDIS_REPLY_ERROR) {
		log_error("queue", "redis: %s", reply->str);
		return QUEUE_DOWN;
	}
	if (reply->type == REDIS_REPLY_INTEGER)
		return reply->integer == 1 ? QUEUE_DONE : verb->none;
	if (reply->type != REDIS_REPLY_ARRAY)
		return QUEUE_DOWN;
	if (reply->elements > 0 &&
	    reply->element[0]->type == REDIS_REPLY_STRING)
		queue_redis_record(verb->call, reply);
	else
		for (size_t i = 0; i < reply->elements; i++)
			queue_redis_record(verb->call, reply->element[i]);
	return QUEUE_DONE;
}

static void
queue_redis_answered(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis_verb *verb = LOOP_OF(struct queue_redis_verb, ask,
	    ask);

	verb->call->end = queue_redis_end(verb, reply);
	if (verb->call->end != QUEUE_DOWN)
		queue_redis_take_forget(verb->redis, verb->gone);
	queue_answer(&verb->redis->base, verb->call, verb->call->end);
	free(verb);
}

/* words ends with NULL. Gives what was sent, until it is answered; or NULL,
 * and the call is answered. */
static struct queue_redis_verb *
queue_redis_verb(struct queue *q, struct queue_call *call,
    enum queue_end none, const char *script, const char *const *words)
{
	struct queue_redis_verb *verb = calloc(1, sizeof(*verb));

	if (verb != NULL) {
		verb->ask.answered = queue_redis_answered;
		verb->redis = queue_redis_of(q);
		verb->call = call;
		verb->none = none;
		if (queue_redis_eval(verb->redis, &verb->ask, script, words))
			return verb;
	}
	free(verb);
	queue_answer(q, call, QUEUE_DOWN);
	return NULL;
}

/* --- verbs -------------------------------------------------------------- */

static void
queue_redis_push(struct queue *q, const struct queue_task *task,
    struct queue_call *call)
{
	queue_redis_crowd_push(queue_redis_of(q), task, call);
}

static void
queue_redis_take(struct queue *q, size_t room)
{
	(void)room;
	queue_redis_crowd_soon(queue_redis_of(q));
}

/* Whoever settles has it run no more, whether Redis hears of it or not. */
static void
queue_redis_settle(struct queue *q, const struct queue_settled *settled,
    struct queue_call *call)
{
	struct queue_redis *r = queue_redis_of(q);
	struct queue_redis_run *run = queue_redis_take_find(r, settled->id);
	const char *error = settled->error != NULL ? settled->error : "";
	const char *entry = run != NULL ? run->entry : "";
	char due[24], failures[24];

	if (settled->state == QUEUE_PENDING) {
		snprintf(due, sizeof(due), "%lld",
		    clock_wall() + (long long)settled->delay_ms);
		snprintf(failures, sizeof(failures), "%lld",
		    settled->failures);
		queue_redis_verb(q, call, QUEUE_ABSENT,
		    queue_redis_script_again, (const char *const[]){
		    settled->id, entry, error, due, failures, NULL });
	} else {
		queue_redis_crowd_settle(r, settled, run, call);
	}
	if (run != NULL && r->verbs.up)
		queue_redis_take_drop(r, run);
}

static void
queue_redis_read(struct queue *q, const char *id, struct queue_call *call)
{
	queue_redis_verb(q, call, QUEUE_ABSENT, queue_redis_script_read,
	    (const char *const[]){ id, NULL });
}

static void
queue_redis_list(struct queue *q, const struct queue_page *page,
    struct queue_call *call)
{
	char state[4] = "", limit[24], now[24];

	if (page->state != QUEUE_ANY)
		snprintf(state, sizeof(state), "%d", (int)page->state);
	snprintf(limit, sizeof(limit), "%zu", page->limit);
	snprintf(now, sizeof(now), "%lld", clock_wall());
	queue_redis_verb(q, call, QUEUE_ABSENT, queue_redis_script_list,
	    (const char *const[]){ state, page->after, limit, now, NULL });
}

static void
queue_redis_remove(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_redis_verb *verb = queue_redis_verb(q, call,
	    QUEUE_ABSENT, queue_redis_script_remove,
	    (const char *const[]){ id, NULL });

	/* It is cancelled, and never settled. */
	if (verb != NULL)
		memcpy(verb->gone, id, TOKEN_UUID);
}

static void
queue_redis_facts(struct queue *q, struct queue_facts *facts)
{
	struct queue_redis *r = queue_redis_of(q);

	*facts = r->facts;
	facts->up = r->verbs.up && r->swept;
}

static struct queue *
queue_redis_open(const struct queue_setup *setup, struct buf *error)
{
	struct queue_redis *r = calloc(1, sizeof(*r));
	struct buf why = BUF_INIT(200);

	if (r == NULL) {
		buf_str(error, "out of memory");
		return NULL;
	}
	if (!broker_redis(&r->url, setup->url, &why)) {
		buf_printf(error, "QUEUE_URL %s", buf_text(&why));
		buf_free(&why);
		broker_free(&r->url);
		free(r);
		return NULL;
	}
	queue_begin(&r->base, &queue_redis, setup);
	r->verbs.loop = r->wait.loop = setup->loop;
	r->verbs.url = r->wait.url = &r->url;
	r->verbs.what = "verbs";
	r->wait.what = "tasks";
	queue_redis_take_start(r);
	queue_redis_link_start(&r->verbs);
	queue_redis_link_start(&r->wait);
	return &r->base;
}

static void
queue_redis_left(struct queue_redis_ask *ask, const redisReply *reply)
{
	(void)ask;
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER &&
	    reply->integer > 0)
		log_info("queue", "%lld tasks are left to other workers",
		    reply->integer);
}

/* What does not end here is another's at once, not after a lease. */
static void
queue_redis_leave(struct queue_redis *r)
{
	char idle[24];

	r->leave.answered = queue_redis_left;
	snprintf(idle, sizeof(idle), "%d", 10 * (int)QUEUE_REDIS_LEASE);
	if (queue_redis_eval(r, &r->leave, queue_redis_script_leave,
	    (const char *const[]){ r->base.setup.instance, idle, NULL }))
		queue_redis_link_flush(&r->verbs);
}

static void
queue_redis_close(struct queue *q)
{
	struct queue_redis *r = queue_redis_of(q);

	q->room = 0;
	queue_redis_crowd_send(r);
	queue_redis_leave(r);
	queue_redis_link_stop(&r->wait);
	queue_redis_link_stop(&r->verbs);
	/* What the last answers brought is answered, too. */
	queue_redis_crowd_send(r);
	queue_redis_take_stop(r);
	queue_deliver(q);
	loop_timer_stop(q->setup.loop, &q->turn);
	loop_timer_stop(q->setup.loop, &r->gather);
	broker_free(&r->url);
	free(r);
}

const struct queue_engine queue_redis = {
	.scheme = "redis://",
	.shared = true,
	.open = queue_redis_open,
	.close = queue_redis_close,
	.push = queue_redis_push,
	.take = queue_redis_take,
	.settle = queue_redis_settle,
	.read = queue_redis_read,
	.list = queue_redis_list,
	.remove = queue_redis_remove,
	.facts = queue_redis_facts,
};
