#ifndef REFUSAL_H
#define REFUSAL_H
/*
 * Credentials that were not good, counted by address in a file that all
 * processes share, STATE_DIR/refusals: for the audit, where they become one
 * row for each address and minute, and for the throttle of passwords.
 *
 * An IPv6 address counts by its /64, which is what one host is given; one
 * that stands for an IPv4 address counts as that.
 */
#include <stdbool.h>

#include "store.h"

enum {
	REFUSAL_MAX = 10,		/* wrong ones in a minute */
	REFUSAL_WAIT_MS = 60000,	/* then no passwords for so long */
	REFUSAL_ADDRESS = 48,		/* an address with its NUL */
};

struct refusal {
	char *path;		/* NULL: nowhere, nothing is counted */
	int fd;			/* -1: not open */
};

/* What was refused. Borrowed; long texts are cut. */
struct refusal_said {
	const char *address;	/* numeric, or "" */
	const char *request_id;
	const char *kind;	/* "Basic", "X-API-Key" … */
	const char *name;	/* a known user name, or NULL */
	bool checked;		/* false: it was not even looked at */
};

void refusal_open(struct refusal *);
/* Counted in state_dir from now on. False: out of memory. */
bool refusal_place(struct refusal *, const char *state_dir);
void refusal_close(struct refusal *);

/* Never fails visibly, and never waits for a disk. now: ms since 1970. */
void refusal_note(struct refusal *, const struct refusal_said *,
    long long now);

/* Milliseconds until passwords from the address are looked at again; 0 when
 * they are now. */
long long refusal_wait(struct refusal *, const char *address, long long now);

/*
 * Folds what was counted into the store's audit, unless another process
 * does: the minutes that are over at `now`, or all. Cheap when there is
 * nothing.
 */
void refusal_fold(struct refusal *, struct store *, long long now, bool all);

/* The address as it is counted. */
void refusal_address(char out[REFUSAL_ADDRESS], const char *remote);

#endif
