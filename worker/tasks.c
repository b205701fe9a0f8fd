/*
 * Tasks for callers: which GET /hit becomes one, and the rows of what can be
 * asked about them.
 */
#include "tasks.h"

#include <string.h>

#include "clock.h"
#include "measure.h"
#include "routes.h"
#include "target.h"
#include "task_result.h"
#include "tasks_inner.h"

/* Whether a list of preferences (RFC 7240) has respond-async. */
static bool
tasks_prefers(const char *list)
{
	static const char word[] = "respond-async";
	size_t len = sizeof(word) - 1;

	while (list != NULL && *list != '\0') {
		list += strspn(list, " \t,");
		if (strncasecmp(list, word, len) == 0 &&
		    (list[len] == '\0' || strchr(" \t,;=", list[len]) != NULL))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

bool
tasks_wanted(const struct worker *w, const struct route_request *req)
{
	if (strcmp(req->method, "GET") != 0)
		return false;
	if (route_value(req, "async") != NULL)
		return route_flag(req, "async");
	return tasks_prefers(req->header(req, "Prefer")) ||
	    strcmp(w->settings.hit_mode, "async") == 0;
}

static void
tasks_posted(struct queue_call *call)
{
	struct tasks_ask *a = LOOP_OF(struct tasks_ask, call, call);
	struct route_reply reply;

	measure_push(a->worker, call->end);
	if (!tasks_ask_answered(a))
		return;
	route_reply_init(&reply, TASKS_REPLY);
	if (call->end != QUEUE_DONE) {
		tasks_ask_refuse(a, &reply, "");
	} else {
		reply.status = 202;
		reply.type = "application/json";
		route_header(&reply, "Location", "%s/hit/%s",
		    a->route->prefix, a->id);
		if (tasks_prefers(a->route->header(a->route, "Prefer")))
			route_header(&reply, "Preference-Applied",
			    "respond-async");
		buf_printf(&reply.body, "{\"task_id\":\"%s\",\"status\":"
		    "\"queued\"}", a->id);
	}
	tasks_ask_send(a, &reply);
}

/* The configuration, with the caller's Via where he sent one. */
static struct queue_text *
tasks_text(const struct worker *w, const char *caller)
{
	struct buf text = BUF_INIT(2 * CURRENT_BODY_MAX);
	struct queue_text *made = NULL;

	current_body(w->current, caller, &text);
	if (!text.failed)
		made = queue_text_new(text.data, text.len);
	buf_free(&text);
	return made;
}

/* What the task runs with, most times made once for each configuration. Gives
 * a reference. */
static struct queue_text *
tasks_snapshot(struct worker *w, const char *caller)
{
	if (caller != NULL)
		return tasks_text(w, caller);
	if (w->snapshot == NULL)
		w->snapshot = tasks_text(w, NULL);
	return w->snapshot != NULL ? queue_text_hold(w->snapshot) : NULL;
}

void
tasks_post(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct queue_task task = {
		.created_at = clock_wall(),
		.config = tasks_snapshot(w, target_caller(req)),
	};
	struct tasks_ask *a;

	if (task.config == NULL) {
		route_problem(req, reply, 503, "out of memory");
		return;
	}
	a = tasks_ask_new(req, reply, tasks_posted);
	if (a != NULL) {
		/* An index of names that come in their order has one page
		 * that changes, not one for each task. */
		token_uuid_timed(task.id, task.created_at);
		memcpy(a->id, task.id, TOKEN_UUID);
		queue_push(w->tasks->queue, &task, &a->call);
	}
	queue_text_drop(task.config);
}

/* --- the rows ----------------------------------------------------------- */

#define TASKS_ID	"0b0e4dc8-8f7c-4c1b-9b1f-5a3c1f6f2a11"

#define TASKS_DOWN_ANSWER						\
	{ .status = 503, .doc = "The queue cannot be reached",		\
	    .type = "application/problem+json",				\
	    .headers = "Retry-After",					\
	    .example = "{\"type\":\"about:blank\",\"title\":\"Service "	\
	    "Unavailable\",\"status\":503,\"detail\":\"the queue cannot "\
	    "be reached\",\"request_id\":\"5f0c2a\"}" }

static const struct route_param tasks_read_params[] = {
	{ .name = "task_id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID,
	    .example = TASKS_ID, .doc = "From the 202" },
	{ .name = "wait", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .max = 60, .fallback = "0", .example = "10",
	    .doc = "Seconds to wait for its end before answering" },
	{ .name = NULL },
};

static const struct route_param tasks_remove_params[] = {
	{ .name = "task_id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID,
	    .example = TASKS_ID, .doc = "From the 202" },
	{ .name = NULL },
};

static const struct route_param tasks_list_params[] = {
	{ .name = "state", .in = ROUTE_IN_QUERY, .kind = ROUTE_WORD,
	    .choices = "queued pending completed failed",
	    .example = "failed", .doc = "Only those" },
	{ .name = "limit", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 1, .max = 1000, .fallback = "100", .example = "10",
	    .doc = "How many at most" },
	{ .name = "after", .in = ROUTE_IN_QUERY, .kind = ROUTE_UUID,
	    .example = TASKS_ID, .doc = "The last one of the page before" },
	{ .name = NULL },
};

static const struct route_answer tasks_read_answers[] = {
	{ .status = 200, .doc = "How it stands. `completed`: the target "
	    "answered, whatever it answered, its own 4xx and 5xx too. Only a "
	    "target that cannot be reached, is too slow or breaks off is "
	    "tried again (`pending`), WORKER_RETRY_MAX times with growing "
	    "pauses; then the task is `failed`, and at once where its address "
	    "is refused or its body is longer than MAX_RESULT_BYTES",
	    .type = "application/json",
	    .fields = task_result_fields, .headers = "Cache-Control",
	    .example = "{\"task_id\":\"" TASKS_ID "\",\"status\":"
	    "\"completed\",\"status_code\":200,\"content_type\":"
	    "\"text/plain\",\"body\":\"203.0.113.7\\n\",\"body_encoding\":"
	    "\"utf-8\",\"error\":null,\"attempts\":1}" },
	TASKS_DOWN_ANSWER,
	{ .status = 0 },
};

static const struct route_answer tasks_remove_answers[] = {
	{ .status = 204, .doc = "It is gone; if it ran, it was cancelled" },
	TASKS_DOWN_ANSWER,
	{ .status = 0 },
};

static const struct route_answer tasks_list_answers[] = {
	{ .status = 200, .doc = "In the order of their arrival",
	    .type = "application/json", .fields = tasks_list_fields,
	    .list = true, .headers = "Cache-Control Link",
	    .example = "[{\"task_id\":\"" TASKS_ID "\",\"status\":"
	    "\"failed\",\"attempts\":4,\"created_at\":"
	    "\"2026-01-26T12:00:00.000Z\",\"ended_at\":"
	    "\"2026-01-26T12:00:09.000Z\",\"error\":\"the target is too "
	    "slow: no answer in time\"}]" },
	{ .status = 404, .doc = "`after` names no task (any more)",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Not Found\","
	    "\"status\":404,\"detail\":\"`after` names no task\","
	    "\"request_id\":\"5f0c2a\"}" },
	TASKS_DOWN_ANSWER,
	{ .status = 0 },
};

const struct route tasks_routes[] = {
	{ .method = "GET", .path = "/hit/{task_id}", .id = "readTask",
	    .tag = "tasks", .summary = "What became of a task",
	    .params = tasks_read_params, .answers = tasks_read_answers,
	    .handle = tasks_read },
	{ .method = "DELETE", .path = "/hit/{task_id}", .id = "removeTask",
	    .tag = "tasks", .summary = "Forget a task, and cancel it if it "
	    "runs here", .who = ROUTE_KEY, .params = tasks_remove_params,
	    .answers = tasks_remove_answers, .handle = tasks_remove },
	{ .method = "GET", .path = "/tasks", .id = "listTasks",
	    .tag = "tasks", .summary = "Tasks, the oldest first",
	    .who = ROUTE_KEY, .params = tasks_list_params,
	    .answers = tasks_list_answers, .handle = tasks_list },
	{ .path = NULL },
};
