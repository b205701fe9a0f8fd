/*
 * Hints and held polls, against the same controller as tests/unit/agent.c.
 */
#include "unit.h"

#include "agent_fakes.h"
#include "../../agent/agent.c"
#include "../../agent/agent_ask.c"
#include "../../agent/agent_enroll.c"
#include "../../agent/agent_follow.c"
#include "../../agent/agent_wait.c"

#include "agent_sky.h"

static struct agent *agent;

/* One agent, polled every hour, that has version 1. */
static void
begin(const char *strategy)
{
	settings.strategy = (char *)(uintptr_t)strategy;
	sky_begin(1);
	agent = &sky.agents[0].agent;
	sky.interval = 3600;
	sky.token = "t";
	sky.holds = true;
	sky_run(1, 1);
	sky_apply(0);
	sky_run(0, 6);
	CHECK_INT(agent->deliver.newest.version, 1);
	sky.count = 0;
}

static void
hint(void)
{
	agent->wake.hint(agent->wake.arg);
}

/* The held poll is answered now. */
static void
release(long long version)
{
	sky.version = version;
	sky.agents[0].matches = false;
	sky.agents[0].fetch_due = sky.now;
	sky_run(0, 1);
}

UNIT("a hint is a poll at once that no cache may answer")
{
	begin("POLLER");
	sky_run(2, 600);
	CHECK_INT(sky.count, 0);
	hint();
	sky_run(0, 1);
	CHECK_INT(sky.count, 1);
	CHECK(sky.asked[0].fresh);
	CHECK_INT(agent->deliver.newest.version, 2);
	hint();
	sky_run(0, 1);
	CHECK_INT(sky.count, 2);
	sky_run(0, 1800);
	CHECK_INT(sky.count, 2);
}

UNIT("hints while one poll is under way make one more, after it")
{
	begin("POLLER");
	hint();
	for (int i = 0; i < 100; i++)
		hint();
	CHECK_INT(sky.count, 1);
	sky_run(0, 60);
	CHECK_INT(sky.count, 2);
	CHECK(sky.asked[1].fresh);
}

UNIT("hints do not break a backoff, but the poll after it is fresh")
{
	size_t without;

	settings.backoff_max = 60;
	begin("POLLER");
	sky.manner = SKY_503;
	hint();
	sky_run(0, 600);
	without = sky.count;
	sky.count = 0;
	for (int i = 0; i < 600; i++) {
		hint();
		sky_run(0, 1);
	}
	CHECK(without > 5 && sky.count < 3 * without);
	CHECK(sky.asked[sky.count - 1].fresh);
	sky.manner = SKY_WELL;
	sky_run(0, 61);
	CHECK(sky.asked[sky.count - 1].fresh);
	CHECK_INT(agent->why[0], 0);
}

UNIT("hints while it registers do not break that backoff either")
{
	begin("POLLER");
	sky_begin(1);
	agent = &sky.agents[0].agent;
	sky.manner = SKY_GONE;
	sky_run(1, 300);
	sky.count = 0;
	for (int i = 0; i < 300; i++) {
		hint();
		sky_run(0, 1);
	}
	CHECK(sky.count < 60);
	CHECK_INT(sky_count(SKY_POLL), 0);
}

UNIT("a hint is worth more than the spread of a fleet's first polls")
{
	begin("POLLER");
	sky_restart();
	sky_run(0, 1);
	CHECK_INT(sky_count(SKY_POLL), 0);
	hint();
	sky_run(0, 1);
	CHECK_INT(sky_count(SKY_POLL), 1);
}

UNIT("a held poll follows a held poll, and a change is there at once")
{
	begin("WATCH");
	sky_run(0, 600);
	CHECK(sky.count >= 600 / 56 - 1 && sky.count <= 600 / 55 + 1);
	for (size_t i = 0; i < sky.count; i++)
		CHECK_INT(sky.asked[i].hold, WAKE_HOLD);
	release(2);
	CHECK_INT(agent->deliver.newest.version, 2);
	sky.count = 0;
	sky_apply(0);
	sky_run(0, 2);
	CHECK_INT(sky.count, 1);	/* the news, and held again */
	CHECK_INT(sky.asked[0].applied, 2);
	CHECK_INT(sky.asked[0].hold, WAKE_HOLD);
}

UNIT("whoever cannot hold a poll is asked once an interval")
{
	begin("WATCH");
	sky_run(0, 60);
	sky.holds = false;
	sky.count = 0;
	sky_run(0, 7200);
	CHECK(sky.count >= 1 && sky.count <= 4);
}

UNIT("after a held poll that failed comes one that is not held")
{
	begin("WATCH");
	sky_run(0, 60);
	sky.count = 0;
	sky.manner = SKY_503;
	release(1);
	sky.manner = SKY_WELL;
	sky_run(0, 1);
	CHECK_INT(sky.count, 0);	/* backoff */
	sky_run(0, 3600);
	CHECK_INT(sky.asked[0].hold, 0);
	for (size_t i = 1; i < sky.count; i++)
		CHECK_INT(sky.asked[i].hold, WAKE_HOLD);
	CHECK(sky.asked[1].at - sky.asked[0].at < 1000);
}

UNIT("however long a controller was away, held polls follow at once")
{
	for (int i = 0; i < 20; i++) {
		begin("WATCH");
		sky.seed = (uint64_t)i;
		sky_run(0, 60);
		sky.manner = SKY_GONE;
		release(1);
		sky_run(0, 60 * (i + 1));
		sky.manner = SKY_WELL;
		sky_run(0, 70);
		CHECK_INT(sky.asked[sky.count - 1].hold, WAKE_HOLD);
		CHECK_TEXT(agent->why, "");
	}
}

UNIT("whoever refuses to hold a poll is asked once an interval, too")
{
	begin("WATCH");
	sky.holds = false;
	sky.manner = SKY_400_HELD;
	sky_run(0, 3600);
	sky.count = 0;
	sky_run(0, 36000);
	CHECK(sky.count >= 16 && sky.count <= 24);	/* held, then not */
	sky.version = 2;
	sky_run(0, 4000);
	CHECK_INT(agent->deliver.newest.version, 2);
}

UNIT("a held poll is let go for a hurry, and for what the worker does")
{
	begin("WATCH");
	sky_run(0, 60);
	sky.count = 0;
	agent_hurry(agent);
	CHECK_INT(sky.count, 1);
	CHECK(sky.asked[0].fresh);
	CHECK_INT(sky.asked[0].hold, 0);
	sky_run(0, 10);
	CHECK_INT(sky.count, 2);
	CHECK_INT(sky.asked[1].hold, WAKE_HOLD);
	sky_health(0, DELIVER_FAILED);
	sky_run(0, 3);
	CHECK_INT(sky.asked[2].kind, SKY_REPORT);
	CHECK_TEXT(sky.asked[2].word, "failed");
	CHECK_INT(sky.asked[3].kind, SKY_POLL);
	CHECK_INT(sky.asked[3].hold, WAKE_HOLD);
	CHECK_INT(sky.count, 4);
}

UNIT("who polls only is never held")
{
	begin("POLLER");
	sky_run(0, 36000);
	CHECK(sky.count > 5);
	for (size_t i = 0; i < sky.count; i++)
		CHECK_INT(sky.asked[i].hold, 0);
}

UNIT_MAIN
