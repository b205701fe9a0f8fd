/*
 * Polls: what is followed, what is only noted, and when to ask again. An
 * answer that is no configuration changes nothing but the time of the next
 * question: the last good one stays.
 */
#include "agent_inner.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

enum { AGENT_LOST = 4 };	/* polls gone astray, then it registers */

static enum agent_at
agent_follow_rest(struct agent *a)
{
	agent_wait(a, AGENT_RESTING, agent_pause(a));
	if (a->report && a->state->token != NULL)
		return agent_report(a);
	return AGENT_RESTING;
}

static void
agent_follow_config(struct agent *a)
{
	struct config *had = &a->deliver.newest, *got = &a->answer->config;

	if (config_same(got, had)) {
		deliver_confirm(&a->deliver);
		return;
	}
	if (got->version == 0)
		log_info("controller", "nothing is published yet");
	else if (got->version < had->version)
		log_warn("controller", "version %lld after %lld: it was "
		    "restored; following", got->version, had->version);
	else if (got->version == had->version)
		log_warn("controller", "version %lld is another than before; "
		    "following", got->version);
	else
		log_info("controller", "version %lld received", got->version);
	a->moved = true;
	deliver_offer(&a->deliver, got);
}

enum agent_at
agent_changed(struct agent *a)
{
	long long had = a->deliver.newest.version;
	char why[WORDS_MAX];

	agent_note_interval(a);
	a->polled = true;
	if (a->answer->config.version == 0 && had > 0) {
		retry_reset(&a->retry);
		snprintf(why, sizeof(why), "it has no configuration (version "
		    "0); version %lld stays", had);
		agent_note_failure(a, "poll", why);
	} else {
		agent_note_success(a);
		agent_follow_config(a);
	}
	return agent_follow_rest(a);
}

enum agent_at
agent_unchanged(struct agent *a)
{
	agent_note_success(a);
	agent_note_interval(a);
	a->polled = true;
	deliver_confirm(&a->deliver);
	return agent_follow_rest(a);
}

/* poll_url leads nowhere for good? Registering gives another. */
enum agent_at
agent_poll_failed(struct agent *a)
{
	int status = a->answer->status;
	int64_t ms = agent_delay(a);

	agent_note_failure(a, "poll", a->answer->why);
	a->unheld += a->hold > 0;
	a->plain = a->unheld > 0;
	a->hinted |= a->fresh;
	if (a->hurry)
		ms = 0;
	if ((status == 404 || status == 410 || status / 100 == 3) &&
	    a->retry.failures % AGENT_LOST == 0) {
		a->denied = true;
		return agent_wait(a, AGENT_UNREGISTERED, ms);
	}
	return agent_wait(a, AGENT_RETRYING, ms);
}

/* Registers again: at once, but with backoff when that did not help. */
enum agent_at
agent_denied(struct agent *a)
{
	int64_t ms = agent_delay(a);

	agent_note_failure(a, "poll", a->answer->why);
	state_set(&a->state->token, NULL);
	a->registered = false;
	a->denied = true;
	a->hinted |= a->fresh;
	if (a->retry.failures <= 1 && a->answer->retry_after < 0)
		return agent_register(a);
	return agent_wait(a, AGENT_UNREGISTERED, ms);
}

/* A report that got lost goes with the next poll that goes well. */
enum agent_at
agent_reported(struct agent *a)
{
	int64_t left = a->poll_due - loop_now(a->loop);
	int status = a->answer->status;
	bool good = a->answer->kind == ANSWER_GOOD, again = a->report && good;

	if (!good && (status == 0 || status == 429 || status >= 500))
		a->report = true;
	if (a->hurry || a->hinted || left < 0)
		left = 0;
	agent_wait(a, AGENT_RESTING, left);
	return again ? agent_report(a) : AGENT_RESTING;
}
