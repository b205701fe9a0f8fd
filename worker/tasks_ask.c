/*
 * Requests that wait for the queue. Its answers come later, and the caller
 * may be gone by then: each request has a small struct that lives until
 * both are over.
 */
#include <stdlib.h>

#include "tasks_inner.h"

enum {
	TASKS_FULL = 5,		/* seconds, Retry-After */
	TASKS_DOWN = 2,
};

static void
tasks_ask_free(struct tasks_ask *a)
{
	tasks_read_stay(a);
	free(a);
}

/* httpd: the client went away. */
static void
tasks_ask_gone(void *arg)
{
	struct tasks_ask *a = arg;

	a->route = NULL;
	if (!a->called)
		tasks_ask_free(a);
}

struct tasks_ask *
tasks_ask_new(struct route_request *req, struct route_reply *reply,
    void (*done)(struct queue_call *))
{
	struct tasks_ask *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		route_problem(req, reply, 503, "out of memory");
		return NULL;
	}
	a->worker = req->table->context;
	a->call.done = done;
	a->called = true;
	a->route = req;
	a->request = httpd_later(req, reply, tasks_ask_gone, NULL, a);
	return a;
}

bool
tasks_ask_answered(struct tasks_ask *a)
{
	a->called = false;
	if (a->route != NULL)
		return true;
	tasks_ask_free(a);
	return false;
}

void
tasks_ask_send(struct tasks_ask *a, struct route_reply *reply)
{
	httpd_reply(a->request, reply);
	tasks_ask_free(a);
}

void
tasks_ask_refuse(struct tasks_ask *a, struct route_reply *reply,
    const char *absent)
{
	switch (a->call.end) {
	case QUEUE_FULL:
		route_header(reply, "Retry-After", "%d", (int)TASKS_FULL);
		route_problem(a->route, reply, 503, "the queue is full: "
		    "QUEUE_MAX, %ld", a->worker->settings.queue_max);
		break;
	case QUEUE_ABSENT:
		route_problem(a->route, reply, 404, "%s", absent);
		break;
	case QUEUE_DOWN:
	case QUEUE_DONE:
		route_header(reply, "Retry-After", "%d", (int)TASKS_DOWN);
		route_problem(a->route, reply, 503, "the queue cannot be "
		    "reached");
		break;
	}
}
