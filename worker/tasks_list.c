/*
 * Tasks for who has the key: all of them, and away with one.
 */
#include <string.h>

#include "task_result.h"
#include "tasks_inner.h"

enum { TASKS_PAGE = 4096 };	/* bytes of a row */

static void
tasks_list_removed(struct queue_call *call)
{
	struct tasks_ask *a = LOOP_OF(struct tasks_ask, call, call);
	struct route_reply reply;

	if (call->end == QUEUE_DONE)
		task_cancel(a->worker->tasks, a->id);
	if (!tasks_ask_answered(a))
		return;
	route_reply_init(&reply, TASKS_REPLY);
	if (call->end == QUEUE_DONE)
		reply.status = 204;
	else
		tasks_ask_refuse(a, &reply, "there is no such task");
	tasks_ask_send(a, &reply);
}

void
tasks_remove(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct tasks_ask *a = tasks_ask_new(req, reply, tasks_list_removed);

	if (a == NULL)
		return;
	memcpy(a->id, route_value(req, "task_id"), TOKEN_UUID);
	queue_remove(w->tasks->queue, a->id, &a->call);
}

struct tasks_row {
	char *id, *status, *error;
	long long attempts, created_at, ended_at;
};

const struct field tasks_list_fields[] = {
	{ .name = "task_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct tasks_row, id), .format = "uuid" },
	{ .name = "status", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct tasks_row, status),
	    .choices = "queued pending completed failed" },
	{ .name = "attempts", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct tasks_row, attempts) },
	{ .name = "created_at", .kind = FIELD_TIME, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct tasks_row, created_at) },
	{ .name = "ended_at", .kind = FIELD_TIME,
	    .offset = offsetof(struct tasks_row, ended_at),
	    .doc = "null while it is not over" },
	{ .name = "error", .kind = FIELD_TEXT,
	    .offset = offsetof(struct tasks_row, error) },
	{ .name = NULL },
};

static void
tasks_list_write(struct tasks_ask *a, struct route_reply *reply)
{
	const char *state = route_value(a->route, "state");
	size_t limit = (size_t)route_number(a->route, "limit", 100);
	char name[16];

	reply->status = 200;
	reply->type = "application/json";
	route_header(reply, "Cache-Control", "no-store");
	buf_char(&reply->body, '[');
	for (size_t i = 0; i < a->call.count; i++) {
		struct queue_record *r = &a->call.records[i];
		struct tasks_row row = { r->id, name, r->error, r->attempts,
		    r->created_at, r->ended_at };

		strcpy(name, queue_state_name(r->state));
		buf_str(&reply->body, i > 0 ? "," : "");
		fields_write(tasks_list_fields, &row, &reply->body);
	}
	buf_char(&reply->body, ']');
	if (a->call.count == limit)
		route_header(reply, "Link", "<%s/tasks?after=%s&limit=%zu"
		    "%s%s>; rel=\"next\"", a->route->prefix,
		    a->call.records[limit - 1].id, limit,
		    state != NULL ? "&state=" : "",
		    state != NULL ? state : "");
}

static void
tasks_list_listed(struct queue_call *call)
{
	struct tasks_ask *a = LOOP_OF(struct tasks_ask, call, call);
	struct route_reply reply;

	if (!tasks_ask_answered(a))
		return;
	route_reply_init(&reply, TASKS_REPLY + call->count * TASKS_PAGE);
	if (call->end == QUEUE_DONE)
		tasks_list_write(a, &reply);
	else
		tasks_ask_refuse(a, &reply, "`after` names no task");
	tasks_ask_send(a, &reply);
}

static enum queue_state
tasks_list_state(const char *name)
{
	enum queue_state state = QUEUE_QUEUED;

	if (name == NULL)
		return QUEUE_ANY;
	while (strcmp(queue_state_name(state), name) != 0)
		state++;
	return state;
}

void
tasks_list(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct tasks_ask *a = tasks_ask_new(req, reply, tasks_list_listed);
	const char *after = route_value(req, "after");
	struct queue_page page = {
		.state = tasks_list_state(route_value(req, "state")),
		.limit = (size_t)route_number(req, "limit", 100),
	};

	if (a == NULL)
		return;
	if (after != NULL)
		memcpy(page.after, after, TOKEN_UUID);
	queue_list(w->tasks->queue, &page, &a->call);
}
