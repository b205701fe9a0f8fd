#ifndef HOUSEKEEP_H
#define HOUSEKEEP_H
/*
 * What has to be done beside the requests: heartbeats into the store, a WAL
 * into its database, refused credentials into the audit, and what is old
 * out of it; and the files of lighttpd's fast path.
 */
#include "controller.h"

enum {
	HOUSEKEEP_MS = 1000,		/* between two turns of one process, */
	HOUSEKEEP_MORE_MS = 200,	/* or this when it left something */
	HOUSEKEEP_LATE_MS = 1200,	/* that heartbeats are left to others */
	/* for marking agents that fell silent: while somebody waits for an
	 * answer, and while nobody does */
	HOUSEKEEP_ASKED_MS = 50,
	HOUSEKEEP_IDLE_MS = 500,
	HOUSEKEEP_PURGE_MS = 3600000,	/* between two looks for old rows */
};

/* Heartbeats into the store now, and who fell silent. */
void housekeep_agents(struct controller *);

/* One turn, when the last one is long enough ago; cheap when there is
 * nothing to do. */
void housekeep_turn(struct controller *);

#endif
