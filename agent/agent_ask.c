/*
 * Asks the controller, and turns the end of a request into an event.
 */
#include "agent_inner.h"
#include "clock.h"


static struct ask
agent_ask(struct agent *a)
{
	return (struct ask){ a->hub, a->settings, a->state };
}

static struct ask_news
agent_ask_news(const struct agent *a)
{
	return (struct ask_news){ a->state->good.version,
		deliver_word(&a->deliver), a->deliver.why };
}

static void
agent_ask_ended(struct agent *a, struct answer *answer)
{
	a->fetch = NULL;
	a->status = answer->status;
	a->ends[a->at][answer->kind]++;
	if (answer->status != 0)
		a->last_answer = clock_wall();
	a->answer = answer;
	agent_happens(a, (enum agent_event)
	    (AGENT_GOOD + (int)answer->kind - ANSWER_GOOD));
	a->answer = NULL;
	answer_free(answer);
}

static void
agent_ask_registered(void *arg, const struct fetch_result *result)
{
	struct agent *a = arg;
	struct answer answer;

	answer_register(&answer, result, a->settings->controller_url);
	agent_ask_ended(a, &answer);
}

static void
agent_ask_polled(void *arg, const struct fetch_result *result)
{
	struct agent *a = arg;
	struct answer answer;

	answer_poll(&answer, result, a->conditional);
	agent_ask_ended(a, &answer);
}

static void
agent_ask_reported(void *arg, const struct fetch_result *result)
{
	struct answer answer;

	answer_report(&answer, result);
	agent_ask_ended(arg, &answer);
}

enum agent_at
agent_register(struct agent *a)
{
	struct ask ask = agent_ask(a);

	loop_timer_stop(a->loop, &a->timer);
	a->fetch = ask_register(&ask, a->port, agent_ask_registered, a);
	if (a->fetch == NULL)
		return agent_wait(a, AGENT_UNREGISTERED, agent_delay(a));
	a->retries += a->retry.failures > 0;
	return AGENT_REGISTERING;
}

enum agent_at
agent_poll(struct agent *a)
{
	struct ask ask = agent_ask(a);
	struct ask_news news = agent_ask_news(a);
	struct ask_poll poll = { .etag = a->deliver.newest.etag,
		.fresh = a->hurry || a->hinted };

	if (poll.etag[0] != '\0' && !a->plain && !a->hurry)
		poll.hold = a->wake.hold;
	loop_timer_stop(a->loop, &a->timer);
	a->conditional = poll.etag[0] != '\0';
	a->fresh = poll.fresh;
	a->hold = poll.hold;
	a->asked = loop_now(a->loop);
	a->fetch = ask_config(&ask, &news, &poll, agent_ask_polled, a);
	if (a->fetch == NULL)
		return agent_wait(a, AGENT_RETRYING, agent_delay(a));
	a->news = a->hurry = a->hinted = a->moved = a->plain = false;
	a->retries += a->retry.failures > 0;
	return AGENT_POLLING;
}

/* Where it cannot even begin, the next poll says most of it. */
enum agent_at
agent_report(struct agent *a)
{
	struct ask ask = agent_ask(a);
	struct ask_news news = agent_ask_news(a);

	a->fetch = ask_report(&ask, &news, agent_ask_reported, a);
	if (a->fetch == NULL)
		return AGENT_RESTING;
	a->report = false;
	loop_timer_stop(a->loop, &a->timer);
	return AGENT_REPORTING;
}
