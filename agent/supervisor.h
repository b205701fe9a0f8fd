#ifndef SUPERVISOR_H
#define SUPERVISOR_H
/*
 * WORKER_COMMAND: the worker as a child of the agent. It is started, watched,
 * started again with backoff when it ends, and stopped at the end. Without
 * the setting the worker is someone else's, and all this does nothing.
 */
#include <stdint.h>

#include "child.h"
#include "loop.h"
#include "relay.h"
#include "retry.h"
#include "settings.h"

enum {
	SUPERVISOR_STEADY = 10000,	/* ms; who ran that long did not fail
					 * to start */
	SUPERVISOR_PATIENCE = 10000,	/* ms between SIGTERM and SIGKILL */
};

enum supervisor_at {
	SUPERVISOR_OFF, SUPERVISOR_RUNNING, SUPERVISOR_WAITING,
	SUPERVISOR_STOPPING,
};

struct supervisor {
	struct loop *loop;			/* borrowed, as is the next */
	const struct settings *settings;
	void (*ended)(void *arg);	/* the worker is not there any more */
	void (*over)(void *arg);	/* of supervisor_stop */
	void *arg;

	enum supervisor_at at;
	struct child child;
	struct relay relay;
	struct loop_timer timer;
	struct retry retry;
	int64_t since;			/* loop_now of the start */
	long long starts;
};

/* Takes SIGCHLD of the loop. ended: called whenever the worker ended by
 * itself. */
void supervisor_start(struct supervisor *, struct loop *,
    const struct settings *, void (*ended)(void *arg), void *arg);
/* SIGTERM; SIGKILL after SUPERVISOR_PATIENCE, or when called once more. over
 * is called, maybe at once, when nothing of the worker is left. */
void supervisor_stop(struct supervisor *, void (*over)(void *arg));

#endif
