/*
 * Registration: who this agent is, where it polls, how often.
 */
#include "agent_inner.h"

#include <string.h>

#include "log.h"
#include "token.h"

static bool
agent_enroll_adopt(struct agent *a)
{
	struct answer *got = a->answer;
	struct state *s = a->state;

	if (!state_set(&s->poll_url, got->poll_url) ||
	    !state_set(&s->controller, a->settings->controller_url) ||
	    !state_set(&s->token, got->token)) {
		agent_note_failure(a, "registration",
		    "answered 200, but its poll_url or token is too long");
		return false;
	}
	if (strcmp(got->id, s->id) != 0)
		log_info("controller", "gave the id %s in place of %s",
		    got->id, s->id);
	memcpy(s->id, got->id, sizeof(s->id));
	if (got->interval > 0)
		s->interval = got->interval;
	a->registered = true;
	save_now(&a->save);
	return true;
}

/*
 * When the first poll comes: a fleet that was switched on together does not
 * poll together, but who has nothing yet does not wait, nor does the news
 * that the worker fails. Who was refused has waited before it came here, and
 * its failures still count until a poll goes well: refusals that chase each
 * other become rarer.
 */
enum agent_at
agent_registered(struct agent *a)
{
	int64_t ms = 0, early;

	if (!agent_enroll_adopt(a))
		return agent_wait(a, AGENT_UNREGISTERED, agent_delay(a));
	log_info("controller", "registered as %s, polled every %ld s",
	    a->state->id, (long)(agent_interval(a) / 1000));
	if (!a->denied) {
		a->why[0] = '\0';
		retry_reset(&a->retry);
		if (!a->polled && !a->hurry && !a->hinted &&
		    a->wake.hold == 0 && a->state->good.version > 0)
			ms = (int64_t)(token_chance() %
			    (uint64_t)agent_interval(a));
		if (a->report && (early = agent_early(a)) < ms)
			ms = early;
	}
	return agent_wait(a, AGENT_RESTING, ms);
}

/* Where it was registered before, polls may work while registering fails. */
enum agent_at
agent_unregistered(struct agent *a)
{
	agent_note_failure(a, "registration", a->answer->why);
	return agent_wait(a, a->registered ? AGENT_RETRYING :
	    AGENT_UNREGISTERED, agent_delay(a));
}

/* The fleet's credential is another; the token may still be good. */
enum agent_at
agent_register_denied(struct agent *a)
{
	agent_note_failure(a, "registration", a->answer->why);
	return agent_wait(a, a->state->token != NULL &&
	    a->state->poll_url != NULL ? AGENT_RETRYING : AGENT_UNREGISTERED,
	    agent_delay(a));
}
