/*
 * The answer to a change: a new version, none because it is the present one
 * already, none because If-Match names another, or what it would be.
 */
#include "published.h"

#include <stddef.h>
#include <stdlib.h>

#include "auth.h"
#include "controller.h"
#include "log.h"
#include "patch.h"
#include "publish.h"
#include "version.h"

struct published {
	char *message;
	long long version;
	bool unchanged, dry_run;
	long long interval;
	char *diff;
};

#define PUBLISHED_AT(member) offsetof(struct published, member)

const struct field published_fields[] = {
	{ .name = "message", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = PUBLISHED_AT(message), .doc = "For people" },
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = PUBLISHED_AT(version), .doc = "The present version" },
	{ .name = "unchanged", .kind = FIELD_BOOL, .need = FIELD_OMIT,
	    .offset = PUBLISHED_AT(unchanged),
	    .doc = "True when it was the present one already" },
	{ .name = "dry_run", .kind = FIELD_BOOL, .need = FIELD_OMIT,
	    .offset = PUBLISHED_AT(dry_run),
	    .doc = "True when nothing was stored because that was asked "
	    "for" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .need = FIELD_OMIT, .offset = PUBLISHED_AT(interval),
	    .min = 1, .max = PUBLISH_INTERVAL_MAX,
	    .doc = "Of a dry run: how often agents would ask" },
	{ .name = "diff", .kind = FIELD_RAW, .need = FIELD_OMIT,
	    .offset = PUBLISHED_AT(diff), .choices = "array",
	    .doc = "Of a dry run: a JSON Patch (RFC 6902) from the present "
	    "document to this one" },
	{ .name = NULL },
};

const char published_stale[] =
    "{\"type\":\"about:blank\",\"title\":\"Precondition Failed\","
    "\"status\":412,\"detail\":\"the present version is 8; "
    "If-Match does not name it\","
    "\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\"}";

static void
published_reply(const struct route_request *req, struct route_reply *reply,
    const struct store_version *v, enum store_end end)
{
	char updated[] = "Configuration updated successfully";
	char unchanged[] = "Configuration unchanged";
	struct published published = {
		.message = end == STORE_SAME ? unchanged : updated,
		.version = v->version,
		.unchanged = end == STORE_SAME,
	};

	/* on a 200 a CGI server would go there itself (RFC 3875, 6.2.2) */
	if (end != STORE_SAME)
		route_header(reply, "Location", "%s/config/%lld", req->prefix,
		    v->version);
	route_json(reply, end == STORE_SAME ? 200 : 201, published_fields,
	    &published);
}

static void
published_trial(const struct route_request *req, struct route_reply *reply,
    const struct store_version *v, const struct store_change *change,
    enum store_end end)
{
	char message[] = "Nothing was stored: this was a dry run";
	struct json_span from, to = { change->data, change->len };
	struct buf diff = BUF_INIT(PATCH_MAX + VERSION_BODY_MAX);
	struct published published = {
		.message = message,
		.version = v->version,
		.unchanged = end == STORE_SAME,
		.dry_run = true,
		.interval = change->interval > 0 ? change->interval :
		    v->interval,
	};

	version_data(&from, v->body, v->len);
	patch_make(&diff, &from, &to);
	published.diff = buf_give(&diff);
	if (published.diff != NULL)
		route_json(reply, 200, published_fields, &published);
	else
		route_problem(req, reply, 500, "out of memory");
	free(published.diff);
}

static enum store_end
published_store(const struct route_request *req, struct store_change *change,
    const struct store_version **v)
{
	struct controller *c = controller_of(req);
	struct store_deed deed = auth_deed(req, change->content_of > 0 ?
	    "rollback" : "publish");
	enum store_end end = controller_current(c, v);

	change->author = deed.who;
	change->if_match = req->header(req, "If-Match");
	change->deed = &deed;
	if (end == STORE_DONE)
		end = store_publish(c->store, change, v);
	change->deed = NULL;	/* it ends here */
	return end;
}

void
published_make(const struct route_request *req, struct route_reply *reply,
    struct store_change *change)
{
	const struct store_version *v;
	enum store_end end = published_store(req, change, &v);

	if (end != STORE_DONE && end != STORE_SAME && end != STORE_STALE) {
		controller_fault(req, reply, end);
		return;
	}
	route_header(reply, "ETag", "%s", v->etag);
	if (end == STORE_STALE) {
		route_problem(req, reply, 412, "the present version is %lld; "
		    "If-Match does not name it", v->version);
	} else if (change->dry) {
		published_trial(req, reply, v, change, end);
	} else {
		if (end == STORE_DONE) {
			notify_due(&controller_of(req)->notify);
			log_info("config", "%s version %lld by %s, %zu bytes,"
			    " every %ld seconds", req->id, v->version,
			    change->author, change->len, v->interval);
		}
		published_reply(req, reply, v, end);
	}
	/* last: v is the store's, and this asks the store again */
	if (end == STORE_DONE && !change->dry)
		front_publish(controller_of(req));
}
