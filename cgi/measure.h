#ifndef MEASURE_H
#define MEASURE_H
/*
 * What all processes of the controller have counted, in one file of
 * STATE_DIR that they map: it outlives each of them, and a restart.
 */
#include <stdbool.h>

#include "route.h"
#include "store.h"

struct measure {
	char *folder;		/* NULL: nothing is counted */
	struct metric *metric;	/* opened at the first count */
	bool serves;		/* set by a gateway; a command counts nothing
				 * and leaves no file */
};

/* Rows of a route table. */
extern const struct route measure_routes[];

/* Counts are kept in state_dir/metrics from now on. False: out of memory. */
bool measure_place(struct measure *, const char *state_dir);
void measure_close(struct measure *);

/* A request that was answered, after so many microseconds. */
void measure_request(struct measure *, const struct route_request *,
    int status, long long us);

/* So many polls that lighttpd itself has answered; hook of the beats. */
void measure_polled(void *measure, int status, long long count);

/* Hooks of the store: a verb that failed, a version that an agent reported
 * applied for the first time after so many milliseconds. */
void measure_fault(void *measure, enum store_end);
void measure_applied(void *measure, long long ms);

#endif
