#ifndef SAID_HERE_H
#define SAID_HERE_H
/*
 * How often something is said in the log between said_begin and said_times,
 * for the unit tests of what may not be said each time. A few lines at most.
 */
#include <string.h>
#include <unistd.h>

#include "unit.h"

static int said_ends[2], said_kept;

static void
said_begin(void)
{
	said_kept = dup(STDERR_FILENO);
	CHECK(pipe(said_ends) == 0);
	CHECK(dup2(said_ends[1], STDERR_FILENO) >= 0);
	close(said_ends[1]);
}

static int
said_times(const char *what)
{
	char got[8192] = "";
	int times = 0;

	dup2(said_kept, STDERR_FILENO);		/* the pipe has no writer now */
	close(said_kept);
	for (size_t n = 0; n < sizeof(got) - 1; n++)
		if (read(said_ends[0], got + n, 1) != 1)
			break;
	close(said_ends[0]);
	for (const char *at = got; (at = strstr(at, what)) != NULL; at++)
		times++;
	return times;
}

#endif
