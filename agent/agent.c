/*
 * The state machine: which step follows which event. A step does one thing
 * and returns what the agent then waits for. The agent never exits on its
 * own, and an event that its state does not know changes nothing.
 */
#include "agent_inner.h"

#include <string.h>

#include "log.h"
#include "token.h"

/* News of the worker go upstream before the interval is over; what it is
 * that failed or recovered, at once. */
static enum agent_at
agent_hear(struct agent *a)
{
	int64_t early = agent_early(a);

	a->news = true;
	if (loop_now(a->loop) + early < a->poll_due)
		agent_wait(a, AGENT_RESTING, early);
	if (a->report && a->state->token != NULL)
		return agent_report(a);
	return AGENT_RESTING;
}

/* Ends a poll that is held: there is something better to ask. */
static void
agent_let_go(struct agent *a)
{
	fetch_cancel(a->fetch);
	a->fetch = NULL;
	agent_wait(a, AGENT_RESTING, agent_interval(a));
}

static enum agent_at
agent_remember_news(struct agent *a)
{
	a->news = true;
	if (a->hold == 0)
		return a->at;
	agent_let_go(a);
	return agent_hear(a);
}

/* While it reports, the news need a poll all the same. */
static enum agent_at
agent_hasten(struct agent *a)
{
	int64_t due = loop_now(a->loop) + agent_early(a);

	a->news = true;
	if (due < a->poll_due)
		a->poll_due = due;
	return a->at;
}

static enum agent_at
agent_remember_hurry(struct agent *a)
{
	a->hurry = true;
	return a->at;
}

static enum agent_at
agent_poll_fresh(struct agent *a)
{
	a->hurry = true;
	return agent_poll(a);
}

/* What is held may be held for a minute yet. */
static enum agent_at
agent_poll_again(struct agent *a)
{
	if (a->hold == 0)
		return agent_remember_hurry(a);
	agent_let_go(a);
	return agent_poll_fresh(a);
}

/* A hint is worth a poll, but never breaks a backoff: who is behind a
 * broker cannot make a fleet besiege a controller that is ill. */
static enum agent_at
agent_remember_hint(struct agent *a)
{
	a->hinted = true;
	return a->at;
}

static enum agent_at
agent_poll_hinted(struct agent *a)
{
	a->hinted = true;
	return agent_poll(a);
}

static enum agent_at
agent_register_fresh(struct agent *a)
{
	a->hurry = true;
	return agent_register(a);
}

static enum agent_at
agent_begin_anew(struct agent *a)
{
	if (a->fetch != NULL)
		fetch_cancel(a->fetch);
	a->fetch = NULL;
	a->registered = a->denied = false;
	retry_reset(&a->retry);
	return agent_register_fresh(a);
}

static enum agent_at (*const agent_table[AGENT_ATS][AGENT_EVENTS])
    (struct agent *) = {
	[AGENT_UNREGISTERED] = {
		[AGENT_TIMER] = agent_register,
		[AGENT_HURRY] = agent_register_fresh,
		[AGENT_HINT] = agent_remember_hint,
		[AGENT_ANEW] = agent_begin_anew,
	},
	[AGENT_REGISTERING] = {
		[AGENT_GOOD] = agent_registered,
		[AGENT_DENIED] = agent_register_denied,
		[AGENT_FAILED] = agent_unregistered,
		[AGENT_HURRY] = agent_remember_hurry,
		[AGENT_HINT] = agent_remember_hint,
		[AGENT_ANEW] = agent_begin_anew,
	},
	[AGENT_RESTING] = {
		[AGENT_TIMER] = agent_poll,
		[AGENT_NEWS] = agent_hear,
		[AGENT_HURRY] = agent_poll_fresh,
		[AGENT_HINT] = agent_poll_hinted,
		[AGENT_ANEW] = agent_begin_anew,
	},
	[AGENT_RETRYING] = {
		[AGENT_TIMER] = agent_poll,
		[AGENT_HURRY] = agent_poll_fresh,
		[AGENT_HINT] = agent_remember_hint,
		[AGENT_ANEW] = agent_begin_anew,
	},
	[AGENT_POLLING] = {
		[AGENT_GOOD] = agent_changed,
		[AGENT_SAME] = agent_unchanged,
		[AGENT_DENIED] = agent_denied,
		[AGENT_FAILED] = agent_poll_failed,
		[AGENT_NEWS] = agent_remember_news,
		[AGENT_HURRY] = agent_poll_again,
		[AGENT_HINT] = agent_remember_hint,
		[AGENT_ANEW] = agent_begin_anew,
	},
	[AGENT_REPORTING] = {
		[AGENT_GOOD] = agent_reported,
		[AGENT_DENIED] = agent_denied,
		[AGENT_FAILED] = agent_reported,
		[AGENT_NEWS] = agent_hasten,
		[AGENT_HURRY] = agent_remember_hurry,
		[AGENT_HINT] = agent_remember_hint,
		[AGENT_ANEW] = agent_begin_anew,
	},
};

void
agent_happens(struct agent *a, enum agent_event event)
{
	if (agent_table[a->at][event] != NULL)
		a->at = agent_table[a->at][event](a);
	if (a->stepped != NULL)
		a->stepped(a->stepped_arg);
}

static void
agent_fires(struct loop_timer *timer)
{
	agent_happens(LOOP_OF(struct agent, timer, timer), AGENT_TIMER);
}

/* Saved only now: the worker has it. */
static void
agent_applied(void *arg, const struct config *config)
{
	struct agent *a = arg;

	if (!config_copy(&a->state->good, config)) {
		log_warn("state", "out of memory: version %lld is not saved",
		    config->version);
		return;
	}
	save_now(&a->save);
	agent_happens(a, AGENT_NEWS);
}

static void
agent_worker_changed(void *arg)
{
	struct agent *a = arg;

	a->report = true;
	agent_happens(a, AGENT_NEWS);
}

static void
agent_worker_rests(void *arg)
{
	struct agent *a = arg;

	if (a->stepped != NULL)
		a->stepped(a->stepped_arg);
}

static void
agent_hint(void *arg)
{
	agent_happens(arg, AGENT_HINT);
}

/* What another controller said is void here. */
static void
agent_forget_stranger(struct agent *a)
{
	struct state *s = a->state;

	if (s->controller != NULL &&
	    strcmp(s->controller, a->settings->controller_url) == 0)
		return;
	state_set(&s->token, NULL);
	state_set(&s->poll_url, NULL);
	state_set(&s->controller, NULL);
}

void
agent_start(struct agent *a, struct loop *loop, struct fetch_hub *hub,
    struct settings *settings, struct state *state, long port)
{
	struct deliver_hooks hooks = { agent_applied, agent_worker_changed,
		agent_worker_rests, a };

	*a = (struct agent){ .settings = settings, .loop = loop, .hub = hub,
		.state = state, .port = port, .at = AGENT_UNREGISTERED,
		.timer.fire = agent_fires };
	save_start(&a->save, loop, state, settings->state_file);
	agent_forget_stranger(a);
	if (state->id[0] == '\0') {
		token_uuid(state->id);
		save_now(&a->save);
	}
	deliver_start(&a->deliver, loop, hub, settings, &state->good, &hooks);
	wake_start(&a->wake, loop, settings, agent_hint, a);
	agent_happens(a, AGENT_TIMER);
}

void
agent_stop(struct agent *a)
{
	if (a->fetch != NULL)
		fetch_cancel(a->fetch);
	a->fetch = NULL;
	a->at = AGENT_STOPPED;
	wake_stop(&a->wake);
	loop_timer_stop(a->loop, &a->timer);
	deliver_stop(&a->deliver);
	save_stop(&a->save);
}

void
agent_hurry(struct agent *a)
{
	deliver_hurry(&a->deliver);
	agent_happens(a, AGENT_HURRY);
}

void
agent_resettle(struct agent *a, bool anew)
{
	if (a->at == AGENT_STOPPED)
		return;
	agent_forget_stranger(a);
	wake_stop(&a->wake);
	wake_start(&a->wake, a->loop, a->settings, agent_hint, a);
	if (anew)
		agent_happens(a, AGENT_ANEW);
	agent_hurry(a);
}

const char *
agent_word(const struct agent *a)
{
	if (a->at == AGENT_UNREGISTERED || a->at == AGENT_REGISTERING)
		return "registering";
	return a->why[0] != '\0' ? "failing" : "polling";
}
