#ifndef PLAN_H
#define PLAN_H
/*
 * What a worker should be given: the order of things in the contract's
 * section 1, points 5 and 6, in one place. Pure.
 */
#include <stdbool.h>

#include "ack.h"
#include "config.h"

/* What is known of the worker. */
struct plan_worker {
	bool known;		/* it has answered, and nothing failed since */
	char instance[ACK_INSTANCE];
	long long version;	/* 0: none */
	char etag[CONFIG_ETAG];
};

struct plan {
	const struct config *newest;	/* the newest known */
	const struct config *good;	/* acknowledged last; maybe the same */
	bool confirmed;		/* the controller has said since the start
				 * that newest is the present one */
	const struct plan_worker *worker;
};

enum plan_step {
	PLAN_ASK,	/* the worker is not known */
	PLAN_REST,	/* there is nothing to give, or the worker may know
			 * better than an unconfirmed state file */
	PLAN_HELD,	/* it has what is wanted */
	PLAN_GIVE,	/* it is to be given what is wanted */
};

/* The newest; when that was refused, the one acknowledged last; or NULL. */
const struct config *plan_wanted(const struct plan *);
enum plan_step plan_step(const struct plan *);

#endif
