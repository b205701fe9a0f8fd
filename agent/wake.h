#ifndef WAKE_H
#define WAKE_H
/*
 * Learns early that there may be something to read, by
 * DISTRIBUTION_STRATEGY: a held poll, or a message of a broker. It only
 * hints; the polls go on beside it, and are where the truth comes from.
 */
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "settings.h"
#include "wake_link.h"

enum {
	WAKE_HOLD = 55,		/* s: below the minute of many a proxy */
	WAKE_GAP = 500,		/* ms, at least, between two hints */
};

struct wake {
	struct loop *loop;
	void (*hint)(void *arg);
	void *arg;
	const struct wake_engine *engine;	/* NULL: no broker */
	long hold;		/* s that a poll may be held; 0: not at all */
	int64_t spread;		/* ms, of HINT_SPREAD_SECONDS */
	struct wake_link link;
	struct loop_timer timer;	/* of a hint that is due */
	int64_t last;		/* loop_now, of the last hint; 0: none */
};

/* What is wrong with the strategy's settings, a line each. */
void wake_check(const struct settings *, struct buf *error);

/* hint is called from the loop, never from here. Keeps nothing of the
 * settings. wake_stop in any case; then it may be started again. */
void wake_start(struct wake *, struct loop *, const struct settings *,
    void (*hint)(void *arg), void *arg);
void wake_stop(struct wake *);

/* "none", "held", "connecting" or "subscribed". */
const char *wake_word(const struct wake *);
/* Why it is not subscribed; "" when it is, or knows of no failure. */
const char *wake_why(const struct wake *);

#endif
