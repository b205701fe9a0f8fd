/*
 * Delivery in a small world: a clock that jumps, a worker that fails in every
 * way, an agent that is killed at the worst moments. A fixed seed; the same
 * every time.
 */
#include "unit.h"
#include <stdlib.h>

#include "fetch.h"
#include "log.h"
#include "loop.h"
#include "token.h"

#include "../../agent/tell.h"

static int64_t world_now(const struct loop *);
static bool world_timer_start(struct loop *, struct loop_timer *, int64_t);
static void world_timer_stop(struct loop *, struct loop_timer *);
static void world_cancel(struct fetch *);
static uint64_t world_chance(void);
static struct fetch *world_state(struct fetch_hub *, const struct settings *,
    tell_done *, void *);
static struct fetch *world_config(struct fetch_hub *, const struct settings *,
    const struct config *, tell_done *, void *);

#define loop_now world_now
#define loop_timer_start world_timer_start
#define loop_timer_stop world_timer_stop
#define fetch_cancel world_cancel
#define token_chance world_chance
#define tell_state world_state
#define tell_config world_config
#include "../../agent/deliver.c"
#include "../../agent/deliver_health.c"
#include "../../agent/plan.c"
#undef tell_state
#undef tell_config

#include "deliver_world.h"

UNIT("in any order of failures the worker ends with the newest, once, in order")
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		world_begin(seed);
		world_publish();
		for (int i = 0; i < 200; i++)
			world_disturb();
		w.manner = MANNER_WELL;
		w.die_unsaved = false;
		world_publish();
		world_run(20000);
		world_poll();
		world_run(20000);
		if (w.version != w.newest.version ||
		    w.disk.version != w.newest.version || w.twice > 0 ||
		    w.backwards > 0 || w.zeroes > 0)
			UNIT_FAIL("seed %d: newest %lld, worker %lld, saved "
			    "%lld, twice %lld, backwards %lld", (int)seed,
			    w.newest.version, w.version, w.disk.version,
			    w.twice, w.backwards);
		CHECK_TEXT(deliver_word(&w.deliver), "ok");
		CHECK(deliver_healthy(&w.deliver));
	}
}

UNIT("version 0 is never given")
{
	static const char body[] = "{\"version\":0,\"data\":{}}";
	struct config zero = { .version = 0 };
	char why[CONFIG_WHY];

	world_begin(1);
	CHECK(config_read(&zero, body, strlen(body), NULL, why));
	deliver_offer(&w.deliver, &zero);
	world_run(60000);
	CHECK_INT(w.posts, 0);
	CHECK(deliver_healthy(&w.deliver));
}

UNIT("killed between acknowledgement and save, the older is not pushed")
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(10000);
	world_publish();
	w.die_unsaved = true;
	world_poll();
	world_run(10000);	/* dies, starts with version 1 on disk */
	CHECK_INT(w.good.version, 1);
	CHECK_INT(w.version, 2);
	CHECK_INT(w.applies, 2);
	world_poll();
	world_run(10000);
	CHECK_INT(w.applies, 2);	/* the worker had it */
	CHECK_INT(w.disk.version, 2);
}

UNIT("a lower version that the controller confirmed is followed")
{
	struct config old = { .version = 0 };

	world_begin(1);
	world_publish();
	config_copy(&old, &w.newest);
	world_publish();
	world_poll();
	world_run(10000);
	CHECK_INT(w.version, 2);
	deliver_offer(&w.deliver, &old);
	world_run(10000);
	CHECK_INT(w.version, 1);
	CHECK_INT(w.disk.version, 1);
}

UNIT("a worker that restarts has its configuration within a check")
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(60000);
	world_restart_worker();
	world_run(settings.worker_check * 1000 + 200);
	CHECK_INT(w.version, 1);
	CHECK_INT(w.applies, 2);
}

UNIT("a worker that was away for an hour has it within a check, too")
{
	world_begin(1);
	w.manner = MANNER_GONE;
	world_publish();
	world_poll();
	world_run(3600 * 1000);
	CHECK_TEXT(deliver_word(&w.deliver), "no-worker");
	CHECK(!deliver_healthy(&w.deliver));
	w.manner = MANNER_WELL;
	world_run(settings.worker_check * 1000 + 200);
	CHECK_INT(w.version, 1);
	CHECK(deliver_healthy(&w.deliver));
}

UNIT("health is lost after two checks without the configuration, not before")
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(60000);
	CHECK(deliver_healthy(&w.deliver));
	w.manner = MANNER_GONE;
	world_publish();
	world_poll();
	world_run(2 * settings.worker_check * 1000);
	CHECK(deliver_healthy(&w.deliver));
	world_run(1);
	CHECK(!deliver_healthy(&w.deliver));
	w.manner = MANNER_WELL;
	world_run(settings.worker_check * 1000 + 200);
	CHECK(deliver_healthy(&w.deliver));
}

UNIT("a worker that is said to have gone is asked at once")
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(60000);
	world_restart_worker();
	deliver_look(&w.deliver);
	world_run(200);
	CHECK_INT(w.version, 1);
	CHECK_INT(w.applies, 2);
}

UNIT("a refusal is said once, and tried again only with a new version")
{
	int posts;

	world_begin(1);
	world_publish();
	w.manner = MANNER_400;
	world_poll();
	world_run(1000);
	posts = w.posts;
	CHECK_INT(posts, 1);
	CHECK_TEXT(deliver_word(&w.deliver), "failed");
	CHECK_TEXT(w.deliver.why, "worker answered 400: no");
	CHECK_INT(w.changes, 1);
	world_run(600000);
	world_restart_worker();
	world_run(600000);
	CHECK_INT(w.posts, posts);
	CHECK(!deliver_healthy(&w.deliver));
	w.manner = MANNER_WELL;
	world_publish();
	world_poll();
	world_run(1000);
	CHECK_INT(w.version, 2);
	CHECK_TEXT(deliver_word(&w.deliver), "ok");
}

/* The worker has version 1, and has refused version 2. */
static void
world_refuses_second(void)
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(1000);
	world_publish();
	w.manner = MANNER_400;
	world_poll();
	world_run(1000);
}

UNIT("while the newest is refused, a worker that restarts gets the last good")
{
	world_refuses_second();
	CHECK_INT(w.version, 1);
	w.manner = MANNER_WELL;
	world_restart_worker();
	world_run(10000);
	CHECK_INT(w.version, 1);
	CHECK_TEXT(deliver_word(&w.deliver), "failed");
}

UNIT("while the newest is refused, the last good is tried with backoff, too")
{
	int posts;

	world_refuses_second();
	posts = w.posts;
	w.manner = MANNER_500;
	world_restart_worker();
	world_run(600000);
	CHECK(w.posts - posts >= 10 && w.posts - posts < 60);
	w.manner = MANNER_WELL;
	world_run(settings.backoff_max * 1000);
	CHECK_INT(w.version, 1);
}

UNIT("the refusal is told again when the worker was gone meanwhile")
{
	world_refuses_second();
	w.manner = MANNER_GONE;
	world_run(10000);
	CHECK_TEXT(deliver_word(&w.deliver), "no-worker");
	w.manner = MANNER_WELL;
	world_restart_worker();
	world_run(20000);
	CHECK_INT(w.version, 1);
	CHECK_TEXT(deliver_word(&w.deliver), "failed");
	CHECK(strstr(w.deliver.why, "400") != NULL);
}

UNIT("a worker that ends behind its acknowledgement is looked for at once")
{
	world_begin(1);
	world_publish();
	world_poll();
	while (!w.posted)
		world_step(w.now + 5000);
	deliver_look(&w.deliver);
	world_answer();
	CHECK_INT(w.disk.version, 1);
	world_restart_worker();
	world_run(300);
	CHECK_INT(w.version, 1);
	CHECK_INT(w.posts, 2);
}

UNIT("a look costs one question, whatever is under way")
{
	world_begin(1);
	world_publish();
	world_poll();
	world_run(60000);
	world_step(w.now + 5000);	/* the timer of a check */
	CHECK(w.done != NULL);
	w.asks = 0;
	for (int i = 0; i < 3; i++)
		deliver_look(&w.deliver);
	world_run(1000);
	CHECK_INT(w.asks, 1);
	deliver_look(&w.deliver);
	deliver_hurry(&w.deliver);	/* it is just asked */
	world_run(1000);
	CHECK_INT(w.asks, 2);
}

UNIT("refused for the key, it is tried again when the worker restarts")
{
	world_begin(1);
	world_publish();
	w.manner = MANNER_403;
	world_poll();
	world_run(600000);
	CHECK_INT(w.posts, 1);
	w.manner = MANNER_WELL;
	world_run(600000);
	CHECK_INT(w.posts, 1);
	world_restart_worker();
	world_run(10000);
	CHECK_INT(w.version, 1);
}

UNIT("other failures are tried again with backoff, a newer one at once")
{
	world_begin(1);
	world_publish();
	w.manner = MANNER_500;
	world_poll();
	world_run(600000);
	CHECK(w.posts >= 10 && w.posts < 60);
	w.manner = MANNER_WELL;
	world_publish();
	world_poll();
	world_run(200);
	CHECK_INT(w.version, 2);
	CHECK_INT(w.applies, 1);
}

UNIT("an acknowledgement that does not name the version is none")
{
	world_begin(1);
	world_publish();
	w.manner = MANNER_LIES;
	world_poll();
	world_run(60000);
	CHECK_INT(w.disk.version, 0);
	CHECK_TEXT(deliver_word(&w.deliver), "failed");
}

UNIT("when nothing happens, a check costs one timer and one request")
{
	int checks = 0;

	world_begin(1);
	world_publish();
	world_poll();
	world_run(10000);
	for (int64_t end = w.now + 100000; w.now < end; checks++)
		world_step(end);
	CHECK(checks <= 2 * 23);
	CHECK_INT(w.posts, 1);
}

UNIT_MAIN
