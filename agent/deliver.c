/*
 * Delivery. The worker is asked before it is told whenever there is doubt
 * (at the start, after any failure, at every check), so that a lost answer
 * never makes it apply a version twice, and a worker that restarted is found.
 * An older configuration that is under way is waited for, not overtaken.
 * It never saves and never talks to the controller: hooks tell who does.
 */
#include "deliver_inner.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "tell.h"
#include "token.h"

enum {
	DELIVER_BASE = 1000,	/* ms, of the backoff */
};

enum deliver_event {
	DELIVER_TIMER,
	DELIVER_TOLD, DELIVER_APPLIED, DELIVER_REFUSED, DELIVER_UNHELPFUL,
	DELIVER_SILENT,		/* in the order of enum ack_kind */
	DELIVER_OFFERED,
	DELIVER_HURRY,
	DELIVER_LOOK,
	DELIVER_EVENTS
};

static void deliver_happens(struct deliver *, enum deliver_event);

/* Up to a tenth early, never late: a check is a promise. */
static int64_t
deliver_check_ms(const struct deliver *d)
{
	int64_t ms = d->settings->worker_check * 1000;

	return ms - (int64_t)(token_chance() % (uint64_t)(ms / 10));
}

static enum deliver_at
deliver_sleep(struct deliver *d, int64_t ms)
{
	struct plan plan = deliver_plan(d);
	int64_t now = loop_now(d->loop);

	d->check_due = now + ms;
	if (plan_step(&plan) == PLAN_GIVE && d->give_due - now < ms)
		ms = d->give_due > now ? d->give_due - now : 0;
	loop_timer_start(d->loop, &d->timer, ms);
	return DELIVER_RESTING;
}

static enum deliver_at
deliver_rest(struct deliver *d)
{
	return deliver_sleep(d, deliver_check_ms(d));
}

/* A worker that does not answer is asked again within a check's time. */
static enum deliver_at
deliver_rest_unasked(struct deliver *d)
{
	d->worker.known = false;
	return deliver_sleep(d, retry_next(&d->asks, DELIVER_BASE,
	    d->settings->worker_check * 1000, token_chance()));
}

static void
deliver_ended(struct deliver *d, struct ack *ack)
{
	d->fetch = NULL;
	d->ends[d->at][ack->kind]++;
	if (ack->kind != ACK_SILENT)
		d->last_answer = clock_wall();
	d->ack = ack;
	deliver_happens(d, (enum deliver_event)
	    (DELIVER_TOLD + (int)ack->kind - ACK_TOLD));
	d->ack = NULL;
}

static void
deliver_asked(void *arg, const struct fetch_result *result)
{
	struct ack ack;

	ack_state(&ack, result);
	deliver_ended(arg, &ack);
}

static void
deliver_gave(void *arg, const struct fetch_result *result)
{
	struct deliver *d = arg;
	struct ack ack;

	ack_config(&ack, result, d->giving.version);
	deliver_ended(d, &ack);
}

static enum deliver_at
deliver_ask(struct deliver *d)
{
	d->again = false;
	d->fetch = tell_state(d->hub, d->settings, deliver_asked, d);
	return d->fetch != NULL ? DELIVER_ASKING : deliver_rest_unasked(d);
}

static enum deliver_at
deliver_ask_later(struct deliver *d)
{
	d->again = true;
	return d->at;
}

static enum deliver_at
deliver_give(struct deliver *d, const struct config *wanted)
{
	if (config_copy(&d->giving, wanted))
		d->fetch = tell_config(d->hub, d->settings, &d->giving,
		    deliver_gave, d);
	if (d->fetch == NULL)
		return deliver_rest_unasked(d);
	log_debug("worker", "version %lld is given", wanted->version);
	d->retries += d->gives.failures > 0;
	return DELIVER_GIVING;
}

/* The worker has c: news when it is not what was acknowledged last. */
static void
deliver_acknowledged(struct deliver *d, const struct config *c)
{
	if (config_same(c, d->good) && strcmp(c->etag, d->good->etag) == 0)
		return;
	log_info("worker", "version %lld applied", c->version);
	d->hooks.applied(d->hooks.arg, c);
}

static enum deliver_at
deliver_consider(struct deliver *d)
{
	struct plan plan = deliver_plan(d);
	const struct config *wanted = plan_wanted(&plan);

	switch (plan_step(&plan)) {
	case PLAN_ASK:	/* the timer that will ask runs */
		return d->at;
	case PLAN_GIVE:
		if (loop_now(d->loop) < d->give_due)
			return deliver_rest(d);
		return deliver_give(d, wanted);
	case PLAN_HELD:
		deliver_acknowledged(d, wanted);
		break;
	case PLAN_REST:
		break;
	}
	if (d->newest.refused)
		deliver_set_health(d, DELIVER_FAILED, d->refusal);
	else
		deliver_set_health(d, DELIVER_OK, "");
	return deliver_rest(d);
}

/* Another process than before: what was said to the last one is void. */
static void
deliver_meet(struct deliver *d)
{
	if (d->worker.instance[0] != '\0') {
		log_info("worker", "has restarted; it has version %lld",
		    d->ack->version);
		d->restarts++;
	}
	d->give_due = 0;
	retry_reset(&d->gives);
	if (d->newest.locked)
		d->newest.refused = d->newest.locked = false;
	if (d->good->locked)
		d->good->refused = d->good->locked = false;
}

static enum deliver_at
deliver_told(struct deliver *d)
{
	if (strcmp(d->ack->instance, d->worker.instance) != 0)
		deliver_meet(d);
	d->worker.known = true;
	d->worker.version = d->ack->version;
	memcpy(d->worker.instance, d->ack->instance, ACK_INSTANCE);
	memcpy(d->worker.etag, d->ack->etag, CONFIG_ETAG);
	retry_reset(&d->asks);
	return deliver_consider(d);
}

static enum deliver_at
deliver_unasked(struct deliver *d)
{
	char why[sizeof(d->why)];

	if (d->ack->kind == ACK_SILENT)
		snprintf(why, sizeof(why), "no worker at %.150s: %.300s",
		    d->settings->worker_url, d->ack->why);
	else
		snprintf(why, sizeof(why), "%s", d->ack->why);
	deliver_set_health(d, d->ack->kind == ACK_SILENT ?
	    DELIVER_NO_WORKER : DELIVER_FAILED, why);
	return deliver_rest_unasked(d);
}

static enum deliver_at
deliver_applied(struct deliver *d)
{
	d->worker.version = d->giving.version;
	memcpy(d->worker.etag, d->giving.etag, CONFIG_ETAG);
	retry_reset(&d->gives);
	d->give_due = 0;
	deliver_acknowledged(d, &d->giving);
	return deliver_consider(d);
}

static enum deliver_at
deliver_refused(struct deliver *d)
{
	struct config *both[] = { &d->newest, d->good };

	for (int i = 0; i < 2; i++)
		if (config_same(both[i], &d->giving)) {
			both[i]->refused = true;
			both[i]->locked = d->ack->locked;
		}
	if (config_same(&d->newest, &d->giving))
		snprintf(d->refusal, sizeof(d->refusal), "%s", d->ack->why);
	return deliver_consider(d);
}

/* Tried again with backoff; a newer configuration does not wait for it. */
static void
deliver_put_off(struct deliver *d)
{
	struct plan plan = deliver_plan(d);
	const struct config *wanted = plan_wanted(&plan);
	int64_t ms = retry_next(&d->gives, DELIVER_BASE,
	    d->settings->backoff_max * 1000, token_chance());

	if (d->ack->retry_after * 1000 > ms)
		ms = d->ack->retry_after * 1000;
	d->give_due = wanted != NULL && config_same(&d->giving, wanted) ?
	    loop_now(d->loop) + ms : 0;
}

static enum deliver_at
deliver_ungiven(struct deliver *d)
{
	deliver_put_off(d);
	if (d->ack->kind == ACK_SILENT)
		return deliver_unasked(d);
	deliver_set_health(d, DELIVER_FAILED, d->ack->why);
	return deliver_consider(d);
}

static enum deliver_at (*const deliver_table[DELIVER_ATS][DELIVER_EVENTS])
    (struct deliver *) = {
	[DELIVER_RESTING] = {
		[DELIVER_TIMER] = deliver_ask,
		[DELIVER_OFFERED] = deliver_consider,
		[DELIVER_HURRY] = deliver_ask,
		[DELIVER_LOOK] = deliver_ask,
	},
	[DELIVER_ASKING] = {
		[DELIVER_TOLD] = deliver_told,
		[DELIVER_UNHELPFUL] = deliver_unasked,
		[DELIVER_SILENT] = deliver_unasked,
		[DELIVER_LOOK] = deliver_ask_later,
	},
	[DELIVER_GIVING] = {
		[DELIVER_APPLIED] = deliver_applied,
		[DELIVER_REFUSED] = deliver_refused,
		[DELIVER_UNHELPFUL] = deliver_ungiven,
		[DELIVER_SILENT] = deliver_ungiven,
		[DELIVER_LOOK] = deliver_ask_later,
	},
};

static void
deliver_happens(struct deliver *d, enum deliver_event event)
{
	if (deliver_table[d->at][event] != NULL)
		d->at = deliver_table[d->at][event](d);
	if (d->at == DELIVER_RESTING && d->again)
		d->at = deliver_ask(d);
	if (d->at != DELIVER_STOPPED)
		deliver_note_lag(d);
	if (d->at == DELIVER_RESTING)
		d->hooks.rests(d->hooks.arg);
}

static void
deliver_fires(struct loop_timer *timer)
{
	deliver_happens(LOOP_OF(struct deliver, timer, timer), DELIVER_TIMER);
}

void
deliver_start(struct deliver *d, struct loop *loop, struct fetch_hub *hub,
    const struct settings *settings, struct config *good,
    const struct deliver_hooks *hooks)
{
	*d = (struct deliver){ .settings = settings, .loop = loop, .hub = hub,
		.good = good, .hooks = *hooks, .at = DELIVER_RESTING,
		.timer.fire = deliver_fires, .lag_since = -1 };
	config_copy(&d->newest, good);	/* or the controller is asked anew */
	deliver_happens(d, DELIVER_TIMER);
}

void
deliver_stop(struct deliver *d)
{
	if (d->fetch != NULL)
		fetch_cancel(d->fetch);
	d->fetch = NULL;
	loop_timer_stop(d->loop, &d->timer);
	config_free(&d->newest);
	config_free(&d->giving);
	d->at = DELIVER_STOPPED;
}

void
deliver_offer(struct deliver *d, struct config *newest)
{
	config_move(&d->newest, newest);
	d->confirmed = true;
	d->give_due = 0;
	retry_reset(&d->gives);
	deliver_happens(d, DELIVER_OFFERED);
}

void
deliver_confirm(struct deliver *d)
{
	if (d->confirmed)
		return;
	d->confirmed = true;
	deliver_happens(d, DELIVER_OFFERED);
}

void
deliver_hurry(struct deliver *d)
{
	d->newest.refused = d->newest.locked = false;
	d->good->refused = d->good->locked = false;
	d->give_due = 0;
	deliver_happens(d, DELIVER_HURRY);
}

void
deliver_anew(struct deliver *d)
{
	if (d->at == DELIVER_STOPPED)
		return;
	if (d->fetch != NULL)
		fetch_cancel(d->fetch);
	d->fetch = NULL;
	d->worker = (struct plan_worker){ .known = false };
	retry_reset(&d->asks);
	retry_reset(&d->gives);
	d->at = DELIVER_RESTING;
	deliver_hurry(d);
}

void
deliver_look(struct deliver *d)
{
	deliver_happens(d, DELIVER_LOOK);
}
