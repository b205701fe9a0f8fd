/*
 * Housekeeping: done by every process in its idle moments, each thing under
 * a lock that nobody waits for, or when it is due for all of them, so that it
 * is done once.
 */
#include "housekeep.h"

#include <stdint.h>
#include <time.h>

#include "audit.h"
#include "clock.h"
#include "log.h"
#include "notify.h"

static void
housekeep_look(struct controller *c, int late, long budget)
{
	long long at = clock_wall();

	c->beat.late = late;
	beat_fold(&c->beat, c->store, at);
	if (store_sweep(c->store, at, budget) != STORE_DONE)
		log_debug("agents", "%s", store_detail(c->store));
}

void
housekeep_agents(struct controller *c)
{
	housekeep_look(c, 0, HOUSEKEEP_ASKED_MS);
}

void
housekeep_turn(struct controller *c)
{
	static int64_t next, purge;
	struct timespec now;
	bool late;
	int64_t ms;

	notify_turn(c);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms < next || c->store == NULL)
		return;
	next = ms + HOUSEKEEP_MS;
	front_turn(c);
	/* a publish and held polls wait for no fold: others have the time */
	late = c->prompt || !beat_claim(&c->beat);
	store_remember(c->store, c->beat.claim >= 0);
	housekeep_look(c, late ? HOUSEKEEP_LATE_MS : 0,
	    c->prompt ? HOUSEKEEP_ASKED_MS : HOUSEKEEP_IDLE_MS);
	if (c->beat.more)
		next = ms + HOUSEKEEP_MORE_MS;
	refusal_fold(&c->refusal, c->store, clock_wall(), false);
	if (ms >= purge && !audit_purge(c, clock_wall()))
		purge = ms + HOUSEKEEP_PURGE_MS;
	store_checkpoint(c->store, c->prompt);
}
