/*
 * Taking tasks out of Redis. A connection of its own waits for new ones
 * (XREADGROUP); now and then, what no worker has touched for the time of a
 * lease is taken over (XAUTOCLAIM). What runs here is touched more often than
 * that. An entry has all that its task needs, so that to take it is to begin
 * it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "queue_redis.h"

enum {
	TAKE_CLAIM = QUEUE_REDIS_LEASE / 4,	/* ms between two looks for
						 * others' tasks */
	TAKE_AGAIN = 500,	/* ms, after an error */
	TAKE_MOST = 256,	/* tasks at once */
};

struct queue_redis_run *
queue_redis_take_find(struct queue_redis *r, const char *id)
{
	struct queue_redis_run *run;

	TAILQ_FOREACH(run, &r->runs, line)
		if (strcmp(run->id, id) == 0)
			return run;
	return NULL;
}

void
queue_redis_take_drop(struct queue_redis *r, struct queue_redis_run *run)
{
	TAILQ_REMOVE(&r->runs, run, line);
	free(run);
}

void
queue_redis_take_forget(struct queue_redis *r, const char *id)
{
	struct queue_redis_run *run = queue_redis_take_find(r, id);

	if (run != NULL)
		queue_redis_take_drop(r, run);
}

static void
queue_redis_take_later(struct queue_redis *r)
{
	r->looking = false;
	loop_timer_start(r->base.setup.loop, &r->again, TAKE_AGAIN);
}

static bool
queue_redis_take_group(struct queue_redis *r)
{
	r->looking = queue_redis_link_send(&r->wait, &r->group, 6,
	    (const char *const[]){ "XGROUP", "CREATE", QUEUE_REDIS_TASKS,
	    QUEUE_REDIS_GROUP, "0", "MKSTREAM" });
	return r->looking;
}

/* Of many that were under way, one is enough. */
static void
queue_redis_take_failed(struct queue_redis *r, const redisReply *error)
{
	if (r->looking || loop_timer_runs(&r->again))
		return;
	if (strncmp(error->str, "NOGROUP", 7) == 0) {
		log_warn("queue", "redis lost what it had: the queue is made "
		    "again");
		queue_redis_take_group(r);
	} else {
		log_error("queue", "redis: %s", error->str);
		queue_redis_take_later(r);
	}
}

/* --- beginning ---------------------------------------------------------- */

/* Most tasks have the configuration of the one before. Borrowed. */
static struct queue_text *
queue_redis_take_config(struct queue_redis *r, const redisReply *text)
{
	size_t len = (size_t)text->len;

	if (r->config == NULL || r->config->len != len ||
	    memcmp(r->config->text, text->str, len) != 0) {
		queue_text_drop(r->config);
		r->config = queue_text_new(text->str, len);
	}
	return r->config;
}

static bool
queue_redis_take_is(const redisReply *reply, size_t strings)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < strings)
		return false;
	for (size_t i = 0; i < strings; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

/* "ID created attempts failures" */
static bool
queue_redis_take_read(const redisReply *text, struct queue_task *task)
{
	enum { ID = TOKEN_UUID - 1 };
	char *end;

	if (text->len <= ID || text->str[ID] != ' ')
		return false;
	memcpy(task->id, text->str, ID);
	task->id[ID] = '\0';
	task->created_at = strtoll(text->str + ID, &end, 10);
	task->attempts = strtoll(end, &end, 10);
	task->failures = strtoll(end, NULL, 10);
	return token_is_uuid(task->id);
}

/* What has now this entry, if it runs here; else a new one. NULL: it runs
 * with this entry, or there is no memory. */
static struct queue_redis_run *
queue_redis_take_run(struct queue_redis *r, const struct queue_task *task,
    const char *entry)
{
	struct queue_redis_run *run = queue_redis_take_find(r, task->id);

	if (run != NULL && strcmp(run->entry, entry) == 0)
		return NULL;
	if (run == NULL) {
		run = calloc(1, sizeof(*run));
		if (run == NULL)
			return NULL;
		memcpy(run->id, task->id, TOKEN_UUID);
		TAILQ_INSERT_TAIL(&r->runs, run, line);
	}
	snprintf(run->entry, sizeof(run->entry), "%s", entry);
	run->attempts = task->attempts;
	run->created_at = task->created_at;
	return run;
}

/* {entry, {"task", task, "config", config, …}}, and how often it was given
 * out: not there, the first time. */
static void
queue_redis_take_task(struct queue_redis *r, const redisReply *row)
{
	struct queue_task task = { .attempts = 0 };
	const redisReply *fields;
	bool known;

	if (row->type != REDIS_REPLY_ARRAY || row->elements < 2 ||
	    row->element[0]->type != REDIS_REPLY_STRING ||
	    !queue_redis_take_is(row->element[1], 4))
		return;
	fields = row->element[1];
	if (!queue_redis_take_read(fields->element[1], &task))
		return;
	task.attempts += row->elements > 2 ? row->element[2]->integer : 1;
	task.config = queue_redis_take_config(r, fields->element[3]);
	known = queue_redis_take_find(r, task.id) != NULL;
	if (task.config == NULL ||
	    queue_redis_take_run(r, &task, row->element[0]->str) == NULL)
		return;
	queue_text_hold(task.config);
	if (r->base.room > 0)
		r->base.room--;
	/* What was given back while its last attempt is not done with here is
	 * not begun: were it touched from now on, nobody ever would. */
	if (!r->base.setup.taken(r->base.setup.arg, &task) && !known)
		queue_redis_take_forget(r, task.id);
	queue_text_drop(task.config);
}

/* --- looking ------------------------------------------------------------ */

/* {cursor, task, …} */
static void
queue_redis_take_claimed(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, claim, ask);

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
		r->looking = false;
		queue_redis_take_failed(r, reply);
		return;
	}
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements == 0) {
		queue_redis_take_later(r);
		return;
	}
	if (reply->element[0]->type == REDIS_REPLY_STRING)
		snprintf(r->cursor, sizeof(r->cursor), "%s",
		    reply->element[0]->str);
	for (size_t i = 1; i < reply->elements; i++)
		queue_redis_take_task(r, reply->element[i]);
	r->looking = false;
	queue_redis_take_look(r);
}

/* The tasks of {{stream, {task, …}}}; NULL: there are none. */
static const redisReply *
queue_redis_take_found(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0)
		return NULL;
	reply = reply->element[0];
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY)
		return NULL;
	return reply->element[1];
}

static void
queue_redis_take_taken(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis_take *take = LOOP_OF(struct queue_redis_take, ask,
	    ask);
	struct queue_redis *r = take->redis;
	const redisReply *all;
	size_t n;

	r->taking--;
	r->asked -= take->asked;
	r->more = false;
	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		queue_redis_take_failed(r, reply);
	all = reply != NULL ? queue_redis_take_found(reply) : NULL;
	n = all != NULL ? all->elements : 0;
	r->more = n > 0 && n >= take->asked;
	take->asked = 0;
	for (size_t i = 0; i < n; i++)
		queue_redis_take_task(r, all->element[i]);
	if (reply != NULL)
		queue_redis_take_look(r);
}

static void
queue_redis_take_grouped(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, group, ask);

	r->looking = false;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, "BUSYGROUP", 9) != 0)
		queue_redis_take_failed(r, reply);
	else
		queue_redis_take_look(r);
}

static void
queue_redis_take_claim(struct queue_redis *r, size_t room)
{
	char count[24], lease[24];

	r->claimed = loop_now(r->base.setup.loop);
	snprintf(count, sizeof(count), "%zu", room);
	snprintf(lease, sizeof(lease), "%d", (int)QUEUE_REDIS_LEASE);
	r->looking = queue_redis_eval(r, &r->claim, queue_redis_script_claim,
	    (const char *const[]){ r->base.setup.instance, lease, r->cursor,
	    count, NULL });
}

static void
queue_redis_take_ask(struct queue_redis *r, size_t room)
{
	struct queue_redis_take *take = r->takes;
	char count[24];

	while (take->asked > 0)
		take++;
	snprintf(count, sizeof(count), "%zu", room);
	if (!queue_redis_link_send(&r->wait, &take->ask, 11,
	    (const char *const[]){ "XREADGROUP", "GROUP", QUEUE_REDIS_GROUP,
	    r->base.setup.instance, "COUNT", count, "BLOCK", "1000",
	    "STREAMS", QUEUE_REDIS_TASKS, ">" }))
		return;
	take->asked = room;
	r->asked += room;
	r->taking++;
}

/* While more waits than was asked for, the next is asked for before the last
 * one is there: those that have room do not wait for each other. */
void
queue_redis_take_look(struct queue_redis *r)
{
	size_t room = r->base.room < TAKE_MOST ? r->base.room : TAKE_MOST;
	int64_t now = loop_now(r->base.setup.loop);

	if (r->looking || room <= r->asked || !r->wait.up || !r->verbs.up ||
	    loop_timer_runs(&r->again))
		return;
	if (now - r->claimed >= TAKE_CLAIM || strcmp(r->cursor, "0-0") != 0) {
		if (r->taking == 0)
			queue_redis_take_claim(r, room);
	} else if (r->taking == 0 ||
	    (r->more && r->taking < QUEUE_REDIS_TAKES)) {
		queue_redis_take_ask(r, room - r->asked);
	}
}

static void
queue_redis_take_again(struct loop_timer *timer)
{
	queue_redis_take_look(LOOP_OF(struct queue_redis, again, timer));
}

/* --- connections come and go -------------------------------------------- */

static void
queue_redis_take_changed(struct queue_redis_link *link)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, wait, link);

	if (link->up && !r->looking)
		queue_redis_take_group(r);
}

static void
queue_redis_take_verbs(struct queue_redis_link *link)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, verbs, link);

	r->swept = false;
	if (!link->up)
		return;
	queue_redis_take_look(r);
	queue_redis_tend_soon(r);
}

void
queue_redis_take_start(struct queue_redis *r)
{
	TAILQ_INIT(&r->runs);
	strcpy(r->cursor, "0-0");
	for (int i = 0; i < QUEUE_REDIS_TAKES; i++) {
		r->takes[i].ask.answered = queue_redis_take_taken;
		r->takes[i].redis = r;
	}
	r->group.answered = queue_redis_take_grouped;
	r->claim.answered = queue_redis_take_claimed;
	r->again.fire = queue_redis_take_again;
	r->wait.changed = queue_redis_take_changed;
	r->verbs.changed = queue_redis_take_verbs;
	queue_redis_tend_start(r);
}

void
queue_redis_take_stop(struct queue_redis *r)
{
	queue_redis_tend_stop(r);
	loop_timer_stop(r->base.setup.loop, &r->again);
	while (!TAILQ_EMPTY(&r->runs))
		queue_redis_take_drop(r, TAILQ_FIRST(&r->runs));
	queue_text_drop(r->config);
}
