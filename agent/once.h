#ifndef ONCE_H
#define ONCE_H
/*
 * --once: watches an agent until it knows how it went.
 */
#include <stdbool.h>

#include "agent.h"

/* Exit statuses; the rest is in --help. */
enum once_end {
	ONCE_DELIVERED, ONCE_STOPPED, ONCE_USAGE, ONCE_CONTROLLER,
	ONCE_CREDENTIAL, ONCE_WORKER, ONCE_REFUSED, ONCE_STATE,
};

struct once {
	struct agent *agent;	/* borrowed */
	enum once_end end;	/* ONCE_STOPPED until it is known */
	bool told;		/* the news went upstream, or could not */
};

/* Of an agent that was started a moment ago. The loop stops when it went one
 * way or the other. */
void once_start(struct once *, struct agent *);
/* What to exit with, when the loop has stopped; prints a line on standard
 * output that says the same. */
enum once_end once_finish(const struct once *);

#endif
