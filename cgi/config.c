/*
 * The configuration: read by agents, published by administrators.
 *
 * A poll that changes nothing costs a look at the store's change counter, a
 * comparison of tags, and one appended line for the heartbeat.
 */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "beat.h"
#include "clock.h"
#include "controller.h"
#include "etag.h"
#include "publish.h"
#include "published.h"
#include "version.h"

enum { CONFIG_WAIT_MAX = 60 };	/* seconds that a poll may be held */

/* --- reading ------------------------------------------------------------ */

/* Who polls; false: no agent that says so. */
static bool
config_agent(const struct route_request *req, struct store_beat *beat)
{
	const char *id = req->header(req, "X-Agent-ID");
	const char *token = auth_of(req)->agent;

	*beat = (struct store_beat){
		.at = clock_wall(), .applied_version = -1,
	};
	if ((req->who & ROUTE_AGENT) == 0)
		return false;
	beat->trusted = token[0] != '\0';
	if (beat->trusted)
		id = token;
	return beat_whose(beat, id);
}

/*
 * Notes what a poll says of its agent. What is malformed counts as not said:
 * a poll never fails for its heartbeat. One that was held says at its end
 * only that the agent is there: what it said when it came may be old.
 */
static void
config_beat(const struct route_request *req)
{
	struct controller *c = controller_of(req);
	struct store_beat beat;

	if (!config_agent(req, &beat))
		return;
	if (!c->hold.again)
		beat_said(&beat, req->header(req, "X-Applied-Version"),
		    req->header(req, "X-Agent-State"));
	beat_note(&c->beat, &beat, 0);
}

/* Whether the caller has it already: then the reply is the 304. */
static bool
config_known(const struct route_request *req, struct route_reply *reply,
    const char *etag)
{
	const char *list = req->header(req, "If-None-Match");

	if (list == NULL || !etag_match(list, etag))
		return false;
	reply->status = 304;
	return true;
}

/* A 304 that may come later: the gateway is asked to hold it. */
static void
config_hold(struct route_request *req, struct route_reply *reply,
    const char *etag)
{
	struct controller_hold *hold = &controller_of(req)->hold;
	long seconds = (long)route_number(req, "wait", 0);

	if (seconds == 0 || !hold->room)
		return;
	hold->seconds = seconds;
	memcpy(hold->etag, etag, sizeof(hold->etag));
	config_agent(req, &hold->beat);
	reply->later = true;
}

static void
config_body(struct route_reply *reply, const struct store_version *v)
{
	reply->status = 200;
	reply->type = "application/json";
	buf_add(&reply->body, v->body, v->len);
}

/* Who sent a token has had the store looked at already, for this request. */
static enum store_end
config_present(const struct route_request *req,
    const struct store_version **v)
{
	struct controller *c = controller_of(req);

	if (auth_of(req)->looked && store_seen(c->store, v) == STORE_DONE &&
	    (*v)->version > 0)
		return STORE_DONE;
	return controller_current(c, v);
}

static void
config_read(struct route_request *req, struct route_reply *reply)
{
	const struct store_version *v;
	enum store_end end = config_present(req, &v);

	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	config_beat(req);
	/* at once, for a poll shall cost little; nothing here is a caller's */
	buf_room(&reply->headers, 200);
	buf_printf(&reply->headers, "ETag: %s\r\n"
	    "X-Poll-Interval-Seconds: %ld\r\n"
	    "Cache-Control: private, no-cache\r\n", v->etag, v->interval);
	if (!config_known(req, reply, v->etag))
		config_body(reply, v);
	else
		config_hold(req, reply, v->etag);
}

static void
config_read_version(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	long long number = route_number(req, "version", 0);
	struct store_version v;
	enum store_end end = store_version(c->store, number, &v);

	if (end == STORE_NONE) {
		route_problem(req, reply, 404, "there is no version %lld",
		    number);
	} else if (end != STORE_DONE) {
		controller_fault(req, reply, end);
	} else {
		route_header(reply, "ETag", "%s", v.etag);
		route_header(reply, "Cache-Control",
		    "private, max-age=31536000, immutable");
		if (!config_known(req, reply, v.etag))
			config_body(reply, &v);
	}
	store_version_free(&v);
}

/* --- publishing --------------------------------------------------------- */

/* Reads the body; refuses with 413 before 400. */
static bool
config_accept(const struct route_request *req, struct route_reply *reply,
    struct publish_body *body)
{
	size_t max = (size_t)controller_of(req)->settings.config_max;
	bool ok;

	ok = publish_read(body, req->body, req->body_len,
	    route_problem_field, reply);
	if (body->len > max || req->body_len > max + PUBLISH_AROUND_MAX ||
	    (body->data == NULL && req->body_len > max)) {
		buf_reset(&reply->errors);
		route_problem(req, reply, 413, "a configuration may have %zu "
		    "bytes at most (CONFIG_MAX_BYTES)", max);
		return false;
	}
	if (!ok)
		route_problem(req, reply, 400,
		    "the configuration is not valid");
	return ok;
}

/* The interval of the query and of the body, which must agree. */
static bool
config_interval(const struct route_request *req, struct route_reply *reply,
    struct publish_body *body)
{
	long asked = (long)route_number(req, "poll_interval", 0);

	if (asked != 0 && body->interval != 0 && asked != body->interval) {
		route_problem_field(reply, "poll_interval_seconds",
		    "differs from poll_interval of the query");
		route_problem(req, reply, 400,
		    "the query says %ld seconds, the body %ld", asked,
		    body->interval);
		return false;
	}
	if (asked != 0)
		body->interval = asked;
	return true;
}

static void
config_publish(struct route_request *req, struct route_reply *reply)
{
	struct store_change change = { .dry = route_flag(req, "dry_run") };
	struct publish_body body;

	if (config_accept(req, reply, &body) &&
	    config_interval(req, reply, &body)) {
		change.data = body.data;
		change.len = body.len;
		change.interval = body.interval;
		change.comment = body.comment;
		published_make(req, reply, &change);
	}
	publish_free(&body);
}

/* --- the rows ----------------------------------------------------------- */

#define CONFIG_EXAMPLE							\
	"{\"version\":7,\"data\":{\"url\":\"https://ip.me\"},"		\
	"\"poll_interval_seconds\":30}"
#define CONFIG_NOT_FOUND						\
	"{\"type\":\"about:blank\",\"title\":\"Not Found\","		\
	"\"status\":404,\"detail\":\"there is no version 8\","		\
	"\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\"}"

/* The body of a 200, for its schema: it is written as bytes. */
static const struct field config_fields[] = {
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .doc = "0 before the first publish" },
	{ .name = "data", .kind = FIELD_RAW, .need = FIELD_REQUIRED,
	    .choices = "object",
	    .doc = "The configuration, byte for byte as it was accepted; "
	    "empty in version 0" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .need = FIELD_REQUIRED, .min = 1, .max = PUBLISH_INTERVAL_MAX,
	    .doc = "How often agents ask" },
	{ .name = NULL },
};

static const struct route_param config_read_params[] = {
	{ .name = "wait", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 1, .max = CONFIG_WAIT_MAX, .example = "60",
	    .doc = "With an If-None-Match that names the present version: "
	    "the answer is held until the version moves or so many seconds "
	    "are over; where the process cannot hold, the 304 comes at "
	    "once" },
	{ .name = "If-None-Match", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .max = 1024, .example = "\"7-ba7816bf8f01cfea\"",
	    .doc = "Tags the caller has; lists, weak tags and * are "
	    "understood" },
	{ .name = "X-Agent-ID", .in = ROUTE_IN_HEADER, .kind = ROUTE_UUID,
	    .example = "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f",
	    .doc = "Heartbeat: which agent polls; with a token it is the "
	    "token's" },
	{ .name = "X-Applied-Version", .in = ROUTE_IN_HEADER,
	    .kind = ROUTE_WHOLE, .min = 0, .max = 1LL << 53, .example = "7",
	    .doc = "Heartbeat: what the worker last acknowledged" },
	{ .name = "X-Agent-State", .in = ROUTE_IN_HEADER, .kind = ROUTE_WORD,
	    .choices = "ok failed no-worker", .example = "ok",
	    .doc = "Heartbeat: how it went" },
	{ .name = NULL },
};

static const struct route_param config_version_params[] = {
	{ .name = "version", .in = ROUTE_IN_PATH, .kind = ROUTE_WHOLE,
	    .min = 1, .max = 1LL << 53, .example = "7",
	    .doc = "The number of a version" },
	{ .name = "If-None-Match", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .max = 1024, .example = "\"7-ba7816bf8f01cfea\"",
	    .doc = "Tags the caller has" },
	{ .name = NULL },
};

static const struct route_param config_publish_params[] = {
	{ .name = "poll_interval", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 1, .max = PUBLISH_INTERVAL_MAX, .example = "30",
	    .doc = "Seconds between polls, for any of the bodies" },
	{ .name = "dry_run", .in = ROUTE_IN_QUERY, .kind = ROUTE_FLAG,
	    .fallback = "false", .example = "true",
	    .doc = "Only say what would come of it: nothing is stored" },
	{ .name = "If-Match", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .max = 1024, .example = "\"7-ba7816bf8f01cfea\"",
	    .doc = "Publish only while this is the present version" },
	{ .name = NULL },
};

static const struct route_example config_publish_examples[] = {
	{ "document", "{\"url\":\"https://ip.me\"}" },
	{ "envelope", "{\"data\":{\"url\":\"https://ip.me\"},"
	    "\"poll_interval_seconds\":30,\"comment\":\"the new target\"}" },
	{ "beside", "{\"url\":\"https://ip.me\","
	    "\"poll_interval_seconds\":30}" },
	{ NULL, NULL },
};

static const struct route_body config_publish_body = {
	.doc = "The configuration itself; or an envelope, known by a data "
	    "member that is an object; or the configuration with "
	    "poll_interval_seconds beside url, which then stays in it",
	.max = VERSION_DATA_MAX + PUBLISH_AROUND_MAX,
	.examples = config_publish_examples,
};

static const struct route_answer config_read_answers[] = {
	{ .status = 200, .doc = "The present version",
	    .type = "application/json", .fields = config_fields,
	    .headers = "ETag X-Poll-Interval-Seconds Cache-Control",
	    .example = CONFIG_EXAMPLE },
	{ .status = 304, .doc = "If-None-Match names the present version",
	    .headers = "ETag X-Poll-Interval-Seconds Cache-Control" },
	{ .status = 0 },
};

static const struct route_answer config_version_answers[] = {
	{ .status = 200, .doc = "The version; it never changes",
	    .type = "application/json", .fields = config_fields,
	    .headers = "ETag Cache-Control", .example = CONFIG_EXAMPLE },
	{ .status = 304, .doc = "If-None-Match names it",
	    .headers = "ETag Cache-Control" },
	{ .status = 404, .doc = "There is no such version",
	    .type = "application/problem+json",
	    .example = CONFIG_NOT_FOUND },
	{ .status = 0 },
};

static const struct route_answer config_publish_answers[] = {
	{ .status = 201, .doc = "A new version, on disk",
	    .type = "application/json", .fields = published_fields,
	    .headers = "Location ETag",
	    .example = "{\"message\":\"Configuration updated successfully\","
	    "\"version\":7}" },
	{ .status = 200, .doc = "It is the present one already, or a dry run",
	    .type = "application/json", .fields = published_fields,
	    .headers = "ETag",
	    .example = "{\"message\":\"Configuration unchanged\","
	    "\"version\":7,\"unchanged\":true}" },
	{ .status = 412, .doc = "If-Match names another version",
	    .type = "application/problem+json", .headers = "ETag",
	    .example = published_stale },
	{ .status = 0 },
};

const struct route config_routes[] = {
	{ .method = "GET", .path = "/config", .id = "readConfig",
	    .tag = "config", .summary = "The present configuration",
	    .who = ROUTE_AGENT | ROUTE_ADMIN, .params = config_read_params,
	    .answers = config_read_answers, .handle = config_read },
	{ .method = "POST", .path = "/config", .id = "publishConfig",
	    .tag = "config", .summary = "Publish a configuration",
	    .who = ROUTE_ADMIN, .params = config_publish_params,
	    .body = &config_publish_body, .answers = config_publish_answers,
	    .handle = config_publish },
	{ .method = "GET", .path = "/config/{version}", .id = "readVersion",
	    .tag = "config", .summary = "A version of the configuration",
	    .who = ROUTE_AGENT | ROUTE_ADMIN,
	    .params = config_version_params,
	    .answers = config_version_answers,
	    .handle = config_read_version },
	{ .path = NULL },
};
