/*
 * The history of the configuration: what there was, what differs, and back
 * to it. A version is never changed and never removed; going back makes a
 * new one.
 */
#include "history.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "controller.h"
#include "page.h"
#include "patch.h"
#include "publish.h"
#include "published.h"
#include "version.h"

enum {
	HISTORY_BODY_MAX = 16384,	/* of a rollback */
	HISTORY_NOTE_MAX = 64,
};

/* --- the list ----------------------------------------------------------- */

struct history_row {
	long long version, created_at;
	char *author, *comment, *sha256;
	long long size, interval;
};

#define HISTORY_ROW(member) offsetof(struct history_row, member)

static const struct field history_row_fields[] = {
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = HISTORY_ROW(version), .doc = "Its number" },
	{ .name = "created_at", .kind = FIELD_TIME, .need = FIELD_REQUIRED,
	    .offset = HISTORY_ROW(created_at), .doc = "When" },
	{ .name = "author", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = HISTORY_ROW(author),
	    .doc = "Which credential published it" },
	{ .name = "comment", .kind = FIELD_TEXT,
	    .offset = HISTORY_ROW(comment), .doc = "Why, if he said so" },
	{ .name = "sha256", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = HISTORY_ROW(sha256), .doc = "Of the document, hex" },
	{ .name = "size", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = HISTORY_ROW(size), .doc = "Of the document, bytes" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .need = FIELD_REQUIRED, .offset = HISTORY_ROW(interval),
	    .doc = "How often agents ask" },
	{ .name = NULL },
};

/* A list being written. */
struct history_page {
	struct page page;
	long long last;
};

static void
history_write(void *arg, const struct store_entry *e)
{
	struct history_page *page = arg;
	struct history_row row = {
		.version = e->version,
		.created_at = e->created_at,
		.author = (char *)(uintptr_t)e->author,
		.comment = (char *)(uintptr_t)e->comment,
		.sha256 = (char *)(uintptr_t)e->sha256,
		.size = e->size,
		.interval = e->interval,
	};

	fields_write(history_row_fields, &row, page_row(&page->page));
	page->last = e->version;
}

static void
history_list(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	long limit = (long)route_number(req, "limit", 100);
	struct history_page page = { .last = 0 };
	const struct store_version *v;
	bool more = false;
	enum store_end end = controller_current(c, &v);

	page_begin(&page.page, reply);
	if (end == STORE_DONE)
		end = store_history(c->store, route_number(req, "before", 0),
		    limit, history_write, &page, &more);
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	page_end_before(&page.page, req, "/config/history", limit, page.last,
	    more);
}

/* --- what differs ------------------------------------------------------- */

/* A version; 0 is the empty document before the first. False: the reply is
 * made. */
static bool
history_get(const struct route_request *req, struct route_reply *reply,
    long long number, struct store_version *v)
{
	struct controller *c = controller_of(req);
	enum store_end end;

	if (number == 0) {
		memset(v, 0, sizeof(*v));
		return true;
	}
	end = store_version(c->store, number, v);
	if (end == STORE_NONE)
		route_problem(req, reply, 404, "there is no version %lld",
		    number);
	else if (end != STORE_DONE)
		controller_fault(req, reply, end);
	return end == STORE_DONE;
}

static void
history_diff(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	struct store_version from = { .body = NULL }, to = { .body = NULL };
	const struct store_version *v;
	struct json_span a, b;
	long long last, first;
	enum store_end end = controller_current(c, &v);

	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	last = route_number(req, "to", v->version);
	first = route_number(req, "from", last > 0 ? last - 1 : 0);
	if (history_get(req, reply, first, &from) &&
	    history_get(req, reply, last, &to)) {
		version_data(&a, from.body, from.len);
		version_data(&b, to.body, to.len);
		patch_make(&reply->body, &a, &b);
		reply->status = 200;
		reply->type = "application/json-patch+json";
	}
	store_version_free(&from);
	store_version_free(&to);
}

/* --- back --------------------------------------------------------------- */

struct history_back {
	long long version;
	char *comment;
};

static const struct field history_back_fields[] = {
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct history_back, version),
	    .min = 1, .max = 1LL << 53,
	    .doc = "Whose document and interval come back" },
	{ .name = "comment", .kind = FIELD_TEXT, .need = FIELD_OMIT,
	    .offset = offsetof(struct history_back, comment),
	    .max = PUBLISH_COMMENT_MAX,
	    .doc = "Why, for the history; else \"rollback to version N\"" },
	{ .name = NULL },
};

static void
history_rollback(struct route_request *req, struct route_reply *reply)
{
	struct history_back back = { .version = 0 };
	struct store_change change = { .first = false };
	struct store_version v = { .body = NULL };
	struct json_span data;
	char note[HISTORY_NOTE_MAX];

	if (body_read(req, reply, history_back_fields, &back, NULL,
	    BODY_STRICT, "the body") &&
	    history_get(req, reply, back.version, &v)) {
		version_data(&data, v.body, v.len);
		snprintf(note, sizeof(note), "rollback to version %lld",
		    back.version);
		change.data = data.text;
		change.len = data.len;
		change.interval = v.interval;
		change.content_of = back.version;
		change.comment = back.comment != NULL ? back.comment : note;
		published_make(req, reply, &change);
	}
	store_version_free(&v);
	fields_free(history_back_fields, &back);
}

/* --- the rows ----------------------------------------------------------- */

static const struct route_param history_list_params[] = {
	PAGE_LIMIT("Versions"),
	PAGE_BEFORE("8", "versions below this one"),
	{ .name = NULL },
};

static const struct route_param history_diff_params[] = {
	{ .name = "from", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 0, .max = 1LL << 53, .example = "6",
	    .doc = "A version, 0 for nothing; else the one before `to`" },
	{ .name = "to", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 0, .max = 1LL << 53, .example = "7",
	    .doc = "A version; else the present one" },
	{ .name = NULL },
};

static const struct route_param history_rollback_params[] = {
	{ .name = "If-Match", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .max = 1024, .example = "\"7-ba7816bf8f01cfea\"",
	    .doc = "Only while this is the present version" },
	{ .name = NULL },
};

static const struct route_example history_rollback_examples[] = {
	{ "rollback", "{\"version\":6,\"comment\":\"7 was too slow\"}" },
	{ NULL, NULL },
};

static const struct route_body history_rollback_body = {
	.doc = "The version to go back to",
	.max = HISTORY_BODY_MAX,
	.fields = history_back_fields,
	.examples = history_rollback_examples,
};

static const struct route_answer history_list_answers[] = {
	{ .status = 200, .doc = "A page of versions, the newest first",
	    .type = "application/json", .fields = history_row_fields,
	    .list = true, .headers = "Link",
	    .example = "[{\"version\":7,"
	    "\"created_at\":\"2026-01-26T12:00:00.000Z\","
	    "\"author\":\"admin\",\"comment\":\"the new target\","
	    "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855\",\"size\":23,"
	    "\"poll_interval_seconds\":30}]" },
	{ .status = 0 },
};

static const struct route_answer history_diff_answers[] = {
	{ .status = 200, .doc = "A JSON Patch (RFC 6902) of the documents",
	    .type = "application/json-patch+json", .fields = patch_fields,
	    .list = true,
	    .example = "[{\"op\":\"replace\",\"path\":\"/url\","
	    "\"value\":\"https://ip.me\"}]" },
	{ .status = 404, .doc = "there is no version 9" },
	{ .status = 0 },
};

static const struct route_answer history_rollback_answers[] = {
	{ .status = 201, .doc = "A new version, on disk",
	    .type = "application/json", .fields = published_fields,
	    .headers = "Location ETag",
	    .example = "{\"message\":\"Configuration updated successfully\","
	    "\"version\":8}" },
	{ .status = 200, .doc = "It is the present version's already",
	    .type = "application/json", .fields = published_fields,
	    .headers = "ETag",
	    .example = "{\"message\":\"Configuration unchanged\","
	    "\"version\":7,\"unchanged\":true}" },
	{ .status = 404, .doc = "there is no version 9" },
	{ .status = 412, .doc = "If-Match names another version",
	    .type = "application/problem+json", .headers = "ETag",
	    .example = published_stale },
	{ .status = 0 },
};

const struct route history_routes[] = {
	{ .method = "GET", .path = "/config/history", .id = "listVersions",
	    .tag = "config", .summary = "The versions there were",
	    .who = ROUTE_ADMIN, .params = history_list_params,
	    .answers = history_list_answers, .handle = history_list },
	{ .method = "GET", .path = "/config/diff", .id = "diffVersions",
	    .tag = "config", .summary = "What differs between two versions",
	    .who = ROUTE_ADMIN, .params = history_diff_params,
	    .answers = history_diff_answers, .handle = history_diff },
	{ .method = "POST", .path = "/config/rollback", .id = "rollBack",
	    .tag = "config", .summary = "Back to an older version",
	    .who = ROUTE_ADMIN, .params = history_rollback_params,
	    .body = &history_rollback_body,
	    .answers = history_rollback_answers,
	    .handle = history_rollback },
	{ .path = NULL },
};
