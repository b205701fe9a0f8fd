/*
 * The audit as administrators read it. Rows are written with the deeds they
 * tell of, in the store; refused credentials are folded in before a look, so
 * that he who looks sees them all.
 */
#include "audit.h"

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "log.h"
#include "page.h"
#include "refusal.h"

struct audit_row {
	long long id, at;
	char *who, *address, *request_id, *action, *what;
	long long count;
};

#define AUDIT_ROW(member) offsetof(struct audit_row, member)

static const struct field audit_row_fields[] = {
	{ .name = "id", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(id), .doc = "Of the row, for `before`" },
	{ .name = "time", .kind = FIELD_TIME, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(at),
	    .doc = "When; of refused credentials, the minute's start" },
	{ .name = "who", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(who),
	    .doc = "Which credential; of a refused one, the user name if "
	    "there is such a user, else unknown" },
	{ .name = "address", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(address),
	    .doc = "From where; of refused ones over IPv6, the /64" },
	{ .name = "request_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(request_id),
	    .doc = "Of the request; of refused ones, the last" },
	{ .name = "action", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(action),
	    .doc = "publish, rollback, register, rotate, delete, "
	    "restore, refused …" },
	{ .name = "what", .kind = FIELD_RAW, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(what), .choices = "object",
	    .doc = "The version, the agent, the kind of credential" },
	{ .name = "count", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = AUDIT_ROW(count),
	    .doc = "1, but for refused ones: how many in that minute" },
	{ .name = NULL },
};

/* A list being written. */
struct audit_page {
	struct page page;
	long long last;
};

/* The table's struct owns its texts, and is only read here. */
static char *
audit_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
audit_write(void *arg, const struct store_audit *a)
{
	struct audit_page *page = arg;
	struct audit_row row = {
		.id = a->id,
		.at = a->at,
		.who = audit_text(a->who),
		.address = audit_text(a->address),
		.request_id = audit_text(a->request_id),
		.action = audit_text(a->action),
		.what = audit_text(a->what),
		.count = a->count,
	};

	fields_write(audit_row_fields, &row, page_row(&page->page));
	page->last = a->id;
}

/* The oldest time that is kept. */
static long long
audit_since(const struct controller *c, long long now)
{
	return now - c->settings.audit_days * 86400000LL;
}

static void
audit_list(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	long limit = (long)route_number(req, "limit", 100);
	struct audit_page page = { .last = 0 };
	long long now = clock_wall();
	const struct store_version *v;
	bool more = false;
	enum store_end end = controller_current(c, &v);

	page_begin(&page.page, reply);
	if (end == STORE_DONE) {
		refusal_fold(&c->refusal, c->store, now, true);
		end = store_audit(c->store, route_number(req, "before", 0),
		    audit_since(c, now), limit, audit_write, &page, &more);
	}
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	page_end_before(&page.page, req, "/audit", limit, page.last, more);
}

bool
audit_purge(struct controller *c, long long now)
{
	enum store_end end = store_audit_purge(c->store, audit_since(c, now));

	if (end != STORE_DONE && end != STORE_NONE)
		log_debug("audit", "nothing purged: %s",
		    store_detail(c->store));
	return end == STORE_DONE;
}

/* --- the row ------------------------------------------------------------ */

static const struct route_param audit_list_params[] = {
	PAGE_LIMIT("Rows"),
	PAGE_BEFORE("4711", "rows with an id below this one"),
	{ .name = NULL },
};

static const struct route_answer audit_list_answers[] = {
	{ .status = 200, .doc = "A page of the audit, the newest first",
	    .type = "application/json", .fields = audit_row_fields,
	    .list = true, .headers = "Link",
	    .example = "[{\"id\":4711,"
	    "\"time\":\"2026-01-26T12:00:00.000Z\",\"who\":\"admin\","
	    "\"address\":\"192.0.2.10\","
	    "\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\","
	    "\"action\":\"publish\",\"what\":{\"version\":7},"
	    "\"count\":1}]" },
	{ .status = 0 },
};

const struct route audit_routes[] = {
	{ .method = "GET", .path = "/audit", .id = "listAudit",
	    .tag = "status", .summary = "Who did what, and when",
	    .who = ROUTE_ADMIN, .params = audit_list_params,
	    .answers = audit_list_answers, .handle = audit_list },
	{ .path = NULL },
};
