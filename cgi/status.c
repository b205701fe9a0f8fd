/*
 * Whether the controller lives, whether it can work, and what it can be
 * asked.
 */
#include "status.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "controller.h"
#include "describe.h"

enum {
	STATUS_LOOK_MS = 1000,		/* between two looks at the store */
	STATUS_WAIT_MS = 1000,		/* for its write lock */
	STATUS_DOCUMENT_MAX = 1 << 20,
};

struct status_word {
	char *status;
};

static const struct field status_fields[] = {
	{ .name = "status", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct status_word, status),
	    .choices = "ok", .doc = "Always ok" },
	{ .name = NULL },
};

static void
status_ok(struct route_reply *reply)
{
	char ok[] = "ok";
	struct status_word word = { .status = ok };

	route_json(reply, 200, status_fields, &word);
}

static void
status_health(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	status_ok(reply);
}

/* What the last look at the store found; looked at again after a second. */
static enum store_end
status_look(struct controller *c)
{
	static const struct store *of;
	static enum store_end last;
	static int64_t until;
	int64_t ms = clock_steady();

	if (of != c->store || ms >= until) {
		of = c->store;
		last = store_probe(c->store, STATUS_WAIT_MS);
		until = ms + STATUS_LOOK_MS;
	}
	return last;
}

static void
status_ready(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	const char *unset = controller_unset(c);
	enum store_end end;

	if (c->store == NULL) {
		route_problem(req, reply, 503, "a setting is wrong: %.*s",
		    (int)strcspn(buf_text(&c->wrong), ": "),
		    buf_text(&c->wrong));
		return;
	}
	if (unset[0] != '\0') {
		route_problem(req, reply, 503, "%s", unset);
		return;
	}
	end = status_look(c);
	if (end != STORE_DONE)
		controller_fault(req, reply, end);
	else
		status_ok(reply);
}

static void
status_swagger(struct route_request *req, struct route_reply *reply)
{
	struct buf text = BUF_INIT(STATUS_DOCUMENT_MAX);

	/* relative to the mount that was asked: a page that reads this
	 * calls the same one */
	describe_print(req->table, req->prefix[0] != '\0' ? req->prefix : "/",
	    &text);
	reply->status = 200;
	reply->type = "application/yaml";
	buf_add(&reply->body, buf_text(&text), text.len);
	buf_free(&text);
}

/* --- the rows ----------------------------------------------------------- */

static const struct route_answer status_health_answers[] = {
	{ .status = 200, .doc = "The program runs",
	    .type = "application/json", .fields = status_fields,
	    .example = "{\"status\":\"ok\"}" },
	{ .status = 0 },
};

static const struct route_answer status_ready_answers[] = {
	{ .status = 200, .doc = "The store can be read and written",
	    .type = "application/json", .fields = status_fields,
	    .example = "{\"status\":\"ok\"}" },
	{ .status = 503, .doc = "It cannot, or a setting is missing",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\","
	    "\"title\":\"Service Unavailable\",\"status\":503,"
	    "\"detail\":\"the database is read-only\","
	    "\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\"}" },
	{ .status = 0 },
};

static const struct route_answer status_swagger_answers[] = {
	{ .status = 200, .doc = "This document",
	    .type = "application/yaml", .example = "openapi: 3.0.3\n" },
	{ .status = 0 },
};

const struct route status_routes[] = {
	{ .method = "GET", .path = "/health", .id = "health",
	    .tag = "status", .summary = "Whether the controller runs",
	    .answers = status_health_answers, .handle = status_health },
	{ .method = "GET", .path = "/ready", .id = "ready",
	    .tag = "status", .summary = "Whether the controller can work",
	    .answers = status_ready_answers, .handle = status_ready },
	{ .method = "GET", .path = "/swagger.yaml", .id = "swagger",
	    .tag = "status", .summary = "The OpenAPI document",
	    .answers = status_swagger_answers, .handle = status_swagger },
	{ .path = NULL },
};
