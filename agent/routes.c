/*
 * The rows of the agent's own little service: is it well, what does it know,
 * and its document. It only reads; whoever may connect may ask.
 */
#include "routes.h"

#include <stddef.h>
#include <string.h>

#include "measure.h"
#include "openapi.h"

enum { ROUTES_DOCUMENT_MAX = 1 << 20 };

struct routes_side {	/* the controller's, the worker's */
	char *url, *state, *error, *instance_id;
	long long status, failures, version, last_answer_at;
	bool registered;
};

struct routes_state {
	char *agent_id, *etag, *config_url, *poll_url, *strategy;
	char *hints, *hints_error;
	long long interval, version, applied;
	struct routes_side controller, worker;
};

struct routes_health {
	char *status, *worker, *detail;
};

#define AT(type, member) offsetof(struct type, member)

static const struct field routes_controller_fields[] = {
	{ "url", FIELD_TEXT, AT(routes_side, url), .format = "uri",
	    .need = FIELD_REQUIRED, .doc = "CONTROLLER_URL" },
	{ "state", FIELD_TEXT, AT(routes_side, state),
	    .need = FIELD_REQUIRED, .choices = "registering polling failing",
	    .doc = "what the agent is at" },
	{ "registered", FIELD_BOOL, AT(routes_side, registered),
	    .need = FIELD_REQUIRED, .doc = "since the start" },
	{ "last_status", FIELD_WHOLE, AT(routes_side, status),
	    .need = FIELD_REQUIRED,
	    .doc = "of the last request; 0 when no answer came" },
	{ "last_answer_at", FIELD_TIME, AT(routes_side, last_answer_at),
	    .doc = "null before the first one" },
	{ "failures", FIELD_WHOLE, AT(routes_side, failures),
	    .need = FIELD_REQUIRED, .doc = "in a row" },
	{ "error", FIELD_TEXT, AT(routes_side, error),
	    .doc = "the last failure; null while all is well" },
	{ .name = NULL },
};

static const struct field routes_worker_fields[] = {
	{ "url", FIELD_TEXT, AT(routes_side, url), .format = "uri",
	    .need = FIELD_REQUIRED, .doc = "WORKER_URL" },
	{ "state", FIELD_TEXT, AT(routes_side, state),
	    .need = FIELD_REQUIRED, .choices = "ok failed no-worker",
	    .doc = "as the polls report it" },
	{ "instance_id", FIELD_TEXT, AT(routes_side, instance_id),
	    .doc = "of the worker's process; null before it answered" },
	{ "version", FIELD_WHOLE, AT(routes_side, version),
	    .need = FIELD_REQUIRED,
	    .doc = "what it said it has; 0: none" },
	{ "last_answer_at", FIELD_TIME, AT(routes_side, last_answer_at),
	    .doc = "null before the first one" },
	{ "failures", FIELD_WHOLE, AT(routes_side, failures),
	    .need = FIELD_REQUIRED, .doc = "in a row" },
	{ "error", FIELD_TEXT, AT(routes_side, error),
	    .doc = "why it is not ok; null while all is well" },
	{ .name = NULL },
};

static const struct field routes_state_fields[] = {
	{ "agent_id", FIELD_TEXT, AT(routes_state, agent_id),
	    .need = FIELD_REQUIRED, .format = "uuid",
	    .doc = "the same for ever, as long as the state file lives" },
	{ "etag", FIELD_TEXT, AT(routes_state, etag),
	    .doc = "of the newest configuration known" },
	{ "config_url", FIELD_TEXT, AT(routes_state, config_url),
	    .doc = "its url" },
	{ "poll_url", FIELD_TEXT, AT(routes_state, poll_url),
	    .doc = "where it polls; null before it is registered" },
	{ "poll_interval_seconds", FIELD_WHOLE, AT(routes_state, interval),
	    .need = FIELD_REQUIRED, .doc = "as dictated last" },
	{ "last_config_version", FIELD_WHOLE, AT(routes_state, version),
	    .need = FIELD_REQUIRED,
	    .doc = "the newest version known; 0: none" },
	{ "applied_version", FIELD_WHOLE, AT(routes_state, applied),
	    .need = FIELD_REQUIRED,
	    .doc = "what the worker acknowledged last; 0: none" },
	{ "strategy", FIELD_TEXT, AT(routes_state, strategy),
	    .need = FIELD_REQUIRED, .doc = "DISTRIBUTION_STRATEGY" },
	{ "hints", FIELD_TEXT, AT(routes_state, hints),
	    .need = FIELD_REQUIRED,
	    .choices = "none held connecting subscribed",
	    .doc = "what there is beside the polls: nothing, polls that are "
	    "held, or messages of a broker" },
	{ "hints_error", FIELD_TEXT, AT(routes_state, hints_error),
	    .doc = "why it is not subscribed; null while all is well" },
	{ "controller", FIELD_OBJECT, AT(routes_state, controller),
	    .need = FIELD_REQUIRED, .fields = routes_controller_fields,
	    .doc = "how it stands with the controller" },
	{ "worker", FIELD_OBJECT, AT(routes_state, worker),
	    .need = FIELD_REQUIRED, .fields = routes_worker_fields,
	    .doc = "how it stands with the worker" },
	{ .name = NULL },
};

static const struct field routes_health_fields[] = {
	{ "status", FIELD_TEXT, AT(routes_health, status),
	    .need = FIELD_REQUIRED, .choices = "ok failed",
	    .doc = "ok: the worker has its configuration, or will soon" },
	{ "worker", FIELD_TEXT, AT(routes_health, worker),
	    .need = FIELD_REQUIRED, .choices = "ok failed no-worker",
	    .doc = "as the polls report it" },
	{ "detail", FIELD_TEXT, AT(routes_health, detail),
	    .need = FIELD_OMIT, .doc = "why it is not ok" },
	{ .name = NULL },
};

#undef AT

/* A text of ours for a struct of char *, which is only written. */
static char *
routes_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL :
	    (char *)(uintptr_t)text;
}

static void
routes_health(struct route_request *req, struct route_reply *reply)
{
	const struct agent *a = req->table->context;
	bool well = deliver_healthy(&a->deliver);
	struct routes_health health = {
		.status = routes_text(well ? "ok" : "failed"),
		.worker = routes_text(deliver_word(&a->deliver)),
		.detail = routes_text(a->deliver.why),
	};

	route_json(reply, well ? 200 : 503, routes_health_fields, &health);
}

static void
routes_state(struct route_request *req, struct route_reply *reply)
{
	const struct agent *a = req->table->context;
	const struct deliver *d = &a->deliver;
	struct routes_state state = {
		.agent_id = routes_text(a->state->id),
		.etag = routes_text(d->newest.etag),
		.config_url = routes_text(d->newest.url),
		.poll_url = routes_text(a->state->poll_url),
		.strategy = routes_text(a->settings->strategy),
		.hints = routes_text(wake_word(&a->wake)),
		.hints_error = routes_text(wake_why(&a->wake)),
		.interval = a->state->interval,
		.version = d->newest.version,
		.applied = a->state->good.version,
		.controller = {
			.url = routes_text(a->settings->controller_url),
			.state = routes_text(agent_word(a)),
			.registered = a->registered,
			.status = a->status,
			.last_answer_at = a->last_answer,
			.failures = a->retry.failures,
			.error = routes_text(a->why),
		},
		.worker = {
			.url = routes_text(a->settings->worker_url),
			.state = routes_text(deliver_word(d)),
			.instance_id = routes_text(d->worker.instance),
			.version = d->worker.version,
			.last_answer_at = d->last_answer,
			.failures = d->asks.failures + d->gives.failures,
			.error = routes_text(d->why),
		},
	};

	route_json(reply, 200, routes_state_fields, &state);
}

static void
routes_swagger(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	reply->status = 200;
	reply->type = "application/yaml";
	reply->body.max = ROUTES_DOCUMENT_MAX;
	routes_print(&reply->body);
}

static const struct route routes_all[] = {
	{
		.method = "GET", .path = "/health", .id = "getHealth",
		.tag = "agent", .summary = "Is the worker served",
		.answers = (const struct route_answer[]){
			{ 200, "The worker has its configuration, or there is "
			    "none yet, or it is on its way",
			    "application/json", routes_health_fields,
			    .example = "{\"status\":\"ok\","
			    "\"worker\":\"ok\"}" },
			{ 503, "The worker has been without its "
			    "configuration for longer than two checks",
			    "application/json", routes_health_fields,
			    .example = "{\"status\":\"failed\","
			    "\"worker\":\"no-worker\",\"detail\":\"no worker "
			    "at http://127.0.0.1:8082: Connection refused\"}",
			},
			{ .status = 0 },
		},
		.handle = routes_health,
	},
	{
		.method = "GET", .path = "/state", .id = "getState",
		.tag = "agent", .summary = "Everything the agent knows",
		.answers = (const struct route_answer[]){
			{ 200, "Who it is, what is in force, and how it "
			    "stands with controller and worker",
			    "application/json", routes_state_fields,
			    .example =
			    "{\"agent_id\":"
			    "\"0b9cf4ac-6a43-4a0f-9bd8-21d1f2a70c7e\","
			    "\"etag\":\"\\\"7-ba7816bf8f01cfea\\\"\","
			    "\"config_url\":\"https://ip.me\","
			    "\"poll_url\":\"http://192.0.2.1:8080/config\","
			    "\"poll_interval_seconds\":30,"
			    "\"last_config_version\":7,"
			    "\"applied_version\":7,"
			    "\"strategy\":\"NATS\","
			    "\"hints\":\"subscribed\","
			    "\"hints_error\":null,"
			    "\"controller\":{"
			    "\"url\":\"http://192.0.2.1:8080\","
			    "\"state\":\"polling\",\"registered\":true,"
			    "\"last_status\":304,"
			    "\"last_answer_at\":\"2026-01-26T12:00:00.000Z\","
			    "\"failures\":0,\"error\":null},"
			    "\"worker\":{"
			    "\"url\":\"http://127.0.0.1:8082\","
			    "\"state\":\"ok\","
			    "\"instance_id\":"
			    "\"5f2c64a8-0d3e-4c63-8b0e-0f6f0a1f3f52\","
			    "\"version\":7,"
			    "\"last_answer_at\":\"2026-01-26T12:00:00.000Z\","
			    "\"failures\":0,\"error\":null}}" },
			{ .status = 0 },
		},
		.handle = routes_state,
	},
	{
		.method = "GET", .path = "/swagger.yaml", .id = "getSwagger",
		.tag = "agent", .summary = "This document",
		.answers = (const struct route_answer[]){
			{ 200, "OpenAPI 3.0 in YAML", "application/yaml",
			    .example = "openapi: 3.0.3\n" },
			{ .status = 0 },
		},
		.handle = routes_swagger,
	},
	{ .path = NULL },
};

static const struct route *const routes_groups[] = { routes_all,
	measure_routes, NULL };

struct route_table
routes_of(struct agent *a)
{
	return (struct route_table){ .groups = routes_groups, .context = a };
}

void
routes_print(struct buf *out)
{
	static const struct openapi_tag tags[] = {
		{ "agent", "What the agent says about itself" },
		{ .name = NULL },
	};
	struct route_table table = routes_of(NULL);
	struct openapi document = {
		.title = "dcm-agent", .server = "/",
		.doc = "The agent carries configurations from the controller "
		    "to a worker. It answers these questions on AGENT_PORT.",
		.tags = tags, .table = &table,
	};

	openapi_print(&document, out);
}
