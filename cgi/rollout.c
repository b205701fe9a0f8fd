/*
 * How far a version has come: numbers from what workers acknowledged, which
 * agents report in their heartbeats, never from what was sent.
 */
#include "rollout.h"

#include <stddef.h>

#include "controller.h"
#include "housekeep.h"

struct rollout_agents {
	long long total, up_to_date, behind, failed, offline;
};

struct rollout_seconds {
	double p50, p95, p99, max;
};

struct rollout_row {
	long long version, published_at;
	struct rollout_agents agents;
	struct rollout_seconds seconds;
};

#define ROLLOUT_AGENTS(member) offsetof(struct rollout_agents, member)
#define ROLLOUT_SECONDS(member) offsetof(struct rollout_seconds, member)
#define ROLLOUT_ROW(member) offsetof(struct rollout_row, member)

static const struct field rollout_agents_fields[] = {
	{ .name = "total", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_AGENTS(total),
	    .doc = "All agents: the sum of the next four" },
	{ .name = "up_to_date", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_AGENTS(up_to_date),
	    .doc = "Their workers have acknowledged it, or a later one" },
	{ .name = "behind", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_AGENTS(behind),
	    .doc = "They poll, and have not got it yet" },
	{ .name = "failed", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_AGENTS(failed),
	    .doc = "They report a failure, and have no later version" },
	{ .name = "offline", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_AGENTS(offline),
	    .doc = "No poll for three intervals, whatever they have" },
	{ .name = NULL },
};

#define ROLLOUT_SHARE(share, what)					\
	{ .name = #share, .kind = FIELD_REAL, .need = FIELD_REQUIRED,	\
	    .offset = ROLLOUT_SECONDS(share), .doc = what }

static const struct field rollout_seconds_fields[] = {
	ROLLOUT_SHARE(p50, "Half of the agents took no longer; null while "
	    "no agent has reported it"),
	ROLLOUT_SHARE(p95, "95 of a hundred"),
	ROLLOUT_SHARE(p99, "99 of a hundred"),
	ROLLOUT_SHARE(max, "The slowest"),
	{ .name = NULL },
};

static const struct field rollout_fields[] = {
	{ .name = "version", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_ROW(version),
	    .doc = "0 before the first publish" },
	{ .name = "published_at", .kind = FIELD_TIME, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_ROW(published_at),
	    .doc = "When it was published" },
	{ .name = "agents", .kind = FIELD_OBJECT, .need = FIELD_REQUIRED,
	    .offset = ROLLOUT_ROW(agents), .fields = rollout_agents_fields,
	    .doc = "How many agents are how far" },
	{ .name = "propagation_seconds", .kind = FIELD_OBJECT,
	    .need = FIELD_REQUIRED, .offset = ROLLOUT_ROW(seconds),
	    .fields = rollout_seconds_fields,
	    .doc = "From the publish to an agent's first heartbeat that "
	    "reports it applied" },
	{ .name = NULL },
};

static double
rollout_in_seconds(long long ms)
{
	return ms < 0 ? -1 : (double)ms / 1000;
}

static void
rollout_read(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	long long version = route_number(req, "version", 0);
	const struct store_version *v;
	struct store_rollout r;
	struct rollout_row row;
	enum store_end end = controller_current(c, &v);

	if (end == STORE_DONE) {
		housekeep_agents(c);
		end = store_rollout(c->store, version, &r);
	}
	if (end == STORE_NONE) {
		route_problem(req, reply, 404, "there is no version %lld",
		    version);
		return;
	}
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	row = (struct rollout_row){
		.version = r.version,
		.published_at = r.published_at,
		.agents = { r.total, r.up_to_date, r.behind, r.failed,
		    r.offline },
		.seconds = { rollout_in_seconds(r.p50),
		    rollout_in_seconds(r.p95), rollout_in_seconds(r.p99),
		    rollout_in_seconds(r.max) },
	};
	route_json(reply, 200, rollout_fields, &row);
}

/* --- the row ------------------------------------------------------------ */

static const struct route_param rollout_params[] = {
	{ .name = "version", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	    .min = 1, .max = 1LL << 53, .example = "7",
	    .doc = "Of which version; the newest when it is missing" },
	{ .name = NULL },
};

static const struct route_answer rollout_answers[] = {
	{ .status = 200, .doc = "How far it has come",
	    .type = "application/json", .fields = rollout_fields,
	    .example = "{\"version\":7,"
	    "\"published_at\":\"2026-01-26T12:00:00.000Z\","
	    "\"agents\":{\"total\":100,\"up_to_date\":95,\"behind\":2,"
	    "\"failed\":1,\"offline\":2},"
	    "\"propagation_seconds\":{\"p50\":14.847,\"p95\":28.671,"
	    "\"p99\":30.719,\"max\":31.214}}" },
	{ .status = 404, .doc = "There is no such version",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Not Found\","
	    "\"status\":404,\"detail\":\"there is no version 8\","
	    "\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\"}" },
	{ .status = 0 },
};

const struct route rollout_routes[] = {
	{ .method = "GET", .path = "/rollout", .id = "readRollout",
	    .tag = "agents", .summary = "How far a version has come",
	    .who = ROUTE_ADMIN, .params = rollout_params,
	    .answers = rollout_answers, .handle = rollout_read },
	{ .path = NULL },
};
