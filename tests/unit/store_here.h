#ifndef STORE_HERE_H
#define STORE_HERE_H
/*
 * A store in a folder of its own, for the unit tests of the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../cgi/store.h"
#include "unit.h"

static char folder[64], path[96];

static void
folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/dcm-store.XXXXXX");
	if (mkdtemp(folder) == NULL)
		UNIT_FAIL("mkdtemp");
	snprintf(path, sizeof(path), "%s/controller.db", folder);
}

static void
folder_remove(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", folder);
	CHECK(system(line) == 0);
}

static struct store *
store_here(const char *journal)
{
	struct store_options options = {
		.path = path,
		.journal = journal,
		.interval = 30,
		.busy_ms = 20000,
	};

	return store_new(&options);
}

#endif
