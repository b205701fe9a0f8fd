/*
 * Buckets: the first 128 are 1 us wide, the next 64 are 2 us, then 4 us, …
 */
#include "fleet_count.h"

#include <string.h>

void
count_reset(struct count *c)
{
	memset(c, 0, sizeof(*c));
}

static int
count_index(uint64_t us)
{
	int shift = us < 2 * COUNT_STEPS ? 0 : 57 - __builtin_clzll(us);

	return shift < COUNT_DOUBLINGS ?
	    shift * COUNT_STEPS + (int)(us >> shift) : COUNT_BUCKETS - 1;
}

int64_t
count_end(int i)
{
	int shift = i < 2 * COUNT_STEPS ? 0 : i / COUNT_STEPS - 1;

	return (((int64_t)i - shift * COUNT_STEPS + 1) << shift) - 1;
}

void
count_add(struct count *c, int64_t us)
{
	if (us < 0)
		us = 0;
	if (us > c->max)
		c->max = us;
	c->bucket[count_index((uint64_t)us)]++;
	c->n++;
}

int64_t
count_within(const struct count *c, double share)
{
	uint64_t want = (uint64_t)(share * (double)c->n + 0.999999), sum = 0;

	for (int i = 0; i < COUNT_BUCKETS && c->n > 0; i++) {
		sum += c->bucket[i];
		if (sum >= want && sum > 0)
			return count_end(i) < c->max ? count_end(i) : c->max;
	}
	return c->max;
}
