/*
 * /config: takes what the agent delivers, shows what is in force. A delivery
 * is in force as a whole or not at all; hits that run keep the one they
 * began with.
 */
#include <string.h>

#include "log.h"
#include "queue.h"
#include "routes.h"
#include "worker.h"

enum { CONFIG_WHY_MAX = 512 };	/* bytes of a refusal's sentence */

struct config_applied {
	char *message;
	long long version;
};

static const struct field config_applied_fields[] = {
	{ .name = "message", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct config_applied, message),
	    .doc = "For people" },
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct config_applied, version),
	    .doc = "What is in force now; 0 when the delivery named none" },
	{ .name = NULL },
};

/* For the document only: the answer is written by current_body. */
static const struct field config_shown_fields[] = {
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .doc = "The controller's number of it, or 0" },
	{ .name = "data", .kind = FIELD_OBJECT, .need = FIELD_REQUIRED,
	    .fields = document_fields,
	    .doc = "The document, byte for byte as it was accepted" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .need = FIELD_REQUIRED, .min = 1, .max = 86400,
	    .doc = "How often the agent asks the controller" },
	{ .name = NULL },
};

struct config_refusal {
	struct route_reply *reply;
	struct buf *why;
};

/* The first wrong member goes into the sentence, for the agent's report. */
static void
config_refuse(void *arg, const char *name, const char *message)
{
	struct config_refusal *r = arg;

	if (r->why->len == 0)
		buf_printf(r->why, "%.64s%s%s", name,
		    *name != '\0' ? " " : "", message);
	route_problem_field(r->reply, name, message);
}

static void
config_apply(struct worker *w, struct current *next)
{
	if (current_same(w->current, next)) {
		log_debug("config", "version %lld again", next->version);
		current_drop(next);
		return;
	}
	log_info("config", "version %lld, url %s", next->version,
	    next->document.url);
	current_drop(w->current);
	w->current = next;
	queue_text_drop(w->snapshot);
	w->snapshot = NULL;
}

static void
config_post(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct current_offer offer = {
		.body = req->body, .len = req->body_len,
		.etag = req->header(req, "ETag"), .via = w->via,
	};
	struct buf why = BUF_INIT(CONFIG_WHY_MAX);
	struct config_refusal refusal = { reply, &why };
	struct current *next = current_read(&offer, config_refuse, &refusal,
	    &why);
	char message[] = "Configuration updated";
	struct config_applied applied = { message, 0 };

	if (next == NULL) {
		w->counts.rejected++;
		log_warn("config", "a delivery is refused: %s",
		    buf_text(&why));
		route_problem(req, reply, 400, "%s", buf_text(&why));
	} else {
		w->counts.taken++;
		applied.version = next->version;
		config_apply(w, next);
		route_json(reply, 200, config_applied_fields, &applied);
	}
	buf_free(&why);
}

static void
config_get(struct route_request *req, struct route_reply *reply)
{
	const struct worker *w = req->table->context;
	const struct current *c = w->current;

	if (c == NULL) {
		route_problem(req, reply, 404, "no configuration has been "
		    "delivered yet");
		return;
	}
	reply->status = 200;
	reply->type = "application/json";
	if (c->etag[0] != '\0')
		route_header(reply, "ETag", "%s", c->etag);
	route_header(reply, "Cache-Control", "private, no-cache");
	current_body(c, NULL, &reply->body);
}

static const struct route_param config_post_params[] = {
	{ .name = "ETag", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .min = 2, .max = CURRENT_ETAG - 1,
	    .example = "\"7-9f86d081884c7d65\"",
	    .doc = "The controller's entity tag; of a bare document it tells "
	    "the version" },
	{ .name = NULL },
};

static const struct route_example config_post_examples[] = {
	{ "controller", "{\"version\":7,\"data\":{\"url\":\"https://ip.me\"},"
	    "\"poll_interval_seconds\":30}" },
	{ "bare", "{\"url\":\"https://ip.me\",\"timeout_seconds\":10}" },
	{ NULL, NULL },
};

static const struct route_body config_post_body = {
	.doc = "The controller's answer to `GET /config`, known by a `data` "
	    "member that is an object, or the bare document",
	.max = CURRENT_BODY_MAX,
	.examples = config_post_examples,
};

static const struct route_answer config_post_answers[] = {
	{ .status = 200, .doc = "It is in force",
	    .type = "application/json", .fields = config_applied_fields,
	    .example = "{\"message\":\"Configuration updated\","
	    "\"version\":7}" },
	{ .status = 0 },
};

static const struct route_answer config_get_answers[] = {
	{ .status = 200, .doc = "What is in force",
	    .type = "application/json", .fields = config_shown_fields,
	    .headers = "ETag Cache-Control",
	    .example = "{\"version\":7,\"data\":{\"url\":\"https://ip.me\"},"
	    "\"poll_interval_seconds\":30}" },
	{ .status = 404, .doc = "Nothing has been delivered yet",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Not Found\","
	    "\"status\":404,\"detail\":\"no configuration has been delivered "
	    "yet\",\"request_id\":\"5f0c2a\"}" },
	{ .status = 0 },
};

const struct route config_routes[] = {
	{ .method = "POST", .path = "/config", .id = "applyConfig",
	    .tag = "config", .summary = "Put a configuration in force",
	    .who = ROUTE_KEY, .params = config_post_params,
	    .body = &config_post_body, .answers = config_post_answers,
	    .handle = config_post },
	{ .method = "GET", .path = "/config", .id = "readConfig",
	    .tag = "config", .summary = "The configuration in force",
	    .who = ROUTE_KEY, .answers = config_get_answers,
	    .handle = config_get },
	{ .path = NULL },
};
