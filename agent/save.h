#ifndef SAVE_H
#define SAVE_H
/*
 * Keeps the state file as the state is. A file that cannot be written is
 * tried again at a fixed interval, and so is a lock that could not be had;
 * nothing else waits for them.
 */
#include <stdbool.h>

#include "loop.h"
#include "state.h"

enum { SAVE_RETRY = 5000 };	/* ms */

struct save {
	struct loop *loop;		/* borrowed, as are the next two */
	struct state *state;		/* only `unlocked` is written */
	const char *path;
	struct loop_timer timer;	/* runs while the file is behind
					 * or not locked */
	int error;			/* errno of the last try; 0 */
	long long failures;		/* for /metrics: of all tries */
};

void save_start(struct save *, struct loop *, struct state *,
    const char *path);
void save_now(struct save *);
void save_stop(struct save *);	/* a last try, if there is need */

#endif
