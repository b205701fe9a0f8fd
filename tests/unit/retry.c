#include "unit.h"

#include <stdlib.h>

#include "../../lib/retry.c"

/* xorshift64: chance for loops that end the same way every time. */
static uint64_t state = 88172645463325252u;

static uint64_t
chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

UNIT("a delay is between 1 and the doubled base, and never over the maximum")
{
	struct retry r = { 0 };
	int64_t ceiling = 1000;

	for (unsigned i = 0; i < 5000; i++) {
		int64_t ms = retry_next(&r, 1000, 300000, chance());

		CHECK(ms >= 1 && ms <= ceiling);
		CHECK(r.failures == (i < 1000 ? i + 1 : 1000));
		ceiling = ceiling * 2 > 300000 ? 300000 : ceiling * 2;
	}
	retry_reset(&r);
	CHECK_INT(r.failures, 0);
	CHECK(retry_next(&r, 1000, 300000, UINT64_MAX) <= 1000);
}

UNIT("any base, maximum and chance give a delay within bounds")
{
	for (int i = 0; i < 200000; i++) {
		int64_t base = 1 + (int64_t)(chance() >> (1 + chance() % 62));
		int64_t max = 1 + (int64_t)(chance() >> (1 + chance() % 62));
		struct retry r = { (unsigned)(chance() % 80) };
		int64_t ms = retry_next(&r, base, max, chance());

		if (ms < 1 || ms > max)
			UNIT_FAIL("%lld for base %lld, max %lld",
			    (long long)ms, (long long)base, (long long)max);
	}
}

UNIT("the jitter is full: every delay comes, and as often as the others")
{
	unsigned seen[100] = { 0 };

	for (int i = 0; i < 100000; i++) {
		struct retry r = { 0 };

		seen[retry_next(&r, 100, 100000, chance()) - 1]++;
	}
	for (int i = 0; i < 100; i++)	/* 1000 on average, sigma 31 */
		CHECK(seen[i] > 800 && seen[i] < 1200);
}

UNIT("a spread interval stays within a tenth with room, and has the same mean")
{
	int64_t sum = 0;

	CHECK_INT(retry_spread(0, UINT64_MAX), 0);
	CHECK_INT(retry_spread(9, chance()), 9);
	for (int i = 0; i < 100000; i++) {
		int64_t ms = retry_spread(30000, chance());

		CHECK(ms >= 27300 && ms <= 32700);
		sum += ms;
	}
	CHECK(sum / 100000 > 29900 && sum / 100000 < 30100);
	for (int i = 0; i < 100000; i++) {
		int64_t ms = (int64_t)(chance() >> (2 + chance() % 60));
		int64_t spread = retry_spread(ms, chance());

		CHECK(spread >= ms - ms / 10 && spread <= ms + ms / 10);
	}
}

UNIT("Retry-After is understood as seconds and as three spellings of a date")
{
	time_t now = 784111777;	/* Sun, 06 Nov 1994 08:49:37 GMT */

	CHECK_INT(retry_after("0", now), 0);
	CHECK_INT(retry_after("120", now), 120);
	CHECK_INT(retry_after("0000120", now), 120);
	CHECK_INT(retry_after("86401", now), 86400);
	CHECK_INT(retry_after("99999999999999999999999999", now), 86400);
	CHECK_INT(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), 10);
	CHECK_INT(retry_after("Sunday, 06-Nov-94 08:49:47 GMT", now), 10);
	CHECK_INT(retry_after("Sun Nov  6 08:49:47 1994", now), 10);
	CHECK_INT(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0);
	CHECK_INT(retry_after("Sun, 06 Nov 1994 08:49:27 GMT", now), 0);
	CHECK_INT(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", now), 0);
	CHECK_INT(retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), 86400);
}

UNIT("what is neither is -1")
{
	static const char *const bad[] = { "", " ", "-1", "+1", "1.5", "1 s",
		"10x", "0x10", "soon", "Sun, 06 Nov 1994 08:49:47",
		"Sun, 06 Nov 1994 08:49:47 GMT+1",
		"Sun, 06 Nov 1994 25:49:47 GMT",
		"Sun, 36 Nov 1994 08:49:47 GMT", "1994-11-06T08:49:37Z",
		"06 Nov 1994 08:49:47 GMT" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (retry_after(bad[i], 784111777) != -1)
			UNIT_FAIL("%s was understood", bad[i]);
}

UNIT_MAIN
