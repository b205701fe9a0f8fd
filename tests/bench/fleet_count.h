#ifndef FLEET_COUNT_H
#define FLEET_COUNT_H
/*
 * Times, counted in buckets that are 1.6 % wide, from which percentiles are
 * read. A fixed 8 KiB, however many times there are.
 */
#include <stdint.h>

enum {
	COUNT_STEPS = 64,	/* buckets for each doubling */
	COUNT_DOUBLINGS = 31,		/* what is longer than 38 hours is in
					 * the last bucket */
	COUNT_BUCKETS = COUNT_STEPS * (COUNT_DOUBLINGS + 1),
};

struct count {
	uint64_t n;
	int64_t max;		/* exact */
	uint32_t bucket[COUNT_BUCKETS];
};

void count_reset(struct count *);
/* us: microseconds; below 0 counts as 0. */
void count_add(struct count *, int64_t us);
/* The time that a share (0 to 1) was within, 1.6 % too high at most; 0 when
 * nothing was counted. */
int64_t count_within(const struct count *, double share);
/* The longest time, us, that belongs to bucket i. */
int64_t count_end(int i);

#endif
