#ifndef RETRY_H
#define RETRY_H
/*
 * When to try again. Pure: no clock, no state outside the struct, chance is
 * passed in.
 */
#include <stdint.h>
#include <time.h>

/* One counter for each thing that can be down. Zero is a good start. */
struct retry {
	unsigned failures;	/* in a row */
};

/*
 * Exponential backoff with full jitter: a delay in milliseconds, evenly
 * spread over 1 .. min(base_ms * 2^failures, max_ms), and failures + 1.
 * chance: 64 random bits. base_ms and max_ms: 1 or more.
 */
int64_t retry_next(struct retry *, int64_t base_ms, int64_t max_ms,
    uint64_t chance);
void retry_reset(struct retry *);

/* ms ± 9 %, evenly spread: with the time that a request takes it stays within
 * a tenth, so that a fleet has a version within an interval and a tenth.
 * ms: 0 or more. */
int64_t retry_spread(int64_t ms, uint64_t chance);

/*
 * Retry-After (RFC 9110, 10.2.3): seconds from now, in either form
 * (delay-seconds, or an HTTP date in its three spellings); a date that has
 * passed is 0; -1 when it is neither. Capped at 86400.
 */
long retry_after(const char *value, time_t now);

#endif
