#ifndef REFUSAL_INNER_H
#define REFUSAL_INNER_H
/*
 * What the files of refusal share: how the file of counts is laid out, and
 * its lock.
 */
#include <stdint.h>
#include <sys/types.h>

#include "refusal.h"

enum {
	REFUSAL_WAYS = 8,
	REFUSAL_SETS = 256,
	REFUSAL_TURNS = 50,		/* tries for the lock, 1 ms apart */
	REFUSAL_TURNS_NOTE = 300,	/* of who has something to count */
	REFUSAL_MINUTE_MS = 60000,
};

#define REFUSAL_MAGIC "dcmref1"

struct refusal_head {
	char magic[8];
	unsigned char key[16];		/* of the hash */
	int64_t until;			/* the last throttle ends */
	int64_t oldest;			/* minute to be folded; 0: none */
};

/* For the throttle. */
struct refusal_watch {
	char address[REFUSAL_ADDRESS];
	int64_t since;			/* of the minute that counts */
	int64_t count;
	int64_t until;			/* no passwords before that */
};

/* For the audit; count 0: a free place. */
struct refusal_tally {
	char address[REFUSAL_ADDRESS];
	int64_t minute;			/* its start */
	int64_t count;
	char request_id[72];
	char kind[16];
	char name[64];
};

struct refusal_watches { struct refusal_watch way[REFUSAL_WAYS]; };
struct refusal_tallies { struct refusal_tally way[REFUSAL_WAYS]; };

/* Where the sets lie; one more of tallies, for "elsewhere". */
enum {
	REFUSAL_WATCHES = sizeof(struct refusal_head),
	REFUSAL_TALLIES = REFUSAL_WATCHES +
	    REFUSAL_SETS * sizeof(struct refusal_watches),
	REFUSAL_SPOTS = (REFUSAL_SETS + 1) * REFUSAL_WAYS,
};

/* --- refusal_file.c --- */

/* All or nothing. */
bool refusal_read(const struct refusal *, void *into, size_t n, off_t at);
void refusal_write(const struct refusal *, const void *from, size_t n,
    off_t at);

/* Locks and reads the head; a file that is none of ours begins anew. note:
 * there is something to count, so that a file is made where there is none, and
 * the lock waited for longer. False: not locked. */
bool refusal_lock(struct refusal *, bool note, struct refusal_head *);
void refusal_unlock(const struct refusal *);

/* The head as it is, without the lock: for what may be a moment old. */
bool refusal_peek(struct refusal *, struct refusal_head *);

#endif
