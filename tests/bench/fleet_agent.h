#ifndef FLEET_AGENT_H
#define FLEET_AGENT_H
/*
 * The played agents, 68 bytes each, and when each of them is due: a wheel of
 * milliseconds, and the queue of those whose time has come.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	AGENT_SLOTS = 1 << 16,	/* ms; who is due later goes round again */
	AGENT_SIGN = 44,	/* characters of a token's signature, NUL */
};
#define AGENT_NONE	UINT32_MAX

struct agent {
	uint32_t due;		/* ms since the start */
	uint32_t next, prev;	/* in its list */
	uint32_t list;		/* a slot, or one of enum agent_list */
	uint16_t tag;		/* what it has: see fleet_ask.h */
	uint8_t failures;	/* in a row */
	bool hinted;		/* a message told it to ask */
	bool denied;		/* 401: it registers next */
	uint8_t generation;	/* of its token */
};

enum agent_list {
	AGENT_READY = AGENT_SLOTS,
	AGENT_ASKS,		/* in no list */
};

struct agent_set {
	struct agent *all;	/* owned, as the next two */
	char (*sign)[AGENT_SIGN];	/* NULL: no tokens */
	uint32_t *slot;		/* the first of each */
	uint32_t n;
	uint32_t turned;	/* ms: slots before this one are empty */
	uint32_t first, last;	/* of those that are ready, */
	uint32_t waits;		/* and how many these are */
};

/* False: out of memory. key: NULL, or the path of the controller's key; an
 * unreadable one is said, and false. */
bool agents_open(struct agent_set *, uint32_t n, uint64_t seed,
    const char *key);
void agents_close(struct agent_set *);

/* Who is in no list waits until `due`. */
void agents_wait(struct agent_set *, uint32_t who, uint32_t due);
/* Who waits, waits until `due` instead. */
void agents_move(struct agent_set *, uint32_t who, uint32_t due);

/* Those who are due at `now` are ready. */
void agents_turn(struct agent_set *, uint32_t now);
/* The one that has been ready for longest, AGENT_NONE when nobody is. It is
 * in no list then. */
uint32_t agents_take(struct agent_set *);

#endif
