#ifndef GATEWAY_HOLD_H
#define GATEWAY_HOLD_H
/*
 * The requests that a process holds: kept as variables, connection and
 * number, and run again from the start when the version has moved or their
 * time is over.
 */
#include "gateway.h"
#include "held.h"
#include "watch.h"

struct gateway_hold {
	struct watch watch;		/* first */
	struct controller *c;
	struct route_table table;
	struct held gauge;
	bool uncounted;			/* it could not be opened */
	char etag[ETAG_SIZE];		/* that they wait to be replaced */
	size_t room;			/* for so many */
	int64_t told;			/* when it was said that it is full */
};

void gateway_hold_open(struct gateway_hold *, struct controller *,
    struct loop *);
/* Answers all that are held. */
void gateway_hold_close(struct gateway_hold *);

/* Before a request: whether it may be held. Who came with other settings is
 * answered now, for he would be asked of another store. */
bool gateway_hold_room(struct gateway_hold *, char *const *variables);

/* After gateway_answer has set c->hold.seconds: holds the request and takes
 * the connection. False: out of memory, nothing was done. */
bool gateway_hold_keep(struct gateway_hold *, int fd, int id,
    char *const *variables, const struct timespec *since);

/* Looks whether the version moved; then all are answered, in the loop's next
 * turns. */
void gateway_hold_look(struct gateway_hold *);

#endif
