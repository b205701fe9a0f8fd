/*
 * Housekeeping: done by every process in its idle moments, each thing under
 * a lock that nobody waits for, so that it is done once.
 */
#include "housekeep.h"

#include <stdint.h>
#include <time.h>

#include "audit.h"
#include "log.h"
#include "notify.h"

void
housekeep_agents(struct controller *c)
{
	const struct store_version *v;
	long long at = controller_clock();
	enum store_end end = store_current(c->store, &v);

	beat_fold(&c->beat, c->store, at);
	if (end == STORE_DONE)
		end = store_sweep(c->store, at, v->interval);
	if (end != STORE_DONE)
		log_debug("agents", "%s", store_detail(c->store));
}

void
housekeep_turn(struct controller *c)
{
	static int64_t next, purge;
	struct timespec now;
	int64_t ms;

	notify_turn(c);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms < next || c->store == NULL)
		return;
	next = ms + HOUSEKEEP_MS;
	housekeep_agents(c);
	refusal_fold(&c->refusal, c->store, controller_clock(), false);
	if (ms >= purge && !audit_purge(c, controller_clock()))
		purge = ms + HOUSEKEEP_PURGE_MS;
	store_checkpoint(c->store);
}
