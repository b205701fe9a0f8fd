/*
 * --once is the agent itself, stopped at the first end: it decides nothing
 * about registering, polling and delivering, it only looks. Each request is
 * bounded by REQUEST_TIMEOUT_SECONDS, and nothing is tried twice.
 */
#include "once.h"

#include <stdio.h>

#include "agent_inner.h"

/* The controller's side has come to an end, good or bad. */
static bool
once_asked(const struct agent *a)
{
	if (a->at == AGENT_UNREGISTERED || a->at == AGENT_RETRYING)
		return a->why[0] != '\0';
	return a->at == AGENT_RESTING && (a->polled || a->why[0] != '\0') &&
	    !a->denied;
}

static bool
once_failed(const struct agent *a)
{
	return !a->polled || a->why[0] != '\0';
}

static bool
once_delivered(const struct deliver *d)
{
	return d->at == DELIVER_RESTING && d->health != DELIVER_UNKNOWN;
}

static enum once_end
once_judge(const struct agent *a)
{
	const struct deliver *d = &a->deliver;

	if (once_failed(a))
		return a->status == 401 || a->status == 403 ?
		    ONCE_CREDENTIAL : ONCE_CONTROLLER;
	if (d->newest.refused)
		return ONCE_REFUSED;
	if (d->health != DELIVER_OK)
		return ONCE_WORKER;
	return a->save.error != 0 ? ONCE_STATE : ONCE_DELIVERED;
}

static void
once_look(void *arg)
{
	struct once *o = arg;
	struct agent *a = o->agent;

	if (!once_asked(a) || !once_delivered(&a->deliver))
		return;
	if (o->told) {
		loop_stop(a->loop);
		return;
	}
	o->end = once_judge(a);
	o->told = true;
	if (once_failed(a) || !(a->news || a->report))
		loop_stop(a->loop);
	else
		agent_happens(a, AGENT_HURRY);	/* the heartbeat */
}

void
once_start(struct once *o, struct agent *a)
{
	*o = (struct once){ .agent = a, .end = ONCE_STOPPED };
	a->stepped = once_look;
	a->stepped_arg = o;
	agent_hurry(a);
}

enum once_end
once_finish(const struct once *o)
{
	const struct agent *a = o->agent;
	long long version = a->deliver.newest.version;
	long long applied = a->state->good.version;

	switch (o->end) {
	case ONCE_DELIVERED:
		if (applied == 0)
			puts("nothing is published yet");
		else
			printf("version %lld is applied\n", applied);
		break;
	case ONCE_CONTROLLER:
	case ONCE_CREDENTIAL:
		printf("%s\n", a->why);
		break;
	case ONCE_WORKER:
	case ONCE_REFUSED:
		printf("version %lld is not applied: %s\n", version,
		    a->deliver.why);
		break;
	case ONCE_STATE:
		printf("version %lld is applied, but not in the state file\n",
		    applied);
		break;
	default:
		puts("stopped");
	}
	return o->end;
}
