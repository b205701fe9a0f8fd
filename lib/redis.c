/*
 * hiredis' reader, given functions of our own for what it finds: they keep
 * nothing but a word, so that an array of two thousand million elements, or
 * one that never ends, costs no memory.
 */
#include "redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

static struct redis *
redis_of(const redisReadTask *task)
{
	return task->privdata;
}

/* What stands for every reply: the reader wants something that is not NULL. */
static char redis_something;

static void *
redis_string(const redisReadTask *task, char *text, size_t len)
{
	struct redis *r = redis_of(task);

	if (task->parent == NULL)
		r->error = task->type == REDIS_REPLY_ERROR;
	if (task->parent == NULL || (task->parent->parent == NULL &&
	    task->idx == 0))
		snprintf(r->word, sizeof(r->word), "%.*s",
		    (int)(len < sizeof(r->word) ? len : sizeof(r->word)),
		    text);
	return &redis_something;
}

static void *
redis_array(const redisReadTask *task, int elements)
{
	(void)task, (void)elements;
	return &redis_something;
}

static void *
redis_integer(const redisReadTask *task, long long value)
{
	(void)task, (void)value;
	return &redis_something;
}

static void *
redis_nil(const redisReadTask *task)
{
	(void)task;
	return &redis_something;
}

static void
redis_forget(void *reply)
{
	(void)reply;
}

bool
redis_start(struct redis *r)
{
	static redisReplyObjectFunctions functions = {
		redis_string, redis_array, redis_integer, redis_nil,
		redis_forget,
	};

	*r = (struct redis){ .reader = NULL };
	r->reader = redisReaderCreateWithFunctions(&functions);
	if (r->reader != NULL)
		r->reader->privdata = r;
	return r->reader != NULL;
}

void
redis_stop(struct redis *r)
{
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

void
redis_feed(struct redis *r, const char *bytes, size_t len)
{
	redisReaderFeed(r->reader, bytes, len);
}

enum redis_kind
redis_read(struct redis *r)
{
	void *reply = NULL;

	r->error = false;
	if (redisReaderGetReply(r->reader, &reply) != REDIS_OK ||
	    r->reader->len - r->reader->pos > REDIS_MAX)
		return REDIS_WRONG;
	if (reply == NULL)
		return REDIS_MORE;
	return r->error ? REDIS_ERROR : REDIS_REPLY;
}

/* --- writing ------------------------------------------------------------ */

void
redis_put(struct buf *out, size_t count, const char *const *words,
    const size_t *lens)
{
	buf_printf(out, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++) {
		size_t len = lens != NULL ? lens[i] : strlen(words[i]);

		buf_printf(out, "$%zu\r\n", len);
		buf_add(out, words[i], len);
		buf_str(out, "\r\n");
	}
}

int
redis_put_auth(struct buf *out, const struct broker *b)
{
	if (b->password == NULL)
		return 0;
	if (b->user != NULL)
		redis_put(out, 3, (const char *const[]){ "AUTH", b->user,
		    b->password }, NULL);
	else
		redis_put(out, 2, (const char *const[]){ "AUTH",
		    b->password }, NULL);
	return 1;
}
