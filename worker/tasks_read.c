/*
 * What became of a task, at once or at its end. A caller may wait for it: it
 * is looked at again when a task was settled here, and once a second, for
 * another worker may have done it.
 */
#include <string.h>

#include "task_result.h"
#include "tasks_inner.h"

enum { TASKS_LOOK = 1000 };	/* ms between two looks */

static TAILQ_HEAD(, tasks_ask) tasks_read_waiting =
    TAILQ_HEAD_INITIALIZER(tasks_read_waiting);

void
tasks_read_stay(struct tasks_ask *a)
{
	if (!a->waits)
		return;
	a->waits = false;
	TAILQ_REMOVE(&tasks_read_waiting, a, line);
	loop_timer_stop(a->worker->loop, &a->again);
}

static void
tasks_read_show(struct tasks_ask *a, const struct queue_record *r)
{
	struct task_result now = {
		.id = a->id, .state = r->state, .error = r->error,
		.attempts = r->attempts,
	};
	struct route_reply reply;

	route_reply_init(&reply, TASKS_REPLY +
	    (r->result != NULL ? strlen(r->result) : 0));
	reply.status = 200;
	reply.type = "application/json";
	route_header(&reply, "Cache-Control", "no-store");
	if (r->result != NULL)
		buf_str(&reply.body, r->result);
	else
		task_result_write(&now, &reply.body);
	tasks_ask_send(a, &reply);
}

static void
tasks_read_look(struct tasks_ask *a)
{
	tasks_read_stay(a);
	a->called = true;
	queue_read(a->worker->tasks->queue, a->id, &a->call);
}

static void
tasks_read_look_again(struct loop_timer *timer)
{
	tasks_read_look(LOOP_OF(struct tasks_ask, again, timer));
}

static void
tasks_read_wait(struct tasks_ask *a, int64_t left)
{
	a->waits = true;
	TAILQ_INSERT_TAIL(&tasks_read_waiting, a, line);
	a->again.fire = tasks_read_look_again;
	loop_timer_start(a->worker->loop, &a->again,
	    left < TASKS_LOOK ? left : TASKS_LOOK);
}

static void
tasks_read_found(struct queue_call *call)
{
	struct tasks_ask *a = LOOP_OF(struct tasks_ask, call, call);
	int64_t left = a->until - loop_now(a->worker->loop);
	struct route_reply reply;

	if (!tasks_ask_answered(a))
		return;
	if (call->end != QUEUE_DONE || call->count == 0) {
		route_reply_init(&reply, TASKS_REPLY);
		tasks_ask_refuse(a, &reply, "there is no such task, or its "
		    "result has expired");
		tasks_ask_send(a, &reply);
	} else if (call->records[0].state <= QUEUE_PENDING && left > 0 &&
	    !a->worker->tasks->draining) {
		tasks_read_wait(a, left);
	} else {
		tasks_read_show(a, &call->records[0]);
	}
}

static void
tasks_read_settled(void *arg, const char *id)
{
	struct tasks_ask *a, *next;

	(void)arg;
	for (a = TAILQ_FIRST(&tasks_read_waiting); a != NULL; a = next) {
		next = TAILQ_NEXT(a, line);
		if (strcmp(a->id, id) == 0)
			tasks_read_look(a);
	}
}

void
tasks_read(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct tasks_ask *a = tasks_ask_new(req, reply, tasks_read_found);

	if (a == NULL)
		return;
	w->tasks->settled = tasks_read_settled;
	memcpy(a->id, route_value(req, "task_id"), TOKEN_UUID);
	a->until = loop_now(w->loop);
	if (!httpd_crowded(w->httpd))
		a->until += route_number(req, "wait", 0) * 1000;
	tasks_read_look(a);
}

void
tasks_release(struct worker *w)
{
	struct tasks_ask *a, *next;

	(void)w;
	for (a = TAILQ_FIRST(&tasks_read_waiting); a != NULL; a = next) {
		next = TAILQ_NEXT(a, line);
		tasks_read_look(a);
	}
}
