#ifndef GATHER_H
#define GATHER_H
/*
 * Heartbeats of a process that notes many thousand a second, gathered for
 * GATHER_MS at most: one write(2) carries them to the file of their slot
 * (beat.h). One that comes alone is written before gather_note returns.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "beat.h"

enum {
	GATHER_MS = 10,
	GATHER_SIZE = 16 << 10,
};

struct gather {
	struct beat beat;
	bool alone;		/* there can be no thread: none is gathered */
	bool runs;
	pthread_t thread;
	pthread_mutex_t lock;	/* of what follows, and of the beat */
	pthread_cond_t some;	/* there is something, or the end */
	bool idle, ends;
	long long wrote;	/* ms since 1970 */
	size_t len;
	char lines[GATHER_SIZE];
};

/* For STATE_DIR/beats. NULL: out of memory. */
struct gather *gather_open(const char *state_dir);

/* Writes what is left; waits for the thread, which may take GATHER_MS. */
void gather_close(struct gather *);

/* As beat_note. In a process that was forked from the one that opened it:
 * false, and nothing is noted. */
bool gather_note(struct gather *, const struct store_beat *, int status);

#endif
