/*
 * When the next question is asked, and what is noted of the last answer.
 */
#include "agent_inner.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "token.h"

enum {
	AGENT_BASE = 1000,	/* ms, of the backoff */
	AGENT_EARLY = 5000,	/* ms, the longest before news go upstream */
	AGENT_UNTOLD = 30,	/* s, the interval until one is dictated */
	AGENT_SETTLE = 1000,	/* ms, between two polls that may be held: for
				 * the worker, whose news go with the next */
};

int64_t
agent_interval(const struct agent *a)
{
	long s = a->state->interval;

	return (s > 0 ? s : AGENT_UNTOLD) * INT64_C(1000);
}

/*
 * From a second to the maximum. But who polls and has a configuration spreads
 * over no less than an interval: a fleet whose controller was away that long
 * would otherwise come back within a few seconds.
 */
static int64_t
agent_backoff(struct agent *a)
{
	int64_t max = a->settings->backoff_max * INT64_C(1000);
	int64_t ms = retry_next(&a->retry, AGENT_BASE, max, token_chance());
	int64_t most = agent_interval(a), spread;

	if (a->at != AGENT_POLLING || a->deliver.newest.version == 0)
		return ms;
	most = most < max ? most : max;
	spread = 1 + (int64_t)(token_chance() % (uint64_t)most);
	return spread > ms ? spread : ms;
}

/* Backoff; or what was asked for, but not all of a fleet in one moment. */
int64_t
agent_delay(struct agent *a)
{
	int64_t ms = agent_backoff(a), told;

	if (a->answer == NULL || a->answer->retry_after < 0)
		return ms;
	told = a->answer->retry_after * INT64_C(1000);
	told += (int64_t)(token_chance() % (uint64_t)(told / 10 + AGENT_BASE));
	return told > ms ? told : ms;
}

int64_t
agent_early(const struct agent *a)
{
	int64_t most = agent_interval(a) / 2;
	int64_t early = a->wake.hold > 0 ? AGENT_SETTLE : AGENT_EARLY;

	if (most > early)
		most = early;
	return (int64_t)(token_chance() % (uint64_t)most);
}

/* Whether nothing keeps the next poll from being held: this one was, to its
 * end, or until there was something; or it was not because of a hurry, or
 * because one broke off, as when the controller is started again. A 304 that
 * comes early is from someone who cannot hold it, and so is a second failure:
 * asking again at once would never end. */
static bool
agent_holds(const struct agent *a)
{
	int64_t took = loop_now(a->loop) - a->asked;

	if (a->wake.hold == 0 || a->moved)
		return a->wake.hold > 0;
	if (a->hold == 0)
		return a->fresh || a->unheld == 1;
	return took >= a->hold * INT64_C(1000) - AGENT_SETTLE;
}

int64_t
agent_pause(struct agent *a)
{
	int64_t ms = retry_spread(agent_interval(a), token_chance());
	int64_t early = agent_early(a);

	if (a->hold > 0)
		a->unheld = 0;
	if (a->hurry || a->hinted)
		return 0;
	if (agent_holds(a))
		ms = a->moved ? AGENT_SETTLE : 0;
	return a->news && early < ms ? early : ms;
}

enum agent_at
agent_wait(struct agent *a, enum agent_at at, int64_t ms)
{
	a->poll_due = loop_now(a->loop) + ms;
	loop_timer_start(a->loop, &a->timer, ms);
	return at;
}

void
agent_note_interval(struct agent *a)
{
	if (a->answer->interval == 0 ||
	    a->answer->interval == a->state->interval)
		return;
	a->state->interval = a->answer->interval;
	log_info("controller", "polled every %ld s from now on",
	    a->state->interval);
	save_now(&a->save);
}

/* The same failure again is not worth a second line. */
void
agent_note_failure(struct agent *a, const char *what, const char *why)
{
	char text[sizeof(a->why)];

	snprintf(text, sizeof(text), "%s: %s", what, why);
	if (strcmp(text, a->why) != 0)
		log_warn("controller", "%s", text);
	else
		log_debug("controller", "%s", text);
	memcpy(a->why, text, sizeof(text));
}

void
agent_note_success(struct agent *a)
{
	if (a->why[0] != '\0')
		log_info("controller", "answers again");
	a->why[0] = '\0';
	a->denied = false;
	retry_reset(&a->retry);
}
