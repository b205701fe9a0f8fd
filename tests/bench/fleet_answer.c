/*
 * What an answer means to an agent, and what it does next: as an agent of
 * ours would, down to its backoff. It registers
 * again after a 401, where it has tokens and the fleet's key.
 */
#include <stdio.h>
#include <string.h>

#include "fleet_run.h"
#include "retry.h"

enum {
	FLEET_CONFIRM = 5000,	/* ms: contract, 4.5 */
	FLEET_BACKOFF = 300000,	/* ms: BACKOFF_MAX_SECONDS of agents */
};

void
fleet_later(struct fleet *f, uint32_t who, int64_t ms)
{
	agents_wait(&f->agents, who, (uint32_t)(f->now / 1000 + ms));
}

static int64_t
fleet_interval(struct fleet *f)
{
	int64_t ms = f->opt.interval * 1000, part = ms * f->opt.jitter / 100;

	return ms - part + (int64_t)(fleet_chance(f) %
	    (uint64_t)(2 * part + 1));
}

/* After an answer: when it is due again. From when it was due, and not from
 * now: who is slow to answer is asked no less for it. */
static void
fleet_next(struct fleet *f, uint32_t who, int status, int64_t asked)
{
	struct agent *a = &f->agents.all[who];
	int64_t interval, confirm = f->opt.interval * 500;

	if (f->opt.interval == 0)
		return;
	if (a->hinted || (f->opt.hold > 0 && (status == 200 ||
	    f->now - asked > (f->opt.hold - 1) * FLEET_SECOND))) {
		fleet_later(f, who, 0);
	} else if (status == 200 && strcmp(f->opt.confirm, "on") == 0) {
		if (confirm > FLEET_CONFIRM)
			confirm = FLEET_CONFIRM;
		fleet_later(f, who, (int64_t)(fleet_chance(f) %
		    (uint64_t)confirm));
	} else {
		interval = fleet_interval(f);
		agents_wait(&f->agents, who, (uint32_t)(a->due + interval));
	}
}

static void
fleet_retry(struct fleet *f, uint32_t who)
{
	struct agent *a = &f->agents.all[who];
	struct retry r = { a->failures };

	if (f->opt.interval == 0)
		return;
	fleet_later(f, who, retry_next(&r, 1000, FLEET_BACKOFF,
	    fleet_chance(f)));
	if (a->failures < UINT8_MAX)
		a->failures++;
}

void
fleet_hint(struct fleet *f, uint32_t who)
{
	struct agent *a = &f->agents.all[who];
	int64_t spread = f->opt.spread * 1000;
	int64_t ms = (int64_t)(fleet_chance(f) % (uint64_t)(spread + 1));

	a->hinted = true;
	if (a->list != AGENT_ASKS)
		agents_move(&f->agents, who, (uint32_t)(f->now / 1000 + ms));
}

/* An agent has got a version. */
static void
fleet_got(struct fleet *f, uint32_t who, const char *etag)
{
	struct agent *a = &f->agents.all[who];
	long long old = f->ask.tags[a->tag].version, got;

	a->tag = ask_tag(&f->ask, etag);
	got = f->ask.tags[a->tag].version;
	if (a->tag == 0 && f->published > 0)
		fleet_tell(f, "a 200 had no ETag, or there were too many");
	if (f->published > 0 && old < f->version && got >= f->version) {
		count_add(&f->score.seen, f->now - f->published);
		f->behind--;
		fleet_second(f)->seen++;
	}
}

static void
fleet_timed(struct fleet *f, int64_t us)
{
	count_add(&f->moment, us);
	if (fleet_measures(f))
		count_add(&f->score.latency, us);
}

static void
fleet_counts(struct fleet *f, int status)
{
	struct fleet_second *s = fleet_second(f);
	struct fleet_score *all = &f->score;
	bool measures = fleet_measures(f);

	s->same += status == 304;
	s->changed += status == 200;
	s->refused += status != 304 && status != 200 && status != 0;
	s->failed += status == 0;
	all->polls += measures;
	all->same += measures && status == 304;
	all->changed += measures && status == 200;
	all->failed += measures && status == 0;
	if (status != 304 && status != 200 && status != 0 && measures) {
		all->refused++;
		all->status[status < 600 ? status : 0]++;
	}
	if (status == 0 && f->away == 0)
		f->away = f->at;
}

/* One that was not accepted is tried again a second later. */
static void
fleet_published(struct fleet *f, int status)
{
	if (status == 201) {
		count_add(&f->score.publish, f->now - f->published);
		f->score.published++;
		return;
	}
	f->score.unpublished++;
	f->version--;
	f->next_publish = f->now + FLEET_SECOND;
}

static void
fleet_first(struct fleet *f, int status, const char *etag)
{
	f->first = false;
	f->first_status = status;
	if (status != 200)
		return;
	for (uint32_t i = 0; i < f->agents.n; i++)
		f->agents.all[i].tag = ask_tag(&f->ask, etag);
	f->version = f->ask.tags[f->agents.all[0].tag].version;
}

void
fleet_registered(struct fleet *f, uint32_t who, int status, const char *body)
{
	struct agent *a = &f->agents.all[who];

	if (status != 200 || !ask_registered(&f->agents, who, body)) {
		fleet_counts(f, status);
		fleet_retry(f, who);
		return;
	}
	a->denied = false;
	f->score.registered++;
	if (f->opt.interval > 0)
		fleet_later(f, who, 0);
}

/* Registers at once, but with backoff when that did not help. */
static void
fleet_denied(struct fleet *f, uint32_t who)
{
	struct agent *a = &f->agents.all[who];
	bool first = a->failures == 0;

	a->denied = true;
	if (first && f->opt.interval > 0) {
		a->failures = 1;
		fleet_later(f, who, 0);
	} else
		fleet_retry(f, who);
}

void
fleet_answered(struct fleet *f, uint32_t who, int status, const char *etag,
    int64_t asked)
{
	if (f->first) {
		fleet_first(f, status, etag);
		return;
	}
	if (who == CONN_PUBLISH) {
		fleet_published(f, status);
		return;
	}
	fleet_counts(f, status);
	if (status != 200 && status != 304) {
		if (status == 401 && f->agents.sign != NULL &&
		    f->opt.agent_key != NULL)
			fleet_denied(f, who);
		else
			fleet_retry(f, who);
		return;
	}
	f->now = fleet_clock() - f->zero;
	if (f->opt.interval == 0)
		fleet_timed(f, f->now - asked);
	else if (f->opt.hold == 0)
		fleet_timed(f, f->now - f->agents.all[who].due * 1000LL);
	f->agents.all[who].failures = 0;
	if (status == 200)
		fleet_got(f, who, etag);
	fleet_next(f, who, status, asked);
}

void
fleet_failed(struct fleet *f, uint32_t who)
{
	if (f->first) {
		fleet_first(f, 0, "");
	} else if (who == CONN_PUBLISH) {
		fleet_published(f, 0);
	} else {
		fleet_counts(f, 0);
		fleet_retry(f, who);
	}
}
