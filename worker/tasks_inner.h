#ifndef TASKS_INNER_H
#define TASKS_INNER_H
/*
 * A request that waits for the queue; for the family of tasks alone.
 */
#include <sys/queue.h>

#include "task.h"
#include "tasks.h"

enum {
	TASKS_REPLY = 8192,	/* bytes of an answer, less results */
};

struct tasks_ask {
	struct queue_call call;
	struct worker *worker;
	struct route_request *route;	/* NULL: the caller is gone */
	struct httpd_request *request;
	char id[TOKEN_UUID];
	bool called;			/* the call is not answered yet */
	int64_t until;			/* of a read, the loop's clock */
	struct loop_timer again;
	TAILQ_ENTRY(tasks_ask) line;	/* while it waits for the end */
	bool waits;
};

/* Whose call is about to be made. NULL: reply is a 503. */
struct tasks_ask *tasks_ask_new(struct route_request *, struct route_reply *,
    void (*done)(struct queue_call *));

/* At the begin of each done: false when the caller is gone, and with it the
 * struct. */
bool tasks_ask_answered(struct tasks_ask *);

/* Sends the reply and forgets the request. */
void tasks_ask_send(struct tasks_ask *, struct route_reply *);

/* Makes the answer for every end but DONE. */
void tasks_ask_refuse(struct tasks_ask *, struct route_reply *,
    const char *absent);

/* tasks_read.c: it waits no more. */
void tasks_read_stay(struct tasks_ask *);

/* The handlers. */
void tasks_read(struct route_request *, struct route_reply *);
void tasks_remove(struct route_request *, struct route_reply *);
void tasks_list(struct route_request *, struct route_reply *);

extern const struct field tasks_list_fields[];	/* of a row */

#endif
