#ifndef TASKS_H
#define TASKS_H
/*
 * Tasks for callers: what GET /hit does later, and /tasks.
 */
#include "route.h"
#include "worker.h"

/* Whether this GET /hit is to be answered with 202: ?async=, Prefer
 * (RFC 7240), HIT_MODE, in this order. */
bool tasks_wanted(const struct worker *, const struct route_request *);

/* Queues it; the answer is 202 or 503. There is a configuration. */
void tasks_post(struct route_request *, struct route_reply *);

/* Held requests are answered with what is known now, and so are all that
 * come. */
void tasks_release(struct worker *);

#endif
