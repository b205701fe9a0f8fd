#ifndef QUEUE_REDIS_LINK_H
#define QUEUE_REDIS_LINK_H
/*
 * A connection to Redis that is made again for ever; for the family of
 * queue_redis alone.
 */
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "loop.h"
#include "resolve.h"
#include "retry.h"

struct queue_redis_link {
	struct loop *loop;
	const struct broker *url;
	const char *what;	/* for the log: "tasks" */
	/* Called when it can be used, and when it cannot any more; not
	 * inside queue_redis_link_start, _stop and _send. */
	void (*changed)(struct queue_redis_link *);
	bool up;
	redisAsyncContext *context;
	struct resolve *resolve;	/* until the host has an address */
	struct loop_watch resolved;
	struct loop_watch watch;
	short events;
	struct loop_timer again, patience;
	struct retry retry;
	size_t unanswered;
	int64_t heard;		/* when the last answer came, or the first
				 * of those that are awaited was asked for */
	bool mute;		/* stopping: nothing is said any more */
};

void queue_redis_link_start(struct queue_redis_link *);
void queue_redis_link_stop(struct queue_redis_link *);
/* For the end of the program: waits until all is answered, a fifth of a
 * second at most. */
void queue_redis_link_flush(struct queue_redis_link *);

/* A command that is awaited. */
struct queue_redis_ask {
	/* Once. reply NULL: the connection is gone, and whether the command
	 * was carried out is not known. Borrowed. */
	void (*answered)(struct queue_redis_ask *, const redisReply *);
	struct queue_redis_link *link;		/* the link's own */
};

/* False: it is not up, and answered is not called. */
bool queue_redis_link_send(struct queue_redis_link *,
    struct queue_redis_ask *, size_t count, const char *const *words);
/* What was sent goes out now, and not in the loop's next turn. The link may
 * be down after it, and what it was asked answered. */
void queue_redis_link_write(struct queue_redis_link *);

#endif
