/*
 * Taking tasks out of Redis. A connection of its own waits for new ones
 * (XREADGROUP), and takes over what no worker has touched for the time of a
 * lease (XAUTOCLAIM); what runs here is touched more often than that. While
 * there are more than can run, none is waited for: they are read and begun
 * in one step.
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

static void
queue_redis_take_later(struct queue_redis *r)
{
	r->looking = false;
	loop_timer_start(r->base.setup.loop, &r->again, TAKE_AGAIN);
}

static bool
queue_redis_take_group(struct queue_redis *r)
{
	r->looking = queue_redis_link_send(&r->wait, &r->look, 6,
	    (const char *const[]){ "XGROUP", "CREATE", QUEUE_REDIS_TASKS,
	    QUEUE_REDIS_GROUP, "0", "MKSTREAM" });
	return r->looking;
}

static void
queue_redis_take_failed(struct queue_redis *r, const redisReply *error)
{
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

/* Most tasks have the configuration of the one before; then it is "", or
 * the same once more. Borrowed. */
static struct queue_text *
queue_redis_take_config(struct queue_redis *r, const redisReply *text)
{
	size_t len = (size_t)text->len;

	if (len == 0)
		return r->config;
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

/* {entry, id, config, created, attempts, failures} */
static void
queue_redis_take_task(struct queue_redis *r, const redisReply *row)
{
	struct queue_task task = { .attempts = 0 };
	struct queue_redis_run *run;

	/* First of all: those behind may have no other. */
	if (queue_redis_take_is(row, 6))
		task.config = queue_redis_take_config(r, row->element[2]);
	if (task.config == NULL || row->element[1]->len != TOKEN_UUID - 1)
		return;
	run = queue_redis_take_find(r, row->element[1]->str);
	if (run == NULL) {
		run = calloc(1, sizeof(*run));
		if (run == NULL)
			return;
		memcpy(run->id, row->element[1]->str, TOKEN_UUID);
		TAILQ_INSERT_TAIL(&r->runs, run, line);
	}
	snprintf(run->entry, sizeof(run->entry), "%s", row->element[0]->str);
	memcpy(task.id, run->id, TOKEN_UUID);
	task.created_at = strtoll(row->element[3]->str, NULL, 10);
	task.attempts = strtoll(row->element[4]->str, NULL, 10);
	task.failures = strtoll(row->element[5]->str, NULL, 10);
	queue_text_hold(task.config);
	if (r->base.room > 0)
		r->base.room--;
	r->base.setup.taken(r->base.setup.arg, &task);
	queue_text_drop(task.config);
}

static void
queue_redis_take_begun(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, begin, ask);

	r->more = false;
	if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
		queue_redis_take_failed(r, reply);
		return;
	}
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		queue_redis_take_later(r);
		return;
	}
	for (size_t i = 0; i < reply->elements; i++)
		queue_redis_take_task(r, reply->element[i]);
	r->looking = false;
	r->more = reply->elements > 0 && reply->elements >= r->asked;
	queue_redis_take_look(r);
}

/* --- looking ------------------------------------------------------------ */

/* The id of {entry, {"id", id}} when it is not running here; else NULL. */
static const char *
queue_redis_take_new(struct queue_redis *r, const redisReply *entry)
{
	struct queue_redis_run *run;
	const redisReply *fields;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
	    entry->element[0]->type != REDIS_REPLY_STRING ||
	    !queue_redis_take_is(entry->element[1], 2))
		return NULL;
	fields = entry->element[1];
	run = queue_redis_take_find(r, fields->element[1]->str);
	if (run != NULL && strcmp(run->entry, entry->element[0]->str) == 0)
		return NULL;
	return fields->element[1]->str;
}

static void
queue_redis_take_entries(struct queue_redis *r, const redisReply *entries)
{
	const char *words[2 * TAKE_MOST + 1], *id;
	size_t n = 0;

	for (size_t i = 0; i < entries->elements && n < 2 * TAKE_MOST; i++) {
		id = queue_redis_take_new(r, entries->element[i]);
		if (id == NULL)
			continue;
		words[n++] = entries->element[i]->element[0]->str;
		words[n++] = id;
	}
	words[n] = NULL;
	if (n == 0) {
		r->looking = false;
		queue_redis_take_look(r);
	} else if (!queue_redis_eval(r, &r->begin, queue_redis_script_begin,
	    words)) {
		/* Ours without running: taken over after a lease. */
		queue_redis_take_later(r);
	}
}

/* The entries in the answer of either command; NULL: there are none. */
static const redisReply *
queue_redis_take_found(struct queue_redis *r, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0)
		return NULL;
	if (!r->claims) {
		reply = reply->element[0];	/* of the one stream */
	} else if (reply->element[0]->type == REDIS_REPLY_STRING) {
		snprintf(r->cursor, sizeof(r->cursor), "%s",
		    reply->element[0]->str);
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY)
		return NULL;
	return reply->element[1];
}

static void
queue_redis_take_looked(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis *r = LOOP_OF(struct queue_redis, look, ask);
	const redisReply *entries;

	r->looking = false;
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, "BUSYGROUP", 9) != 0) {
		queue_redis_take_failed(r, reply);
	} else {
		entries = queue_redis_take_found(r, reply);
		r->looking = true;
		if (entries != NULL) {
			queue_redis_take_entries(r, entries);
			return;
		}
		r->looking = false;
		queue_redis_take_look(r);
	}
}

void
queue_redis_take_look(struct queue_redis *r)
{
	int64_t now = loop_now(r->base.setup.loop);
	const char *me = r->base.setup.instance;
	size_t room = r->base.room < TAKE_MOST ? r->base.room : TAKE_MOST;
	char count[24], lease[24];

	if (r->looking || room == 0 || !r->wait.up || !r->verbs.up ||
	    loop_timer_runs(&r->again))
		return;
	r->asked = room;
	snprintf(count, sizeof(count), "%zu", room);
	snprintf(lease, sizeof(lease), "%d", (int)QUEUE_REDIS_LEASE);
	r->claims = now - r->claimed >= TAKE_CLAIM ||
	    strcmp(r->cursor, "0-0") != 0;
	if (r->claims) {
		r->claimed = now;
		r->looking = queue_redis_link_send(&r->wait, &r->look, 8,
		    (const char *const[]){ "XAUTOCLAIM", QUEUE_REDIS_TASKS,
		    QUEUE_REDIS_GROUP, me, lease, r->cursor, "COUNT",
		    count });
	} else if (r->more) {
		r->looking = queue_redis_eval(r, &r->begin,
		    queue_redis_script_take,
		    (const char *const[]){ me, count, NULL });
	} else {
		r->looking = queue_redis_link_send(&r->wait, &r->look, 11,
		    (const char *const[]){ "XREADGROUP", "GROUP",
		    QUEUE_REDIS_GROUP, me, "COUNT", count, "BLOCK", "1000",
		    "STREAMS", QUEUE_REDIS_TASKS, ">" });
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
	r->look.answered = queue_redis_take_looked;
	r->begin.answered = queue_redis_take_begun;
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
