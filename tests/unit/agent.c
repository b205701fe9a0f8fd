/*
 * The state machine against a controller that says whatever the test wants,
 * on a clock that jumps; one agent, or a fleet of a thousand.
 */
#include "unit.h"

#include "agent_fakes.h"
#include "../../agent/agent.c"
#include "../../agent/agent_ask.c"
#include "../../agent/agent_enroll.c"
#include "../../agent/agent_follow.c"
#include "../../agent/agent_wait.c"
#include "agent_sky.h"

/* The most requests within a second. */
static size_t
sky_peak(void)
{
	size_t peak = 0, from = 0;

	for (size_t i = 0; i < sky.count; i++) {
		while (sky.asked[i].at - sky.asked[from].at >= 1000)
			from++;
		if (i - from + 1 > peak)
			peak = i - from + 1;
	}
	return peak;
}

UNIT("a controller that is away is asked for ever, with full jitter")
{
	int64_t last = 0, longest = 0;
	size_t short_ones = 0;

	sky_begin(1);
	sky.manner = SKY_GONE;
	sky_run(0, 36000);
	CHECK(sky.count > 10 * 3600 / 60 && sky.count < 3 * 36000 / 60);
	CHECK(sky.asked[1].at - sky.asked[0].at <= 1000 + SKY_LATENCY);
	for (size_t i = 0; i < sky.count; i++) {
		CHECK_INT(sky.asked[i].kind, SKY_REGISTER);
		if (sky.asked[i].at - last > longest)
			longest = sky.asked[i].at - last;
		if (i > 10 && sky.asked[i].at - last < 30000)
			short_ones++;
		last = sky.asked[i].at;
	}
	CHECK(longest <= 60000 + SKY_LATENCY);
	CHECK(short_ones > sky.count / 3 && short_ones < sky.count * 2 / 3);
	sky.manner = SKY_WELL;
	sky_run(0, 61);
	CHECK(sky.agents[0].agent.registered);
	CHECK_INT(sky.agents[0].agent.retry.failures, 0);
}

UNIT("Retry-After is obeyed, and not by all in the same moment")
{
	int64_t first = 0, differs = 0;

	for (int i = 0; i < 20; i++) {
		sky_begin(1);
		sky.seed = (uint64_t)i;
		sky.manner = SKY_503;
		sky.retry_after = 600;
		sky_run(0, 600);
		CHECK_INT(sky.count, 1);
		sky_run(0, 62);
		CHECK_INT(sky.count, 2);
		differs += sky.asked[1].at != first;
		first = sky.asked[1].at;
	}
	CHECK(differs > 15);
}

UNIT("who has nothing polls at once, who has something spreads its first poll")
{
	int64_t most = 0, least = INT64_MAX;

	sky_begin(1);
	sky_run(0, 1);
	CHECK_INT(sky.asked[1].kind, SKY_POLL);
	sky_begin(400);
	sky_run(1, 1);		/* all have something now */
	sky_restart();
	sky_run(0, 40);
	for (size_t i = 0; i < sky.count; i++)
		if (sky.asked[i].kind == SKY_POLL && sky.asked[i].first) {
			int64_t at = sky.asked[i].at - sky.restarted;

			most = at > most ? at : most;
			least = at < least ? at : least;
		}
	CHECK(least < 2000 && most > 28000 && most < 30000 + 200);
}

UNIT("a worker that fails before the first poll is upstream within 5 s")
{
	sky_begin(1);
	sky.token = "t1";
	sky.interval = 600;
	sky_run(1, 30);
	sky_restart();
	sky.count = 0;
	sky_health(0, DELIVER_NO_WORKER);	/* while it registers */
	sky_run(0, 6);
	CHECK_INT(sky_count(SKY_POLL), 1);
	CHECK_INT(sky_count(SKY_REPORT), 1);
	CHECK_TEXT(sky.asked[sky.count - 1].word, "no-worker");
}

UNIT("it polls at the interval it was told, a tenth more or less")
{
	sky_begin(1);
	sky_run(1, 600);
	sky.count = 0;
	sky_run(0, 3600);
	CHECK(sky.count >= 3600 / 33 && sky.count <= 3600 / 27);
	for (size_t i = 1; i < sky.count; i++) {
		int64_t gap = sky.asked[i].at - sky.asked[i - 1].at;

		CHECK(gap >= 27000 && gap <= 33000 + SKY_LATENCY);
		CHECK_TEXT(sky.asked[i].etag, "\"1\"");
	}
	sky.interval = 5;	/* in the header of a 304 */
	sky_run(0, 40);
	sky.count = 0;
	sky_run(0, 600);
	CHECK(sky.count >= 105 && sky.count <= 135);
	sky.interval = 60;
	sky_run(2, 70);		/* in a body */
	CHECK_INT(sky.agents[0].state.interval, 60);
}

UNIT("what the worker acknowledged is upstream within half the interval or 5 s")
{
	for (int i = 0; i < 50; i++) {
		sky_begin(1);
		sky.seed = (uint64_t)i;
		sky.interval = i % 2 != 0 ? 4 : 600;
		sky_run(1, 1);
		sky_apply(0);
		sky.count = 0;
		sky_run(0, i % 2 != 0 ? 3 : 6);
		CHECK(sky.count >= 1);
		CHECK_INT(sky.asked[0].applied, 1);
		CHECK(sky.asked[0].at - sky.applied_at <=
		    (i % 2 != 0 ? 2000 : 5000));
	}
}

UNIT("news while it backs off do not make it ask sooner")
{
	sky_begin(1);
	sky_run(1, 1);
	sky.manner = SKY_503;
	sky.retry_after = 300;
	sky_run(0, 40);
	sky.count = 0;
	sky_apply(0);
	sky_health(0, DELIVER_FAILED);
	sky_run(0, 200);
	CHECK_INT(sky.count, 0);
}

UNIT("401 to a poll registers again at once, then with backoff")
{
	sky_begin(1);
	sky.token = "t1";
	sky_run(1, 40);
	CHECK_TEXT(sky.agents[0].state.token, "t1");
	sky.count = 0;
	sky.manner = SKY_401_POLLS;
	sky_run(0, 34);
	CHECK_INT(sky.asked[0].kind, SKY_POLL);
	CHECK_INT(sky.asked[1].kind, SKY_REGISTER);
	CHECK(sky.asked[1].at - sky.asked[0].at <= SKY_LATENCY);
	sky_run(0, 3600);
	CHECK(sky.count < 2 * 3600 / 25);
	sky.manner = SKY_WELL;
	sky_run(0, 130);
	CHECK_INT(sky.agents[0].agent.retry.failures, 0);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 1);
}

UNIT("after a 401, the first registration that goes well is followed by a poll")
{
	for (int i = 0; i < 20; i++) {
		size_t last;

		sky_begin(1);
		sky.seed = (uint64_t)i;
		sky.token = "t1";
		sky_run(1, 40);
		sky.manner = SKY_401_503;
		sky_run(0, 600);
		sky.manner = SKY_WELL;
		sky.count = 0;
		sky_run(2, 62);
		last = sky.asked[0].kind != SKY_REGISTER;
		CHECK(sky.count > last + 1);
		CHECK_INT(sky.asked[last].kind, SKY_REGISTER);
		CHECK_INT(sky.asked[last + 1].kind, SKY_POLL);
		CHECK(sky.asked[last + 1].at - sky.asked[last].at <=
		    SKY_LATENCY);
		CHECK_INT(sky.agents[0].agent.deliver.newest.version, 2);
	}
}

UNIT("the fleet's credential refused, a token that is good still polls")
{
	sky_begin(1);
	sky.token = "t1";
	sky_run(1, 40);
	sky_restart();
	sky.manner = SKY_401_REGISTERS;
	sky.version = 2;
	sky_run(2, 60);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 2);
}

UNIT("a poll_url that stays lost makes it register again")
{
	sky_begin(1);
	sky_run(1, 40);
	sky.manner = SKY_404_POLLS;
	sky.count = 0;
	sky_run(0, 600);
	CHECK(sky_count(SKY_REGISTER) >= 1);
	CHECK(sky_count(SKY_POLL) > sky_count(SKY_REGISTER));
	sky.manner = SKY_WELL;
	sky_run(2, 200);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 2);
}

UNIT("a lower version is followed, version 0 is not")
{
	sky_begin(1);
	sky_run(7, 40);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 7);
	sky_run(3, 40);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 3);
	sky_run(-1, 40);	/* answers version 0 */
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 3);
	CHECK(sky.agents[0].agent.why[0] != '\0');
	sky_run(4, 40);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 4);
	CHECK(sky.agents[0].agent.why[0] == '\0');
}

UNIT("what fails and recovers is reported at once, and again when it was lost")
{
	for (int i = 0; i < 200; i++) {
		size_t told;
		bool lost;

		sky_begin(1);
		sky.seed = (uint64_t)i;
		sky.token = "t1";
		sky.interval = 600;
		sky_run(1, 30);
		sky.count = 0;
		sky_health(0, DELIVER_FAILED);
		sky_run(0, 1);
		CHECK_INT(sky.asked[0].kind, SKY_REPORT);
		CHECK_TEXT(sky.asked[0].word, "failed");
		sky_run(0, 10);
		CHECK_INT(sky_count(SKY_REPORT), 1);
		sky.count = 0;
		sky.manner = SKY_503_REPORTS;
		sky_health(0, DELIVER_OK);
		sky_run(0, 2);
		CHECK_INT(sky.asked[0].kind, SKY_REPORT);
		/* again behind the early poll, if that was already */
		told = sky_count(SKY_REPORT);
		CHECK(told == 1 || (told == 2 && sky_count(SKY_POLL) == 1));
		lost = sky.agents[0].done == NULL ||
		    sky.agents[0].kind != SKY_REPORT;
		sky.manner = SKY_WELL;
		sky_run(0, told == 1 ? 10 : 700);
		CHECK_INT(sky_count(SKY_POLL), told);
		CHECK_INT(sky_count(SKY_REPORT), told + lost);
		sky.count = 0;
		sky_run(0, 500);
		CHECK_INT(sky_count(SKY_REPORT), 0);
	}
}

UNIT("without a token nothing is reported, the early poll says it")
{
	sky_begin(1);
	sky.interval = 600;
	sky_run(1, 30);
	sky.count = 0;
	sky_health(0, DELIVER_NO_WORKER);
	sky_run(0, 6);
	CHECK_INT(sky_count(SKY_REPORT), 0);
	CHECK_INT(sky_count(SKY_POLL), 1);
	CHECK_TEXT(sky.asked[0].word, "no-worker");
}

UNIT("hurried, it polls now and fresh; also while it backs off or is polling")
{
	sky_begin(1);
	sky.interval = 600;
	sky_run(1, 30);
	sky.count = 0;
	agent_hurry(&sky.agents[0].agent);
	CHECK_INT(sky.count, 1);
	CHECK(sky.asked[0].fresh);
	agent_hurry(&sky.agents[0].agent);	/* one is under way */
	sky_run(0, 1);
	CHECK_INT(sky_count(SKY_POLL), 2);
	sky.manner = SKY_503;
	sky.retry_after = 3000;
	sky_run(0, 900);
	sky.count = 0;
	sky.manner = SKY_WELL;
	sky.version = 2;
	agent_hurry(&sky.agents[0].agent);
	sky_run(0, 1);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 2);
}

UNIT("with another controller all that the old one said is forgotten")
{
	sky_begin(1);
	sky.token = "t1";
	sky_run(1, 30);
	settings.controller_url = (char *)(uintptr_t)"http://other";
	sky.count = 0;
	agent_resettle(&sky.agents[0].agent, true);
	CHECK_INT(sky.asked[0].kind, SKY_REGISTER);
	CHECK(sky.agents[0].state.token == NULL);
	CHECK(sky.agents[0].state.poll_url == NULL);
	CHECK_INT(sky.agents[0].agent.deliver.newest.version, 1);
}

UNIT("after an outage a fleet comes back below three times its mean rate")
{
	static const int outages[] = { 5, 20, 60, 300, 1800 };

	for (int i = 0; i < 5; i++) {
		size_t peak;

		sky_begin(SKY_AGENTS);
		sky.seed = 42;
		sky_run(1, 1);
		sky_restart();	/* spread over the interval from now on */
		sky_run(0, 120);
		sky.manner = SKY_GONE;
		sky_run(0, outages[i]);
		sky.manner = SKY_WELL;
		sky.count = 0;
		sky_run(2, 300);
		peak = sky_peak();
		printf("# %d s of outage: peak %zu a second, mean %d\n",
		    outages[i], peak, SKY_AGENTS / 30);
		CHECK(peak < 3 * SKY_AGENTS / 30);
		for (int j = 0; j < SKY_AGENTS; j++)
			CHECK_INT(sky.agents[j].agent.deliver.newest.version,
			    2);
	}
}

UNIT_MAIN
