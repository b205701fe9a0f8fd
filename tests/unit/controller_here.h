#ifndef CONTROLLER_HERE_H
#define CONTROLLER_HERE_H
/*
 * A controller in a folder of its own, for the unit tests of what it keeps
 * for the fast path.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../cgi/controller.h"
#include "unit.h"

static struct controller c;
static char folder[64];

static void
controller_here(bool keeps)
{
	const struct setting_source none = { .get = NULL };
	struct buf error = BUF_INIT(1024);

	snprintf(folder, sizeof(folder), "/tmp/dcm-front.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	setenv("STATE_DIR", folder, 1);
	setenv("ADMIN_API_KEY", "admin", 1);
	setenv("AGENT_API_KEY", "agent", 1);
	CHECK(controller_start(&c, NULL, &error));
	CHECK(controller_load(&c, none));
	c.front.keeps = keeps;
}

static void
controller_gone(void)
{
	char line[96];

	controller_stop(&c);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	CHECK(system(line) == 0);
}

#endif
