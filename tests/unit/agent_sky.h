#ifndef AGENT_SKY_H
#define AGENT_SKY_H
/*
 * The world of the agent's tests: everything that it touches is a fake of
 * this file, which is included behind the .c it tests.
 */
#undef ask_register
#undef ask_config
#undef ask_report

enum {
	SKY_AGENTS = 1000, SKY_ASKED = 400000, SKY_LATENCY = 20,	/* ms */
};

enum sky_kind { SKY_REGISTER, SKY_POLL, SKY_REPORT };

enum sky_manner {
	SKY_WELL, SKY_GONE, SKY_503, SKY_401_POLLS, SKY_401_REGISTERS,
	SKY_404_POLLS, SKY_503_REPORTS, SKY_400_HELD, SKY_401_503,
};

struct sky_agent {
	struct agent agent;
	struct state state;
	struct deliver_hooks hooks;
	struct loop_timer *timer;
	int64_t timer_due, fetch_due;
	ask_done *done;
	enum sky_kind kind;
	bool polled, matches, held;
};

static struct {
	uint64_t seed;
	int64_t now, restarted, applied_at;
	struct sky_agent *agents;
	int running;
	/* the controller */
	enum sky_manner manner;
	long long version;
	long interval, retry_after;
	const char *token;
	bool holds;
	/* what it was asked */
	struct {
		int64_t at;
		enum sky_kind kind;
		long long applied;
		char etag[16], word[16];
		bool fresh, first;
		long hold;
	} *asked;
	size_t count;
} sky;

static struct settings settings;

static uint64_t
sky_chance(void)	/* splitmix64 */
{
	uint64_t z = sky.seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t
sky_now(const struct loop *loop)
{
	(void)loop;
	return sky.now;
}

static bool
sky_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
	struct sky_agent *s = LOOP_OF(struct sky_agent, agent.timer, timer);

	(void)loop;
	s->timer = timer;
	s->timer_due = sky.now + ms;
	return true;
}

static void
sky_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	LOOP_OF(struct sky_agent, agent.timer, timer)->timer = NULL;
}

static void
sky_cancel(struct fetch *fetch)
{
	((struct sky_agent *)(void *)fetch)->done = NULL;
}

static struct fetch *
sky_ask(void *arg, enum sky_kind kind, const struct ask_news *news,
    const char *etag, bool fresh, ask_done *done)
{
	struct sky_agent *s = LOOP_OF(struct sky_agent, agent,
	    (struct agent *)arg);

	CHECK(s->done == NULL);	/* one at a time */
	CHECK(sky.count < SKY_ASKED);
	sky.asked[sky.count].at = sky.now;
	sky.asked[sky.count].kind = kind;
	sky.asked[sky.count].fresh = fresh;
	sky.asked[sky.count].first = !s->polled;
	sky.asked[sky.count].applied = news != NULL ? news->applied : 0;
	snprintf(sky.asked[sky.count].word, 16, "%s",
	    news != NULL ? news->word : "");
	snprintf(sky.asked[sky.count].etag, 16, "%s", etag);
	sky.count++;
	s->polled |= kind == SKY_POLL;
	s->kind = kind;
	s->done = done;
	s->fetch_due = sky.now + SKY_LATENCY;
	return (struct fetch *)(void *)s;
}

static struct fetch *
sky_register(const struct ask *ask, long port, ask_done *done, void *arg)
{
	CHECK(token_is_uuid(ask->state->id));
	(void)port;
	return sky_ask(arg, SKY_REGISTER, NULL, "", false, done);
}

static struct fetch *
sky_config(const struct ask *ask, const struct ask_news *news,
    const struct ask_poll *poll, ask_done *done, void *arg)
{
	struct sky_agent *s = LOOP_OF(struct sky_agent, agent,
	    (struct agent *)arg);
	struct fetch *fetch;

	CHECK(ask->state->poll_url != NULL);
	s->matches = poll->etag[0] == '"' &&
	    atoll(poll->etag + 1) == sky.version;
	fetch = sky_ask(arg, SKY_POLL, news, poll->etag, poll->fresh, done);
	sky.asked[sky.count - 1].hold = poll->hold;
	s->held = poll->hold > 0;
	if (s->matches && s->held && sky.holds)
		s->fetch_due += poll->hold * 1000;
	return fetch;
}

static struct fetch *
sky_report(const struct ask *ask, const struct ask_news *news, ask_done *done,
    void *arg)
{
	CHECK(ask->state->token != NULL);
	return sky_ask(arg, SKY_REPORT, news, "", false, done);
}

static void
sky_save_start(struct save *save, struct loop *loop, struct state *state,
    const char *path)
{
	(void)loop, (void)path;
	save->state = state;
}

static void
sky_save_now(struct save *save)
{
	(void)save;
}

static void
sky_deliver_start(struct deliver *d, struct loop *loop,
    struct fetch_hub *hub, const struct settings *s, struct config *good,
    const struct deliver_hooks *hooks)
{
	(void)loop, (void)hub, (void)s;
	memset(d, 0, sizeof(*d));
	config_copy(&d->newest, good);
	d->health = DELIVER_OK;
	LOOP_OF(struct sky_agent, agent.deliver, d)->hooks = *hooks;
}

static void
sky_deliver_stop(struct deliver *d)
{
	config_free(&d->newest);
}

static void
sky_deliver_offer(struct deliver *d, struct config *c)
{
	config_move(&d->newest, c);
}

static void
sky_deliver_confirm(struct deliver *d)
{
	d->confirmed = true;
}

static void
sky_deliver_hurry(struct deliver *d)
{
	(void)d;
}

/* The worker acknowledges what it was last offered. */
static void
sky_apply(int i)
{
	struct sky_agent *s = &sky.agents[i];

	sky.applied_at = sky.now;
	s->hooks.applied(s->hooks.arg, &s->agent.deliver.newest);
}

static void
sky_health(int i, enum deliver_health health)
{
	struct sky_agent *s = &sky.agents[i];

	s->agent.deliver.health = health;
	snprintf(s->agent.deliver.why, sizeof(s->agent.deliver.why), "%s",
	    health == DELIVER_OK ? "" : "something");
	s->hooks.changed(s->hooks.arg);
}

static const char *
sky_header(const struct fetch *fetch, const char *name)
{
	static char text[64];

	(void)fetch;
	if (strcmp(name, "Content-Type") == 0)
		return "application/json";
	if (strcmp(name, "Retry-After") == 0 && sky.retry_after > 0)
		snprintf(text, sizeof(text), "%ld", sky.retry_after);
	else if (strcmp(name, "X-Poll-Interval-Seconds") == 0)
		snprintf(text, sizeof(text), "%ld", sky.interval);
	else if (strcmp(name, "ETag") == 0)
		snprintf(text, sizeof(text), "\"%lld\"", sky.version);
	else
		return NULL;
	return text;
}

static int
sky_status(const struct sky_agent *s)
{
	if (sky.manner == SKY_503 ||
	    (sky.manner == SKY_401_503 && s->kind == SKY_REGISTER) ||
	    (sky.manner == SKY_503_REPORTS && s->kind == SKY_REPORT))
		return 503;
	if (((sky.manner == SKY_401_POLLS || sky.manner == SKY_401_503) &&
	    s->kind == SKY_POLL) ||
	    (sky.manner == SKY_401_REGISTERS && s->kind == SKY_REGISTER))
		return 401;
	if (sky.manner == SKY_400_HELD && s->kind == SKY_POLL && s->held)
		return 400;
	if (sky.manner == SKY_404_POLLS && s->kind == SKY_POLL)
		return 404;
	if (s->kind == SKY_REPORT)
		return 204;
	return s->kind == SKY_POLL && s->matches ? 304 : 200;
}

static void
sky_answer(struct sky_agent *s)
{
	struct buf body = BUF_INIT(4096);
	struct fetch_result r = { .end = FETCH_DONE, .detail = "",
		.header = sky_header, .body = &body };
	ask_done *done = s->done;

	if (sky.manner == SKY_GONE) {
		r.end = FETCH_UNREACHABLE;
		r.detail = "gone";
	} else {
		r.status = sky_status(s);
	}
	if (r.status == 200 && s->kind == SKY_REGISTER)
		buf_printf(&body, "{\"agent_id\":\"%s\",\"poll_url\":"
		    "\"/config\",\"poll_interval_seconds\":%ld,"
		    "\"token\":%s%s%s}", s->state.id, sky.interval,
		    sky.token != NULL ? "\"" : "", sky.token != NULL ?
		    sky.token : "null", sky.token != NULL ? "\"" : "");
	else if (r.status == 200)
		buf_printf(&body, "{\"version\":%lld,\"data\":{},"
		    "\"poll_interval_seconds\":%ld}", sky.version,
		    sky.interval);
	s->done = NULL;
	done(&s->agent, &r);
	buf_free(&body);
}

/* Seconds pass; version > 0 is published first, -1 empties. */
static void
sky_run(long long version, int seconds)
{
	int64_t until = sky.now + seconds * INT64_C(1000);

	if (version != 0)
		sky.version = version > 0 ? version : 0;
	for (;;) {
		struct sky_agent *next = NULL;
		int64_t due = until;
		bool fetch = false;

		for (int i = 0; i < sky.running; i++) {
			struct sky_agent *s = &sky.agents[i];

			if (s->done != NULL && s->fetch_due < due) {
				due = s->fetch_due;
				next = s;
				fetch = true;
			}
			if (s->timer != NULL && s->timer_due < due) {
				due = s->timer_due;
				next = s;
				fetch = false;
			}
		}
		sky.now = due;
		if (next == NULL)
			return;
		if (fetch) {
			sky_answer(next);
		} else {
			struct loop_timer *timer = next->timer;

			next->timer = NULL;
			timer->fire(timer);
		}
	}
}

static void
sky_start(void)
{
	for (int i = 0; i < sky.running; i++)
		agent_start(&sky.agents[i].agent, NULL, NULL, &settings,
		    &sky.agents[i].state, 8081);
}

static void
sky_begin(int agents)
{
	static struct sky_agent all[SKY_AGENTS];

	for (int i = 0; i < sky.running; i++) {
		agent_stop(&all[i].agent);
		state_free(&all[i].state);
	}
	free(sky.asked);
	memset(&sky, 0, sizeof(sky));
	memset(all, 0, sizeof(all));
	sky.asked = malloc(SKY_ASKED * sizeof(*sky.asked));
	sky.agents = all;
	sky.running = agents;
	sky.interval = 30;
	settings.controller_url = (char *)(uintptr_t)"http://controller";
	settings.backoff_max = 60;
	log_setup("error", "text");
	sky_start();
}

/* All of them at once, with what they had applied. */
static void
sky_restart(void)
{
	for (int i = 0; i < sky.running; i++) {
		sky_apply(i);
		agent_stop(&sky.agents[i].agent);
		sky.agents[i].done = NULL;
		sky.agents[i].timer = NULL;
		sky.agents[i].polled = false;
	}
	sky.count = 0;
	sky.restarted = sky.now;
	sky_start();
}

static size_t
sky_count(enum sky_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < sky.count; i++)
		n += sky.asked[i].kind == kind;
	return n;
}

#endif
