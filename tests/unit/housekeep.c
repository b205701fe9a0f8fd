/*
 * What a process does in its idle moments: when it leaves something to others.
 */
#include "unit.h"

#include "../../cgi/housekeep.c"

#include <string.h>
#include <sys/stat.h>

#include "controller_here.h"

/* Heartbeats with news, until their WAL is worth a checkpoint. */
static void
grows(void)
{
	struct store_beat b = { .state = "ok", .trusted = true };
	int folds = 0;

	memcpy(b.id, "11111111-1111-4111-8111-111111111111", TOKEN_UUID);
	while (!store_live_grown(c.store, c.prompt) && folds++ < 100000) {
		b.at = b.applied_version = folds;
		CHECK_INT(store_fold(c.store, &b, 1, clock_wall()),
		    STORE_DONE);
	}
	CHECK(store_live_grown(c.store, c.prompt));
}

static void
begins(void)
{
	const struct store_version *v;

	controller_here(true);
	CHECK_INT(controller_current(&c, &v), STORE_DONE);
	front_publish(&c);	/* makes the folder of heartbeats */
	grows();
}

UNIT("the WAL of heartbeats is put away when nobody folds, and then alone")
{
	int lock;

	begins();
	lock = beat_lock(&c.beat);
	CHECK(lock >= 0);
	housekeep_live(&c);
	CHECK(store_live_grown(c.store, c.prompt));
	close(lock);
	housekeep_live(&c);
	CHECK(!store_live_grown(c.store, c.prompt));
	/* and the lock is free again */
	lock = beat_lock(&c.beat);
	CHECK(lock >= 0);
	close(lock);
	controller_gone();
}

UNIT("who is prompt leaves it to others until it has grown far")
{
	begins();
	c.prompt = true;
	CHECK(!store_live_grown(c.store, c.prompt));
	housekeep_live(&c);
	c.prompt = false;
	CHECK(store_live_grown(c.store, c.prompt));
	c.prompt = true;
	grows();
	housekeep_live(&c);
	CHECK(!store_live_grown(c.store, c.prompt));
	controller_gone();
}

UNIT("where no lock can be had, it is put away all the same")
{
	char place[128];

	begins();
	snprintf(place, sizeof(place), "%s/beats/lock", folder);
	CHECK(mkdir(place, 0700) == 0);
	housekeep_live(&c);
	CHECK(!store_live_grown(c.store, c.prompt));
	controller_gone();
}

UNIT_MAIN
