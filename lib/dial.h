#ifndef DIAL_H
#define DIAL_H
/*
 * A TCP connection to a host by its name, without waiting: steps between
 * which whoever dials polls dial->fd for dial->events.
 */
#include <netdb.h>
#include <stdbool.h>

#include "resolve.h"

enum dial_end { DIAL_WAIT, DIAL_DONE, DIAL_FAILED };

struct dial {
	int fd;			/* to poll; changes with each step */
	short events;
	char why[128];		/* after DIAL_FAILED */
	struct resolve *resolve;	/* the dial's own, as is the rest */
	const struct addrinfo *next;	/* to be tried */
	int socket;		/* -1: none */
};

/* Begins; the first step may come at once. dial_stop in any case. */
enum dial_end dial_start(struct dial *, const char *host, int port);
/* After fd was ready. DONE: dial_take gives the connection. */
enum dial_end dial_step(struct dial *);
/* A socket, non-blocking, closed on exec, without Nagle's delay. */
int dial_take(struct dial *);
void dial_stop(struct dial *);

#endif
