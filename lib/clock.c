/*
 * Three clocks of the kernel.
 */
#include "clock.h"

#include <time.h>

static long long
clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

long long
clock_wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

long long
clock_steady(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

long long
clock_busy(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}
