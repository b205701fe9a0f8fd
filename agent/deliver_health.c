/*
 * How it stands with the worker: the word for the heartbeat, the reason, and
 * since when the worker is without what it should have.
 */
#include "deliver_inner.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

struct plan
deliver_plan(const struct deliver *d)
{
	return (struct plan){ .newest = &d->newest, .good = d->good,
		.confirmed = d->confirmed, .worker = &d->worker };
}

void
deliver_set_health(struct deliver *d, enum deliver_health health,
    const char *why)
{
	bool same = d->health == health && strcmp(d->why, why) == 0;
	bool first = d->health == DELIVER_UNKNOWN && health == DELIVER_OK;

	if (same)
		return;
	if (health != DELIVER_OK)
		log_warn("worker", "%s", why);
	else if (!first)
		log_info("worker", "answers and is up to date again");
	d->health = health;
	snprintf(d->why, sizeof(d->why), "%s", why);
	if (!first)
		d->hooks.changed(d->hooks.arg);
}

/* Since when the worker is without the newest configuration. */
void
deliver_note_lag(struct deliver *d)
{
	struct plan plan = deliver_plan(d);
	enum plan_step step = plan_step(&plan);
	bool lags = d->newest.version > 0 && (d->newest.refused ||
	    step == PLAN_ASK || step == PLAN_GIVE);

	if (!lags)
		d->lag_since = -1;
	else if (d->lag_since < 0)
		d->lag_since = loop_now(d->loop);
}

bool
deliver_healthy(const struct deliver *d)
{
	return d->lag_since < 0 || loop_now(d->loop) - d->lag_since <=
	    2 * d->settings->worker_check * 1000;
}

const char *
deliver_word(const struct deliver *d)
{
	static const char *const words[] = {
		[DELIVER_UNKNOWN] = "no-worker", [DELIVER_OK] = "ok",
		[DELIVER_FAILED] = "failed", [DELIVER_NO_WORKER] = "no-worker",
	};

	return words[d->health];
}
