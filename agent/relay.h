#ifndef RELAY_H
#define RELAY_H
/*
 * The output of another program, line by line in the agent's log.
 */
#include "loop.h"

enum { RELAY_LINE = 1024 };	/* bytes; what is longer goes in pieces */

struct relay {
	struct loop *loop;	/* borrowed */
	struct loop_watch watch;
	int fd;			/* -1: closed */
	size_t len;
	char line[RELAY_LINE + 1];
};

/* Takes fd, which is non-blocking. */
void relay_start(struct relay *, struct loop *, int fd);
/* Reads what is still there, and closes fd. */
void relay_stop(struct relay *);

#endif
