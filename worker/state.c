/*
 * How the worker is: for the agent, which asks whether it must deliver, and
 * for whoever watches. Open to anyone, so it names no URL.
 */
#include <string.h>

#include "routes.h"
#include "task.h"
#include "worker.h"

struct state_shown {
	char *instance, *program, *etag;
	long long started, since, version, active, connections;
	struct worker_counts counts;
	struct state_tasks {
		long long accepted, running, completed, failed, again;
		long long queued, pending;
		bool queue_up;
	} tasks;
};

#define COUNT(what)	\
	(offsetof(struct state_shown, counts) +	\
	offsetof(struct worker_counts, what))

static const struct field state_hits_fields[] = {
	{ .name = "total", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, hits),
	    .doc = "Asked for" },
	{ .name = "passed", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, passed),
	    .doc = "Whole answers of a target, whatever their status" },
	{ .name = "unconfigured", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, unconfigured),
	    .doc = "503: there was no configuration" },
	{ .name = "unreachable", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, unreachable),
	    .doc = "502: the target could not be reached" },
	{ .name = "refused", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, refused),
	    .doc = "502: its address is special and not in ALLOW_CIDR" },
	{ .name = "broken", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, broken),
	    .doc = "The target broke off, answered what is no HTTP, or leads "
	    "back to this worker" },
	{ .name = "late", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, late),
	    .doc = "The target was too slow" },
	{ .name = "cut", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, cut),
	    .doc = "Cut off at MAX_RESPONSE_BYTES" },
	{ .name = "crowded", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, crowded),
	    .doc = "503: too many hits were under way" },
	{ .name = "left", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, left),
	    .doc = "The client went away" },
	{ .name = "bytes", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct worker_counts, bytes),
	    .doc = "Of bodies passed on" },
	{ .name = NULL },
};

#define TASKS(what)	offsetof(struct state_tasks, what)

static const struct field state_tasks_fields[] = {
	{ .name = "accepted", .kind = FIELD_WHOLE, .offset = TASKS(accepted),
	    .doc = "Answered with 202" },
	{ .name = "running", .kind = FIELD_WHOLE, .offset = TASKS(running),
	    .doc = "Here, now" },
	{ .name = "completed", .kind = FIELD_WHOLE,
	    .offset = TASKS(completed), .doc = "By this worker" },
	{ .name = "failed", .kind = FIELD_WHOLE, .offset = TASKS(failed),
	    .doc = "By this worker" },
	{ .name = "tried_again", .kind = FIELD_WHOLE, .offset = TASKS(again),
	    .doc = "Attempts that another follows" },
	{ .name = "queued", .kind = FIELD_WHOLE, .offset = TASKS(queued),
	    .doc = "In the queue, not begun" },
	{ .name = "pending", .kind = FIELD_WHOLE, .offset = TASKS(pending),
	    .doc = "In the queue, running or to be tried again" },
	{ .name = "queue_up", .kind = FIELD_BOOL, .offset = TASKS(queue_up),
	    .doc = "Whether the queue can be reached" },
	{ .name = NULL },
};

static const struct field state_shown_fields[] = {
	{ .name = "instance_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_shown, instance),
	    .format = "uuid", .doc = "Another one after every start" },
	{ .name = "program", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_shown, program),
	    .doc = "Name and version" },
	{ .name = "started_at", .kind = FIELD_TIME, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_shown, started) },
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_shown, version),
	    .doc = "Of the configuration in force; 0: none, or without a "
	    "number" },
	{ .name = "etag", .kind = FIELD_TEXT,
	    .offset = offsetof(struct state_shown, etag),
	    .doc = "Its entity tag" },
	{ .name = "since", .kind = FIELD_TIME,
	    .offset = offsetof(struct state_shown, since),
	    .doc = "When it came into force" },
	{ .name = "configs_taken", .kind = FIELD_WHOLE,
	    .offset = COUNT(taken), .doc = "Deliveries accepted" },
	{ .name = "configs_refused", .kind = FIELD_WHOLE,
	    .offset = COUNT(rejected), .doc = "Deliveries refused" },
	{ .name = "connections", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct state_shown, connections),
	    .doc = "Of clients, now" },
	{ .name = "active_hits", .kind = FIELD_WHOLE,
	    .offset = offsetof(struct state_shown, active),
	    .doc = "Under way, now" },
	{ .name = "hits", .kind = FIELD_OBJECT,
	    .offset = offsetof(struct state_shown, counts),
	    .fields = state_hits_fields, .doc = "Since the start" },
	{ .name = "tasks", .kind = FIELD_OBJECT,
	    .offset = offsetof(struct state_shown, tasks),
	    .fields = state_tasks_fields, .doc = "Since the start, here" },
	{ .name = NULL },
};

struct state_health {
	char *status;
	bool has_config;
};

static const struct field state_health_fields[] = {
	{ .name = "status", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_health, status),
	    .choices = "ok" },
	{ .name = "has_config", .kind = FIELD_BOOL, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct state_health, has_config),
	    .doc = "Whether a configuration is in force" },
	{ .name = NULL },
};

static void
state_tasks(const struct worker *w, struct state_tasks *shown)
{
	struct queue_facts facts;

	queue_facts(w->tasks->queue, &facts);
	shown->accepted = w->counts.tasks_accepted;
	shown->running = (long long)w->tasks->running;
	shown->completed = w->counts.tasks_completed;
	shown->failed = w->counts.tasks_failed;
	shown->again = w->counts.tasks_again;
	shown->queued = facts.queued;
	shown->pending = facts.pending;
	shown->queue_up = facts.up;
}

static void
state_get(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	char program[] = "dcm-worker/" DCM_VERSION;
	struct state_shown shown = {
		.instance = w->instance, .program = program,
		.started = w->started, .active = w->active,
		.counts = w->counts,
		.connections = (long long)httpd_connections(w->httpd),
	};

	if (w->current != NULL) {
		shown.version = w->current->version;
		shown.since = w->current->since;
		shown.etag = w->current->etag[0] != '\0' ?
		    w->current->etag : NULL;
	}
	state_tasks(w, &shown.tasks);
	route_header(reply, "Cache-Control", "no-store");
	route_json(reply, 200, state_shown_fields, &shown);
}

static void
state_health(struct route_request *req, struct route_reply *reply)
{
	const struct worker *w = req->table->context;
	char ok[] = "ok";
	struct state_health health = { ok, w->current != NULL };

	route_header(reply, "Cache-Control", "no-store");
	route_json(reply, 200, state_health_fields, &health);
}

static void
state_swagger(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;

	if (w->document.len == 0) {
		buf_init(&w->document, reply->body.max);
		openapi_print(&routes_openapi, &w->document);
	}
	reply->status = 200;
	reply->type = "application/yaml";
	buf_add(&reply->body, buf_text(&w->document), w->document.len);
}

static const struct route_answer state_get_answers[] = {
	{ .status = 200, .doc = "State and counters",
	    .type = "application/json", .fields = state_shown_fields,
	    .headers = "Cache-Control",
	    .example = "{\"instance_id\":\"0b0e4dc8-8f7c-4c1b-9b1f-"
	    "5a3c1f6f2a11\",\"program\":\"dcm-worker/" DCM_VERSION "\","
	    "\"started_at\":\"2026-01-26T12:00:00.000Z\",\"version\":7,"
	    "\"etag\":\"\\\"7-9f86d081884c7d65\\\"\",\"since\":"
	    "\"2026-01-26T12:00:05.000Z\",\"configs_taken\":1,"
	    "\"configs_refused\":0,\"connections\":1,\"active_hits\":0,"
	    "\"hits\":{\"total\":3,\"passed\":2,\"unconfigured\":0,"
	    "\"unreachable\":1,\"refused\":0,\"broken\":0,\"late\":0,"
	    "\"cut\":0,\"crowded\":0,\"left\":0,\"bytes\":30},"
	    "\"tasks\":{\"accepted\":2,"
	    "\"running\":1,\"completed\":1,\"failed\":0,\"tried_again\":0,"
	    "\"queued\":0,\"pending\":1,\"queue_up\":true}}" },
	{ .status = 0 },
};

static const struct route_answer state_health_answers[] = {
	{ .status = 200, .doc = "It runs",
	    .type = "application/json", .fields = state_health_fields,
	    .headers = "Cache-Control",
	    .example = "{\"status\":\"ok\",\"has_config\":true}" },
	{ .status = 0 },
};

static const struct route_answer state_swagger_answers[] = {
	{ .status = 200, .doc = "This document", .type = "application/yaml",
	    .example = "openapi: 3.0.3" },
	{ .status = 0 },
};

const struct route state_routes[] = {
	{ .method = "GET", .path = "/state", .id = "readState",
	    .tag = "state", .summary = "What is in force, and what was done",
	    .answers = state_get_answers, .handle = state_get },
	{ .method = "GET", .path = "/health", .id = "readHealth",
	    .tag = "state", .summary = "Whether it runs",
	    .answers = state_health_answers, .handle = state_health },
	{ .method = "GET", .path = "/swagger.yaml", .id = "readDocument",
	    .tag = "state", .summary = "This document",
	    .answers = state_swagger_answers, .handle = state_swagger },
	{ .path = NULL },
};
