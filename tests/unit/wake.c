/*
 * When a message becomes a hint, on a clock that jumps.
 */
#include "unit.h"

#include <stdlib.h>

#include "loop.h"
#include "token.h"

static int64_t sky_now(const struct loop *);
static bool sky_start(struct loop *, struct loop_timer *, int64_t);
static bool sky_runs(const struct loop_timer *);
static uint64_t sky_chance(void);

#define loop_now sky_now
#define loop_timer_start sky_start
#define loop_timer_runs sky_runs
#define token_chance sky_chance
#include "../../agent/wake.c"

static int64_t now, due;	/* due -1: the timer rests */
static uint64_t seed;
static size_t hints;

static int64_t
sky_now(const struct loop *loop)
{
	(void)loop;
	return now;
}

static bool
sky_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
	(void)loop, (void)timer;
	due = now + ms;
	return true;
}

static bool
sky_runs(const struct loop_timer *timer)
{
	(void)timer;
	return due >= 0;
}

static uint64_t
sky_chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 20;
}

static void
hint(void *arg)
{
	(void)arg;
	hints++;
}

static struct wake wake;

static void
begin(long spread)
{
	char poller[] = "POLLER";
	struct settings s = { .strategy = poller, .hint_spread = spread };

	now = 1000000;
	due = -1;
	hints = 0;
	wake_start(&wake, NULL, &s, hint, NULL);
}

static void
fire(void)
{
	now = due;
	due = -1;
	wake.timer.fire(&wake.timer);
}

UNIT("without a spread a message is a hint at once")
{
	begin(0);
	wake_said(&wake.link);
	CHECK_INT(due, now);
	fire();
	CHECK_INT(hints, 1);
}

UNIT("a fleet's hints are spread evenly over the window")
{
	size_t early = 0;
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < 1000; i++) {
		int64_t ms;

		begin(60);
		wake_said(&wake.link);
		ms = due - now;
		CHECK(ms >= 0 && ms <= 60000);
		early += ms < 30000;
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	CHECK(early > 400 && early < 600);
	CHECK(least < 1000 && most > 59000);
}

UNIT("messages while a hint is due are that hint")
{
	int64_t first;

	begin(60);
	wake_said(&wake.link);
	first = due;
	for (int i = 0; i < 1000; i++)
		wake_said(&wake.link);
	CHECK_INT(due, first);
	fire();
	CHECK_INT(hints, 1);
}

UNIT("a flood is two hints a second")
{
	begin(0);
	wake_said(&wake.link);
	fire();
	for (int i = 0; i < 100; i++) {
		int64_t last = now;

		wake_said(&wake.link);
		fire();
		CHECK_INT(now - last, WAKE_GAP);
	}
	now += 10000;
	wake_said(&wake.link);
	CHECK_INT(due, now);
}

UNIT("each strategy holds polls, or has a broker, or neither")
{
	static const struct {
		const char *strategy, *word;
		long hold;
	} rows[] = {
		{ "POLLER", "none", 0 }, { "WATCH", "held", WAKE_HOLD },
	};

	for (size_t i = 0; i < 2; i++) {
		struct settings s = {
			.strategy = (char *)(uintptr_t)rows[i].strategy };

		wake_start(&wake, NULL, &s, hint, NULL);
		CHECK_INT(wake.hold, rows[i].hold);
		CHECK_TEXT(wake_word(&wake), rows[i].word);
		CHECK_TEXT(wake_why(&wake), "");
		wake_stop(&wake);
	}
}

UNIT_MAIN
