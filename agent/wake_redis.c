/*
 * Redis: SUBSCRIBE to what the controller publishes. PING is answered in a
 * subscription, too.
 */
#include "wake_link.h"

#include <string.h>

static bool
wake_redis_greet(struct wake_link *l)
{
	if (!redis_start(&l->redis))
		return false;
	redis_put_auth(&l->out, &l->servers.at[l->at]);
	redis_put(&l->out, 2, (const char *const[]){ "SUBSCRIBE",
	    "config:global" }, NULL);
	return true;
}

static void
wake_redis_hear(struct wake_link *l, const char *bytes, size_t len)
{
	enum redis_kind kind;

	redis_feed(&l->redis, bytes, len);
	while ((kind = redis_read(&l->redis)) != REDIS_MORE) {
		if (kind == REDIS_WRONG) {
			wake_link_failed(l, "that is no Redis");
			return;
		}
		if (kind == REDIS_ERROR)
			wake_link_failed(l, l->redis.word);
		else if (strcmp(l->redis.word, "subscribe") == 0)
			wake_link_up(l);
		else if (strcmp(l->redis.word, "message") == 0)
			wake_link_message(l);
		else if (strcmp(l->redis.word, "pong") == 0)
			wake_link_pong(l);
	}
}

static void
wake_redis_ping(struct wake_link *l)
{
	redis_put(&l->out, 1, (const char *const[]){ "PING" }, NULL);
}

static void
wake_redis_close(struct wake_link *l)
{
	redis_stop(&l->redis);
}

const struct wake_engine wake_redis = {
	.strategy = "REDIS",
	.setting = "REDIS_URL",
	.read = broker_list_redis,
	.greet = wake_redis_greet,
	.hear = wake_redis_hear,
	.ping = wake_redis_ping,
	.close = wake_redis_close,
};
