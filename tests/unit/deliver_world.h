#ifndef DELIVER_WORLD_H
#define DELIVER_WORLD_H
/*
 * The world of tests/unit/deliver.c: everything that delivery touches is a
 * fake of this file, which is included behind the .c it tests.
 */
enum manner {
	MANNER_WELL, MANNER_GONE, MANNER_500, MANNER_LOST, MANNER_CUT,
	MANNER_LIES, MANNER_NOISE, MANNER_400, MANNER_403, MANNERS
};

static struct {
	uint64_t seed;
	int64_t now, timer_due, fetch_due;
	struct loop_timer *timer;
	tell_done *done;
	void *arg;
	bool posted;
	struct config post;
	/* the worker */
	enum manner manner;
	int instance, asks, posts, applies;
	long long version, twice, backwards, zeroes;
	char etag[CONFIG_ETAG];
	/* the agent */
	struct deliver deliver;
	struct config good, disk, newest;
	bool doomed, die_unsaved;
	int changes;
} w;

static struct settings settings;

static uint64_t
world_chance(void)	/* splitmix64 */
{
	uint64_t z = w.seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool
one_in(unsigned n)
{
	return world_chance() % n == 0;
}

static int64_t
world_now(const struct loop *loop)
{
	(void)loop;
	return w.now;
}

static bool
world_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
	(void)loop;
	w.timer = timer;
	w.timer_due = w.now + ms;
	return true;
}

static void
world_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	(void)timer;
	w.timer = NULL;
}

static void
world_cancel(struct fetch *fetch)
{
	(void)fetch;
	w.done = NULL;
}

static struct fetch *
world_request(tell_done *done, void *arg)
{
	CHECK(w.done == NULL);	/* one at a time */
	w.done = done;
	w.arg = arg;
	w.fetch_due = w.now + 1 + (int64_t)(world_chance() % 50);
	return (struct fetch *)(void *)&w;
}

static struct fetch *
world_state(struct fetch_hub *hub, const struct settings *s, tell_done *done,
    void *arg)
{
	(void)hub;
	(void)s;
	w.posted = false;
	w.asks++;
	return world_request(done, arg);
}

static struct fetch *
world_config(struct fetch_hub *hub, const struct settings *s,
    const struct config *c, tell_done *done, void *arg)
{
	(void)hub;
	(void)s;
	w.posted = true;
	config_copy(&w.post, c);
	return world_request(done, arg);
}

static void
world_apply(void)
{
	w.zeroes += w.post.version == 0;
	w.twice += w.version == w.post.version &&
	    strcmp(w.etag, w.post.etag) == 0;
	w.backwards += w.post.version < w.version;
	w.version = w.post.version;
	w.applies++;
	memcpy(w.etag, w.post.etag, CONFIG_ETAG);
}

static void
world_say(struct fetch_result *r, struct buf *body, int status,
    const char *text)
{
	r->status = status;
	buf_str(body, text);
}

static void
world_answer(void)
{
	struct buf body = BUF_INIT(4096);
	struct fetch_result r = { .end = FETCH_DONE, .detail = "",
		.body = &body };
	tell_done *done = w.done;
	char text[512];

	if (w.manner == MANNER_GONE || (w.posted && (w.manner == MANNER_CUT ||
	    w.manner == MANNER_LOST))) {
		r.end = w.manner == MANNER_GONE ? FETCH_UNREACHABLE :
		    FETCH_TIMEOUT;
		r.detail = "gone";
		if (w.manner == MANNER_LOST)
			world_apply();
	} else if (w.manner == MANNER_NOISE) {
		world_say(&r, &body, 200, "<html>");
	} else if (!w.posted) {
		snprintf(text, sizeof(text), "{\"instance_id\":\"i%d\","
		    "\"version\":%lld,\"etag\":\"", w.instance, w.version);
		world_say(&r, &body, 200, text);
		for (char *p = w.etag; *p != '\0'; p++)
			buf_printf(&body, *p == '"' ? "\\%c" : "%c", *p);
		buf_str(&body, "\"}");
	} else if (w.manner == MANNER_WELL) {
		world_apply();
		snprintf(text, sizeof(text), "{\"message\":\"ok\","
		    "\"version\":%lld}", w.version);
		world_say(&r, &body, 200, text);
	} else if (w.manner == MANNER_LIES) {
		world_say(&r, &body, 200, "{\"version\":1000000}");
	} else {
		world_say(&r, &body, w.manner == MANNER_500 ? 500 :
		    w.manner == MANNER_400 ? 400 : 403, "{\"detail\":\"no\"}");
	}
	w.posts += w.posted;
	w.done = NULL;
	done(w.arg, &r);
	buf_free(&body);
}

static void
world_applied(void *arg, const struct config *c)
{
	(void)arg;
	CHECK(c->version > 0);
	config_copy(&w.good, c);
	if (w.die_unsaved)
		w.doomed = true;	/* killed before the save */
	else
		config_copy(&w.disk, c);
}

static void
world_rests(void *arg)
{
	(void)arg;
}

static void
world_changed(void *arg)
{
	(void)arg;
	w.changes++;
}

static void
world_agent(void)
{
	struct deliver_hooks hooks = { world_applied, world_changed,
		world_rests, NULL };

	if (w.deliver.at != DELIVER_STOPPED)
		deliver_stop(&w.deliver);
	w.doomed = w.die_unsaved = false;
	config_copy(&w.good, &w.disk);
	deliver_start(&w.deliver, NULL, NULL, &settings, &w.good, &hooks);
}

static void
world_restart_worker(void)
{
	w.instance++;
	w.version = 0;
	w.etag[0] = '\0';
}

static void
world_publish(void)
{
	char body[128], why[CONFIG_WHY];

	snprintf(body, sizeof(body), "{\"version\":%lld,\"data\":{}}",
	    w.newest.version + 1);
	CHECK(config_read(&w.newest, body, strlen(body), NULL, why));
}

static void
world_poll(void)
{
	struct config copy = { .version = 0 };

	if (w.newest.version == 0)
		return;
	if (config_same(&w.newest, &w.deliver.newest)) {
		deliver_confirm(&w.deliver);
		return;
	}
	config_copy(&copy, &w.newest);
	deliver_offer(&w.deliver, &copy);
	config_free(&copy);
}

/* The next thing that is due before `until`, or that time. */
static void
world_step(int64_t until)
{
	int64_t due = until;
	struct loop_timer *timer = w.timer;

	if (timer != NULL && w.timer_due < due)
		due = w.timer_due;
	if (w.done != NULL && w.fetch_due <= due) {
		w.now = w.fetch_due > w.now ? w.fetch_due : w.now;
		world_answer();
	} else if (timer != NULL && w.timer_due <= due) {
		w.now = w.timer_due;
		w.timer = NULL;
		timer->fire(timer);
	} else {
		w.now = until;
	}
	if (w.doomed)
		world_agent();
}

static void
world_run(int64_t ms)
{
	int64_t until = w.now + ms;

	while (w.now < until)
		world_step(until);
}

static void
world_begin(uint64_t seed)
{
	if (w.deliver.at != DELIVER_STOPPED)
		deliver_stop(&w.deliver);
	config_free(&w.good);
	config_free(&w.disk);
	config_free(&w.newest);
	config_free(&w.post);
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.instance = 1;
	settings.worker_check = 5;
	settings.backoff_max = 60;
	settings.worker_url = (char *)(uintptr_t)"http://worker";
	log_setup("error", "text");
	world_agent();
}

static void
world_disturb(void)
{
	if (one_in(6))
		w.manner = (enum manner)(world_chance() % MANNERS);
	if (one_in(6))
		w.manner = MANNER_WELL;
	if (one_in(10))
		world_restart_worker();
	if (one_in(5))
		deliver_look(&w.deliver);
	if (one_in(10))
		world_agent();
	if (one_in(10))
		w.die_unsaved = true;
	if (one_in(3))
		world_publish();
	if (one_in(2))
		world_poll();
	world_run((int64_t)(world_chance() % 4000));
}

#endif
