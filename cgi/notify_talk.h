#ifndef NOTIFY_TALK_H
#define NOTIFY_TALK_H
/*
 * A conversation with a broker, kept from one message to the next, with a
 * deadline for all of it; for the family of notify alone.
 */
#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "buf.h"
#include "dial.h"
#include "nats.h"
#include "redis.h"

enum { NOTIFY_TALK_WHY = 160 };

struct notify_talk {
	const struct notify_engine *engine;
	struct broker_list servers;
	size_t at;		/* which of the servers */
	struct dial dial;
	bool dialing;		/* its name is still being resolved */
	int fd;			/* -1: not connected */
	struct buf out;		/* to be sent */
	/* for the engine */
	bool ready;		/* greeted: it may be told */
	bool told, done;	/* the message is out; it was acknowledged */
	char why[NOTIFY_TALK_WHY];	/* it failed; "" otherwise */
	struct redis redis;
	struct nats nats;
	int awaited;		/* replies of Redis */
	long long max_payload;	/* of NATS; 0: not known */
};

/* What is said, and what is heard: bytes alone. */
struct notify_engine {
	const char *name;	/* "redis" */
	const char *setting;	/* "REDIS_URL" */
	bool (*read)(struct broker_list *, const char *url, struct buf *error);
	/* A new connection: begins the parser; false: out of memory. */
	bool (*greet)(struct notify_talk *);
	/* When ready: the message. */
	void (*tell)(struct notify_talk *, const struct buf *payload);
	/* Bytes came: sets ready, done, or why. */
	void (*hear)(struct notify_talk *, const char *, size_t);
	void (*close)(struct notify_talk *);	/* the parser */
};

extern const struct notify_engine notify_redis, notify_nats;

bool notify_talk_open(struct notify_talk *, const struct notify_engine *,
    const char *url, struct buf *error);
void notify_talk_close(struct notify_talk *);
/* Tells one of the servers until the deadline. False: talk->why. */
bool notify_talk_tell(struct notify_talk *, const struct buf *payload,
    int64_t deadline);
/* It failed, and why: the first reason counts. */
void notify_talk_failed(struct notify_talk *, const char *why);

#endif
