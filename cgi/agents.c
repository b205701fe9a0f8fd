/*
 * The list of agents: what they said when they registered, and how they are
 * by their heartbeats.
 */
#include "agents.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "controller.h"
#include "housekeep.h"
#include "page.h"

struct agents_row {
	char *id, *hostname, *ip_address;
	char *port;			/* JSON, as applied_version: null */
	char *metadata;			/* until it is known */
	long long registered_at, last_poll;
	char *applied_version;
	char *state, *error;
	bool up_to_date;
};

#define AGENTS_ROW(member) offsetof(struct agents_row, member)

const struct field agents_row_fields[] = {
	{ .name = "id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AGENTS_ROW(id), .format = "uuid",
	    .doc = "The agent's id" },
	{ .name = "hostname", .kind = FIELD_TEXT,
	    .offset = AGENTS_ROW(hostname),
	    .doc = "What the machine calls itself" },
	{ .name = "ip_address", .kind = FIELD_TEXT,
	    .offset = AGENTS_ROW(ip_address),
	    .doc = "What the agent takes for its address" },
	{ .name = "port", .kind = FIELD_RAW, .offset = AGENTS_ROW(port),
	    .choices = "number", .doc = "Where the agent listens" },
	{ .name = "metadata", .kind = FIELD_RAW,
	    .offset = AGENTS_ROW(metadata), .choices = "string object",
	    .doc = "As it was registered" },
	{ .name = "registered_at", .kind = FIELD_TIME,
	    .offset = AGENTS_ROW(registered_at),
	    .doc = "The last registration" },
	{ .name = "last_poll", .kind = FIELD_TIME,
	    .offset = AGENTS_ROW(last_poll),
	    .doc = "The last heartbeat; null before the first" },
	{ .name = "applied_version", .kind = FIELD_RAW,
	    .offset = AGENTS_ROW(applied_version), .choices = "number",
	    .doc = "What the worker last acknowledged; null until it is "
	    "known" },
	{ .name = "state", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AGENTS_ROW(state),
	    .choices = "ok failed no-worker offline new",
	    .doc = "What it last said; offline after three intervals "
	    "without a poll; new before it said anything" },
	{ .name = "error", .kind = FIELD_TEXT, .offset = AGENTS_ROW(error),
	    .doc = "What went wrong last" },
	{ .name = "up_to_date", .kind = FIELD_BOOL, .need = FIELD_REQUIRED,
	    .offset = AGENTS_ROW(up_to_date),
	    .doc = "Whether applied_version is the present version" },
	{ .name = NULL },
};

void
agents_write(struct buf *out, const struct store_agent *a, long long present)
{
	char id[TOKEN_UUID], applied[24], port[24], fresh[] = "new";
	struct agents_row row = {
		.id = id,
		.hostname = a->hostname,
		.ip_address = a->ip_address,
		.metadata = a->metadata,
		.registered_at = a->registered_at,
		.last_poll = a->last_poll,
		.state = a->state != NULL ? a->state : fresh,
		.error = a->error,
		.up_to_date = a->applied_version == present && present > 0,
	};

	memcpy(id, a->id, sizeof(id));
	if (a->applied_version >= 0) {
		snprintf(applied, sizeof(applied), "%lld",
		    a->applied_version);
		row.applied_version = applied;
	}
	if (a->port > 0) {
		snprintf(port, sizeof(port), "%lld", a->port);
		row.port = port;
	}
	fields_write(agents_row_fields, &row, out);
}

/* A list being written. */
struct agents_page {
	struct page page;
	long long present;
	char last[TOKEN_UUID];
};

static void
agents_each(void *arg, const struct store_agent *a)
{
	struct agents_page *page = arg;

	agents_write(page_row(&page->page), a, page->present);
}

static void
agents_end(struct agents_page *page, const struct route_request *req,
    const struct store_filter *filter, bool more)
{
	char state[32] = "", version[48] = "", next[256];

	if (filter->state != NULL)
		snprintf(state, sizeof(state), "&state=%s", filter->state);
	if (filter->version >= 0)
		snprintf(version, sizeof(version), "&version=%lld",
		    filter->version);
	snprintf(next, sizeof(next), "/agents?limit=%ld&after=%s%s%s",
	    filter->limit, page->last, state, version);
	page_end(&page->page, req, more ? next : NULL);
}

static void
agents_list(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	const char *after = route_value(req, "after");
	struct agents_page page = { .present = 0 };
	struct store_filter filter = {
		.after = after != NULL ? after : "",
		.limit = (long)route_number(req, "limit", 100),
		.state = route_value(req, "state"),
		.version = route_number(req, "version", -1),
	};
	const struct store_version *v;
	long long total = 0;
	bool more = false;
	enum store_end end = controller_current(c, &v);

	if (end == STORE_DONE) {
		page.present = v->version;
		housekeep_agents(c);
		page_begin(&page.page, reply);
		end = store_agents_by(c->store, &filter, agents_each, &page,
		    &total, page.last, &more);
	}
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	agents_end(&page, req, &filter, more);
	route_header(reply, "X-Total-Count", "%lld", total);
}

/* --- the rows ----------------------------------------------------------- */

static const struct route_param agents_list_params[] = {
	PAGE_LIMIT("Agents"),
	{ .name = "after", .in = ROUTE_IN_QUERY, .kind = ROUTE_UUID,
	    .example = AGENTS_ID, .doc = "The last id of the page before" },
	{ .name = "state", .in = ROUTE_IN_QUERY, .kind = ROUTE_WORD,
	    .choices = "ok failed no-worker offline new", .example = "ok",
	    .doc = "Only agents of that state" },
	{ .name = "version", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 0, .max = 1LL << 53, .example = "7",
	    .doc = "Only agents whose applied_version it is" },
	{ .name = NULL },
};

static const struct route_answer agents_list_answers[] = {
	{ .status = 200, .doc = "A page of agents, by id. "
	    "X-Total-Count says how many there are in all, or that fit. Who "
	    "fits is known by heartbeats: of a large fleet, one that has just "
	    "registered or was deleted may be missing there, or counted, for "
	    "some seconds (ten minutes at most)",
	    .type = "application/json", .fields = agents_row_fields,
	    .list = true, .headers = "Link X-Total-Count",
	    .example = "[" AGENTS_EXAMPLE "]" },
	{ .status = 0 },
};

const struct route agents_routes[] = {
	{ .method = "GET", .path = "/agents", .id = "listAgents",
	    .tag = "agents", .summary = "The agents, and how they are",
	    .who = ROUTE_ADMIN, .params = agents_list_params,
	    .answers = agents_list_answers, .handle = agents_list },
	{ .path = NULL },
};
