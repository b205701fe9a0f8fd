#ifndef WAKE_LINK_H
#define WAKE_LINK_H
/*
 * A subscription at one of several brokers, made again for ever; for the
 * family of wake alone.
 */
#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "buf.h"
#include "dial.h"
#include "loop.h"
#include "nats.h"
#include "redis.h"
#include "retry.h"

enum { WAKE_LINK_WHY = 160 };

struct wake_link {
	struct loop *loop;
	const struct wake_engine *engine;
	/* Called when it is subscribed, and for each message. */
	void (*said)(struct wake_link *);
	int64_t most;		/* ms, of the backoff */
	struct broker_list servers;
	size_t at;		/* which of them */
	struct dial dial;
	int fd;			/* -1: not connected */
	struct loop_watch watch;
	struct loop_timer again;	/* when to dial */
	struct loop_timer pulse;	/* when to lose patience */
	struct retry retry;
	struct buf out;		/* to be sent */
	bool up;		/* subscribed */
	bool pinged, heard;	/* asked; and something came since */
	char why[WAKE_LINK_WHY];	/* this connection failed; "" */
	char last[WAKE_LINK_WHY];	/* the failure before, until it is up */
	/* the engine's */
	struct redis redis;
	struct nats nats;
	bool greeted;
};

/* What is said, and what is heard: bytes alone. */
struct wake_engine {
	const char *strategy;	/* "REDIS" */
	const char *setting;	/* "REDIS_URL" */
	bool (*read)(struct broker_list *, const char *url, struct buf *error);
	/* A new connection: begins the parser; false: out of memory. */
	bool (*greet)(struct wake_link *);
	/* Bytes came: calls the four below. */
	void (*hear)(struct wake_link *, const char *, size_t);
	void (*ping)(struct wake_link *);
	void (*close)(struct wake_link *);	/* the parser */
};

extern const struct wake_engine wake_redis, wake_nats;

/* loop, engine, said, most and servers are set. */
void wake_link_start(struct wake_link *);
void wake_link_stop(struct wake_link *);	/* frees the servers, too */

/* For an engine that hears. */
void wake_link_up(struct wake_link *);
void wake_link_message(struct wake_link *);
void wake_link_pong(struct wake_link *);
void wake_link_failed(struct wake_link *, const char *why);

#endif
