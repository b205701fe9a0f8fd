#ifndef AGENTS_HERE_H
#define AGENTS_HERE_H
/*
 * Agents by number, for the unit tests of what the store knows of them.
 */
#include "store_here.h"

static struct store *s;

/* The id of agent n, until the next is asked for. */
static const char *
name(int n)
{
	static char id[TOKEN_UUID];

	snprintf(id, sizeof(id), "%08u-0000-4000-8000-abcdef012345",
	    (unsigned)n % 100000000);
	return id;
}

static void
joins(int n)
{
	struct store_agent a = { .registered_at = 1 };
	char text[] = "here";
	long long generation;

	a.address = text;
	snprintf(a.id, sizeof(a.id), "%s", name(n));
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
}

#endif
