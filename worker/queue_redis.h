#ifndef QUEUE_REDIS_H
#define QUEUE_REDIS_H
/*
 * The queue in Redis; for the family of queue_redis alone.
 */
#include <sys/queue.h>

#include "queue.h"
#include "queue_redis_link.h"
#include "queue_redis_script.h"

enum {
	QUEUE_REDIS_ENTRY = 48,		/* of a stream, with NUL */
	QUEUE_REDIS_TAKES = 4,		/* on their way at once */
	QUEUE_REDIS_LEASE = 10000,	/* ms after which another worker may
					 * take a task over */
};

/* A task that was given out here and is not settled. */
struct queue_redis_run {
	char id[TOKEN_UUID];
	char entry[QUEUE_REDIS_ENTRY];
	long long attempts, created_at;		/* as it was given out */
	TAILQ_ENTRY(queue_redis_run) line;
};

/* A command that takes. */
struct queue_redis_take {
	struct queue_redis_ask ask;
	struct queue_redis *redis;
	size_t asked;			/* tasks; 0: it is not under way */
};

struct queue_redis {
	struct queue base;
	struct broker url;
	struct queue_redis_link verbs;	/* answers at once */
	struct queue_redis_link wait;	/* waits for tasks */
	TAILQ_HEAD(, queue_redis_run) runs;
	struct queue_redis_take takes[QUEUE_REDIS_TAKES];
	size_t taking, asked;	/* how many takes are under way, for how many
				 * tasks */
	bool more;		/* the last one got all that it asked for */
	struct queue_redis_ask group, claim, beat, sweep, move, leave;
	bool looking;		/* group or claim is awaited */
	bool beating, sweeping, moving;
	char cursor[QUEUE_REDIS_ENTRY];	/* of XAUTOCLAIM */
	int64_t claimed;	/* when it last asked for others' tasks */
	struct loop_timer again, beats, sweeps;
	char offset[24];	/* of the sweep */
	struct queue_facts facts;	/* of the last sweep */
	bool swept;		/* since the connection was made */
	struct queue_text *config;	/* the one given out last; held */
	struct queue_redis_crowd *pushes, *ends;	/* of this turn */
	struct loop_timer gather;
};

/* "EVAL", script, "0" and what follows; words ends with NULL. */
bool queue_redis_eval(struct queue_redis *, struct queue_redis_ask *,
    const char *script, const char *const *words);

/* queue_redis_crowd.c: sent with the others of this turn of the loop, or at
 * once. The settled one is over, not to be tried again; run NULL: what it was
 * given out with is not known here. */
void queue_redis_crowd_push(struct queue_redis *, const struct queue_task *,
    struct queue_call *);
void queue_redis_crowd_settle(struct queue_redis *,
    const struct queue_settled *, const struct queue_redis_run *run,
    struct queue_call *);
/* Sends them, and asks for tasks: soon at the end of this turn. */
void queue_redis_crowd_soon(struct queue_redis *);
void queue_redis_crowd_send(struct queue_redis *);

/* queue_redis_take.c: starts, and goes on while there is room. */
void queue_redis_take_start(struct queue_redis *);
void queue_redis_take_stop(struct queue_redis *);
void queue_redis_take_look(struct queue_redis *);
/* queue_redis_tend.c: what is done by the clock; soon: the facts. */
void queue_redis_tend_start(struct queue_redis *);
void queue_redis_tend_stop(struct queue_redis *);
void queue_redis_tend_soon(struct queue_redis *);
/* The run of a task, or NULL; and its end. */
struct queue_redis_run *queue_redis_take_find(struct queue_redis *,
    const char *id);
void queue_redis_take_drop(struct queue_redis *, struct queue_redis_run *);
void queue_redis_take_forget(struct queue_redis *, const char *id);

#endif
