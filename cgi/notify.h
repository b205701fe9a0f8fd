#ifndef NOTIFY_H
#define NOTIFY_H
/*
 * Tells brokers that there is a new version (contract, section 6). What they
 * carry is a hint: a message may be lost, and the next poll finds what it
 * would have said.
 */
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "buf.h"
#include "notify_talk.h"

struct controller;

enum {
	NOTIFY_MS = 200,	/* all that brokers may cost, of one change */
	NOTIFY_LINKS = 2,
};

/* A broker that is told. */
struct notify_link {
	struct notify_talk talk;
	char said[256];		/* the last failure; "" when well */
	time_t said_at;
};

struct notify {
	struct notify_link links[NOTIFY_LINKS];
	size_t count;
	bool due;
};

/*
 * Reads the URLs; NULL: that broker is not used. Connects to nobody yet.
 * False: error has a line for each that is wrong. notify_close in any case.
 */
bool notify_open(struct notify *, const char *redis, const char *nats,
    struct buf *error);
void notify_close(struct notify *);

/* There is a new version: noted, nothing more. */
void notify_due(struct notify *);
/*
 * When it is due, and outside of any request: tells the present version, as
 * the store has it then, NOTIFY_MS at most.
 */
void notify_turn(struct controller *);

#endif
