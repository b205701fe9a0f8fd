/*
 * Decides what the worker is given. Never version 0; never what it refused;
 * never something older than it has, unless the controller has said that the
 * older one is the present one: the agent may have been killed between an
 * acknowledgement and its save, and then it knows less than the worker.
 */
#include "plan.h"

#include <stddef.h>
#include <string.h>

const struct config *
plan_wanted(const struct plan *p)
{
	if (p->newest->version > 0 && !p->newest->refused)
		return p->newest;
	if (p->good->version > 0 && !p->good->refused)
		return p->good;
	return NULL;
}

/* Whether the worker has this very configuration. */
static bool
plan_holds(const struct plan_worker *worker, const struct config *c)
{
	return worker->version == c->version &&
	    (worker->etag[0] == '\0' || strcmp(worker->etag, c->etag) == 0);
}

enum plan_step
plan_step(const struct plan *p)
{
	const struct config *wanted = plan_wanted(p);

	if (!p->worker->known)
		return PLAN_ASK;
	if (wanted == NULL)
		return PLAN_REST;
	if (plan_holds(p->worker, wanted))
		return PLAN_HELD;
	if ((!p->confirmed || wanted != p->newest) &&
	    p->worker->version >= wanted->version)
		return PLAN_REST;
	return PLAN_GIVE;
}
