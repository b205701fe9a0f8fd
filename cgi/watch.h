#ifndef WATCH_H
#define WATCH_H
/*
 * Polls that are held: who, until when, and whose turn it is to be answered.
 * Knows neither FastCGI nor the store.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "loop.h"

enum { WATCH_TURN = 32 };	/* answered in one turn of the loop */

/* One held poll, embedded in what the owner keeps of it. */
struct watch_poll {
	TAILQ_ENTRY(watch_poll) entry;
	struct loop_timer timer;	/* the deadline, or a sign of life
					 * before it */
	struct watch *watch;
	int64_t deadline;	/* ms, monotonic */
	int64_t sign;		/* ms between two signs of life; 0: none */
	uint64_t round;		/* held while it is the watch's */
};

TAILQ_HEAD(watch_polls, watch_poll);

struct watch {
	struct loop *loop;
	/* Answers, and takes. */
	void (*answer)(struct watch *, struct watch_poll *);
	/* It is still held. */
	void (*sign)(struct watch *, const struct watch_poll *);
	struct watch_polls held, due;
	struct loop_timer turn;
	uint64_t round;
	size_t count;		/* of both lists */
};

/* answer and sign are set. Uses the loop as long as something is held. */
void watch_open(struct watch *, struct loop *);

/* Holds it for ms (1 or more), with a sign each `sign` ms (0: none). False:
 * out of memory, nothing was done. */
bool watch_hold(struct watch *, struct watch_poll *, int64_t ms,
    int64_t sign);

/* What they wait for has come: all that are held now are due, the oldest
 * first, WATCH_TURN each turn of the loop. */
void watch_moved(struct watch *);

/* Answers all, now. */
void watch_empty(struct watch *);

#endif
