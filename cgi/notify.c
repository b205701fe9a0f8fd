/*
 * Which brokers there are, and what they are told. It runs when the reply is
 * out: whoever published does not wait for a broker, and a broker that is
 * down is a line in the log.
 *
 * What is told is read from the store, under a lock: of two who publish at
 * once, none leaves the older one behind as latest_config.
 */
#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "controller.h"
#include "json.h"
#include "keep.h"
#include "log.h"
#include "version.h"

enum {
	NOTIFY_SAY_S = 60,	/* between two lines that are equal */
	NOTIFY_LOCK_MS = 50,	/* for others, who have NOTIFY_MS */
	NOTIFY_PAYLOAD_MAX = VERSION_DATA_MAX + 200,
};

static const struct notify_engine *const notify_engines[NOTIFY_LINKS] = {
#ifdef WITH_REDIS
	&notify_redis,
#endif
	&notify_nats,
};

bool
notify_open(struct notify *n, const char *redis, const char *nats,
    struct buf *error)
{
	bool good = true;

	*n = (struct notify){ .count = 0 };
	for (size_t i = 0; i < NOTIFY_LINKS; i++) {
		const struct notify_engine *engine = notify_engines[i];
		const char *url = engine == &notify_nats ? nats : redis;

		if (engine != NULL && url != NULL &&
		    !notify_talk_open(&n->links[n->count++].talk, engine, url,
		    error))
			good = false;
	}
#ifndef WITH_REDIS
	if (redis != NULL) {
		buf_str(error, "REDIS_URL: this program has no Redis\n");
		good = false;
	}
#endif
	return good;
}

void
notify_close(struct notify *n)
{
	for (size_t i = 0; i < n->count; i++)
		notify_talk_close(&n->links[i].talk);
	n->count = 0;
}

void
notify_due(struct notify *n)
{
	n->due = true;
}

static void
notify_payload(struct buf *out, const struct store_version *v)
{
	time_t at = (time_t)(v->created_at / 1000);
	struct json_span data;
	char text[32];
	struct tm tm;

	version_data(&data, v->body, v->len);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&at, &tm));
	buf_printf(out, "{\"version\":\"%lld\",\"config\":", v->version);
	buf_add(out, data.text, data.len);
	buf_printf(out, ",\"timestamp\":\"%s\"}", text);
}

/* The same failure again is worth a line a minute. */
static void
notify_say(struct notify_link *link, bool told, long long version)
{
	const struct notify_talk *t = &link->talk;
	const struct broker *b = &t->servers.at[t->at];
	time_t now = time(NULL);

	if (told) {
		if (link->said[0] != '\0')
			log_info("notify", "%s at %s port %d is told again",
			    t->engine->name, b->host, b->port);
		link->said[0] = '\0';
		return;
	}
	if (strcmp(link->said, t->why) == 0 &&
	    now - link->said_at < NOTIFY_SAY_S)
		return;
	snprintf(link->said, sizeof(link->said), "%s", t->why);
	link->said_at = now;
	log_warn("notify", "%s at %s port %d is not told of version %lld: %s",
	    t->engine->name, b->host, b->port, version, t->why);
}

/* -1: it could not be had in time; then it is told all the same. */
static int
notify_lock(const struct controller *c, int64_t until)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/notify.lock", c->settings.state_dir);
	while ((fd = keep_lock(path, 0)) < 0 && errno == EWOULDBLOCK &&
	    clock_steady() < until)
		usleep(5000);
	return fd;
}

static void
notify_tell(struct controller *c, int64_t deadline)
{
	struct buf payload = BUF_INIT(NOTIFY_PAYLOAD_MAX);
	struct notify *n = &c->notify;
	const struct store_version *v;

	if (store_current(c->store, &v) != STORE_DONE || v->version == 0)
		return;
	notify_payload(&payload, v);
	for (size_t i = 0; i < n->count && !payload.failed; i++) {
		int64_t now = clock_steady();
		struct notify_link *link = &n->links[i];

		notify_say(link, notify_talk_tell(&link->talk, &payload, now +
		    (deadline - now) / (int64_t)(n->count - i)), v->version);
	}
	buf_free(&payload);
}

void
notify_turn(struct controller *c)
{
	int64_t now;
	int lock;

	if (!c->notify.due)
		return;
	c->notify.due = false;
	if (c->notify.count == 0 || c->store == NULL)
		return;
	now = clock_steady();
	lock = notify_lock(c, now + NOTIFY_LOCK_MS);
	notify_tell(c, now + NOTIFY_MS);
	if (lock >= 0)
		close(lock);
}
