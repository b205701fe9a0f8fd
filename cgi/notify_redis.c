/*
 * Redis: SET latest_config, for whoever comes later, then PUBLISH, so that
 * whoever is told finds it there.
 */
#include "notify_talk.h"

#include <stdio.h>

static bool
notify_redis_greet(struct notify_talk *t)
{
	const struct broker *b = &t->servers.at[t->at];
	char number[16];

	if (!redis_start(&t->redis))
		return false;
	t->awaited = redis_put_auth(&t->out, b);
	if (b->number != 0) {
		snprintf(number, sizeof(number), "%d", b->number);
		redis_put(&t->out, 2, (const char *const[]){ "SELECT",
		    number }, NULL);
		t->awaited++;
	}
	t->ready = true;
	return true;
}

static void
notify_redis_tell(struct notify_talk *t, const struct buf *payload)
{
	redis_put(&t->out, 5, (const char *const[]){ "SET", "latest_config",
	    payload->data, "EX", "86400" },
	    (const size_t[]){ 3, 13, payload->len, 2, 5 });
	redis_put(&t->out, 3, (const char *const[]){ "PUBLISH",
	    "config:global", payload->data },
	    (const size_t[]){ 7, 13, payload->len });
	t->awaited += 2;
	t->told = true;
}

static void
notify_redis_hear(struct notify_talk *t, const char *bytes, size_t len)
{
	enum redis_kind kind;

	redis_feed(&t->redis, bytes, len);
	while ((kind = redis_read(&t->redis)) != REDIS_MORE) {
		if (kind == REDIS_ERROR)
			notify_talk_failed(t, t->redis.word);
		if (kind == REDIS_WRONG || t->awaited-- == 0) {
			notify_talk_failed(t, "that is no Redis");
			return;
		}
	}
	t->done = t->told && t->awaited == 0;
}

static void
notify_redis_close(struct notify_talk *t)
{
	redis_stop(&t->redis);
}

const struct notify_engine notify_redis = {
	.name = "redis",
	.setting = "REDIS_URL",
	.read = broker_list_redis,
	.greet = notify_redis_greet,
	.tell = notify_redis_tell,
	.hear = notify_redis_hear,
	.close = notify_redis_close,
};
