#ifndef BEATS_HERE_H
#define BEATS_HERE_H
/*
 * Heartbeats for the store of agents_here.h, and what came of them.
 */
#include <limits.h>

#include "tally_here.h"

static void
publishes(int n)
{
	const struct store_version *v;
	char data[64];
	struct store_change change = { .author = "test", .data = data };

	change.len = (size_t)snprintf(data, sizeof(data),
	    "{\"url\":\"http://%d\"}", n);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
}

static struct store_beat
beat(int n, long long at, long long version, const char *state)
{
	struct store_beat b = {
		.at = at, .applied_version = version, .state = state,
	};

	snprintf(b.id, sizeof(b.id), "%s", name(n));
	return b;
}

static void
tells(long long at, long long version, const char *state, const char *error)
{
	struct store_beat b = beat(1, at, version, state);

	b.error = error;
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

static long long applied;

static void
applies(void *arg, long long ms)
{
	(void)arg, (void)ms;
	applied++;
}

#endif
