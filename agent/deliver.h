#ifndef DELIVER_H
#define DELIVER_H
/*
 * The worker's side of the agent: asks the worker what it has, gives it what
 * it should have, one request at a time, for ever.
 */
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fetch.h"
#include "loop.h"
#include "plan.h"
#include "retry.h"
#include "settings.h"

enum deliver_health {
	DELIVER_UNKNOWN,	/* not asked yet */
	DELIVER_OK,
	DELIVER_FAILED,		/* it refuses, or answers nonsense */
	DELIVER_NO_WORKER,	/* it does not answer */
};

enum deliver_at {
	DELIVER_STOPPED, DELIVER_RESTING, DELIVER_ASKING, DELIVER_GIVING,
	DELIVER_ATS
};

struct deliver_hooks {
	/* The worker acknowledged this one; it is `good` from now on. */
	void (*applied)(void *arg, const struct config *);
	/* The health, or the reason for it, is another. */
	void (*changed)(void *arg);
	/* Nothing is under way. */
	void (*rests)(void *arg);
	void *arg;
};

struct deliver {
	const struct settings *settings;	/* borrowed, as is all this */
	struct loop *loop;
	struct fetch_hub *hub;
	struct config *good;
	struct deliver_hooks hooks;

	enum deliver_at at;
	struct loop_timer timer;
	struct fetch *fetch;
	struct ack *ack;	/* inside an event that has one */
	struct config newest;
	struct config giving;	/* under way */
	bool confirmed;
	bool again;	/* is asked again behind what is under way */
	struct plan_worker worker;
	struct retry asks, gives;	/* failures in a row */
	int64_t check_due, give_due;	/* loop_now */
	int64_t lag_since;	/* loop_now; -1: it has its configuration */
	enum deliver_health health;
	char why[2 * WORDS_MAX];	/* of the health; "" when ok */
	char refusal[2 * WORDS_MAX];	/* of the newest, while it is refused */
	long long last_answer;	/* ms since 1970; 0: never */

	/* for /metrics */
	long long ends[DELIVER_ATS][ACK_KINDS];	/* of requests */
	long long retries;	/* deliveries that followed a failure */
	long long restarts;	/* of the worker, that were seen */
};

/* Borrows all; begins with what good holds. good->version 0: nothing yet. */
void deliver_start(struct deliver *, struct loop *, struct fetch_hub *,
    const struct settings *, struct config *good,
    const struct deliver_hooks *);
void deliver_stop(struct deliver *);

/* The controller's newest configuration; takes it (it is emptied). */
void deliver_offer(struct deliver *, struct config *);
/* The controller said that the newest known is the present one. */
void deliver_confirm(struct deliver *);
/* Asks the worker now, if it is not just asked or given something, and forgets
 * the refusals until then: someone mended something. */
void deliver_hurry(struct deliver *);
/* The settings name another worker, or another key: the same, and what is
 * under way is dropped. */
void deliver_anew(struct deliver *);

/* Asks the worker once more, behind what is under way: it may have gone, and
 * that have been the last that is heard of it. */
void deliver_look(struct deliver *);

/* False when the worker has been without its configuration for longer than
 * two checks. */
bool deliver_healthy(const struct deliver *);

/* "ok", "failed" or "no-worker": X-Agent-State. */
const char *deliver_word(const struct deliver *);

#endif
