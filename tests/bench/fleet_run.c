/*
 * One thread and epoll(7). Time is microseconds since the start of the
 * warmth; agents are due at whole milliseconds.
 */
#include "fleet_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "fleet_id.h"

enum {
	FLEET_EVENTS = 512,	/* a turn */
	FLEET_NAP = 100,	/* us */
};

int64_t
fleet_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * FLEET_SECOND + now.tv_nsec / 1000;
}

uint64_t
fleet_chance(struct fleet *f)
{
	return id_mix((uint64_t)f->chance++);
}

void
fleet_tell(struct fleet *f, const char *what)
{
	if (!f->told)
		fprintf(stderr, "fleet: %s\n", what);
	f->told = true;
}

bool
fleet_measures(const struct fleet *f)
{
	return f->begun > 0;
}

struct fleet_second *
fleet_second(struct fleet *f)
{
	return &f->second[f->at];
}

/* Gives what epoll(7) has, after `us` at most. How many; -1: it failed. */
static int
fleet_collect(struct fleet *f, int64_t us)
{
	struct epoll_event events[FLEET_EVENTS];
	struct timespec wait = { .tv_nsec = us * 1000 };
	int n = epoll_pwait2(f->epoll, events, FLEET_EVENTS, &wait, NULL);

	if (n < 0 && errno != EINTR) {
		perror("fleet: epoll_pwait2");
		return -1;
	}
	f->now = fleet_clock() - f->zero;
	for (int i = 0; i < n; i++) {
		uint32_t number = (uint32_t)events[i].data.u64;

		if ((events[i].data.u64 & WAKE_MARK) != 0)
			wakes_event(f, number);
		else if ((events[i].data.u64 & H2_MARK) != 0)
			h2_event(f, number, events[i].events);
		else
			conns_event(f, number, events[i].events);
	}
	return n > 0 ? n : 0;
}

/* Waits about `us`, and once all have asked not in epoll(7): to be woken for
 * each answer would cost more than the answer, both here and in whoever is
 * measured, who would pay for the wake-up. So agents with an interval are
 * looked after once a millisecond; those without one, whenever there is an
 * answer, and after a short sleep when there was none. */
static bool
fleet_wait(struct fleet *f, int64_t us)
{
	struct timespec rest = { .tv_nsec = us * 1000 };
	int n;

	h2_flush(f);
	if (f->first)
		return fleet_collect(f, us) >= 0;
	if (f->opt.interval == 0) {
		n = fleet_collect(f, 0);
		if (n != 0)
			return n > 0;
		rest.tv_nsec = FLEET_NAP * 1000;
	}
	nanosleep(&rest, NULL);
	do
		n = fleet_collect(f, 0);
	while (n == FLEET_EVENTS);
	return n >= 0;
}

/* Whoever is due asks, as far as there are connections. */
static void
fleet_asks(struct fleet *f)
{
	uint32_t room = f->conns.idles;

	if (f->opt.interval > 0)
		agents_turn(&f->agents, (uint32_t)(f->now / 1000));
	for (; room > 0; room--) {
		uint32_t who = f->opt.interval > 0 ? agents_take(&f->agents) :
		    f->turn++ % f->agents.n;

		if (who == AGENT_NONE)
			break;
		fleet_second(f)->begun++;
		conns_ask(f, who);
		f->agents.all[who].hinted = false;
	}
}

static void
fleet_publishes(struct fleet *f)
{
	if (f->next_publish == 0 || f->now < f->next_publish ||
	    !conns_publish(f))
		return;
	f->next_publish = f->opt.publish_every == 0 ? 0 :
	    f->next_publish + f->opt.publish_every * FLEET_SECOND;
	f->published = f->now;
	f->version++;
	f->behind = f->agents.n;
}

static void
fleet_looks(struct fleet *f)
{
	struct proc_use *most = &f->score.most, *last = &f->score.last, use;
	struct fleet_second *s = fleet_second(f);
	int64_t patience = f->opt.timeout + f->opt.hold, own = proc_own_us();

	conns_overdue(f, f->now - patience * FLEET_SECOND);
	s->waits = f->agents.waits;
	s->own_us = (uint32_t)(own - f->score.own_last);
	f->score.own_last = own;
	if (f->opt.pid == 0)
		return;
	proc_look(f->opt.pid, &use);
	s->server_us = (uint32_t)(use.server_us - last->server_us);
	s->others_us = (uint32_t)(use.others_us - last->others_us);
	*last = use;
	if (use.server_kib + use.others_kib >
	    most->server_kib + most->others_kib)
		*most = use;
}

/* The warmth is over. */
static void
fleet_measure(struct fleet *f)
{
	if (f->begun > 0 || f->now < f->opt.warm * FLEET_SECOND)
		return;
	f->begun = f->now + 1;
	f->score.own_us = proc_own_us();
	proc_look(f->opt.pid, &f->score.use);
}

static void
fleet_end(struct fleet *f)
{
	struct proc_use *start = &f->score.use, use;

	fleet_looks(f);
	proc_look(f->opt.pid, &use);
	start->server_us = use.server_us - start->server_us;
	start->others_us = use.others_us - start->others_us;
	f->score.own_us = proc_own_us() - f->score.own_us;
	f->score.us = f->now - f->begun;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void
fleet_ticks(struct fleet *f)
{
	uint32_t at = (uint32_t)(f->now / FLEET_SECOND);
	struct fleet_second *s = fleet_second(f);

	if (at == f->at || at >= f->seconds)
		return;
	s->p50 = (uint32_t)count_within(&f->moment, 0.5);
	s->p99 = (uint32_t)count_within(&f->moment, 0.99);
	s->max = (uint32_t)f->moment.max;
	count_reset(&f->moment);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%6ld s  %8u polls/s  p99 %.1f ms  "
		    "%" PRIu64 " refused, %" PRIu64 " failed  %u behind  ",
		    (long)f->at - f->opt.warm, s->same + s->changed,
		    s->p99 / 1e3, f->score.refused, f->score.failed,
		    f->published > 0 ? f->behind : 0);
	fleet_looks(f);
	f->at = at;
}

/* One poll, to see whether there is a controller, and what is published. */
static bool
fleet_begin(struct fleet *f)
{
	f->zero = fleet_clock();
	f->now = 0;
	f->first = true;
	f->at = 0;
	conns_ask(f, 0);
	while (f->first && f->now < f->opt.timeout * FLEET_SECOND)
		if (!fleet_wait(f, 100000))
			return false;
	if (f->first_status == 200) {
		fprintf(stderr, "fleet: %s/config has version %lld\n",
		    f->opt.url, f->version);
		return true;
	}
	fprintf(stderr, f->first_status == 0 ? "fleet: %s/config does not "
	    "answer\n" : "fleet: %s/config answers %d to an agent\n",
	    f->opt.url, f->first_status);
	return false;
}

bool
fleet_run(struct fleet *f)
{
	int64_t end = f->seconds * (int64_t)FLEET_SECOND;
	bool seen = strcmp(f->opt.until, "seen") == 0, good = true;

	proc_look(f->opt.pid, &f->score.rest);
	f->score.last = f->score.rest;
	f->score.own_last = proc_own_us();
	if (!fleet_begin(f) || !wakes_open(f))
		return false;
	f->zero = fleet_clock();
	f->now = 0;
	f->next_publish = f->opt.publish_at == 0 ? 0 :
	    (f->opt.warm + f->opt.publish_at) * FLEET_SECOND;
	for (uint32_t i = 0; i < f->agents.n && f->opt.interval > 0; i++)
		fleet_later(f, i, (int64_t)(fleet_chance(f) %
		    ((uint64_t)(f->opt.hold > 0 && f->opt.warm > 0 ?
		    f->opt.warm : f->opt.interval) * 1000)));
	while (good && f->now < end && !(seen && f->published > 0 &&
	    f->behind == 0 && f->score.published > 0)) {
		fleet_measure(f);
		fleet_ticks(f);
		fleet_publishes(f);
		fleet_asks(f);
		good = fleet_wait(f, 1000 - f->now % 1000);
	}
	fleet_end(f);
	return good;
}
