/*
 * One agent. A new token, and deletion, are in the store when the answer is
 * sent, and each process looks there at each request: no other one is asked,
 * and none but lighttpd's fast path has to be told.
 */
#include "agent.h"

#include <stddef.h>
#include <string.h>

#include "agents.h"
#include "auth.h"
#include "body.h"
#include "clock.h"
#include "controller.h"
#include "housekeep.h"
#include "log.h"
#include "pass.h"

enum {
	AGENT_ERROR_MAX = 1024,		/* bytes */
	AGENT_BODY_MAX = 8192,
};

/* Refuses what the store could not do. */
static void
agent_fault(const struct route_request *req, struct route_reply *reply,
    enum store_end end)
{
	if (end == STORE_NONE)
		route_problem(req, reply, 404, "there is no agent %s",
		    route_value(req, "id"));
	else
		controller_fault(req, reply, end);
}

static void
agent_show(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	struct store_agent a = { .port = 0 };
	const struct store_version *v;
	long long present = 0;
	enum store_end end = controller_current(c, &v);

	if (end == STORE_DONE) {
		present = v->version;
		housekeep_agents(c);
		end = store_agent(c->store, route_value(req, "id"), &a);
	}
	if (end == STORE_DONE) {
		reply->status = 200;
		reply->type = "application/json";
		agents_write(&reply->body, &a, present);
	} else {
		agent_fault(req, reply, end);
	}
	store_agent_free(&a);
}

static void
agent_delete(struct route_request *req, struct route_reply *reply)
{
	const char *id = route_value(req, "id");
	struct store_deed deed = auth_deed(req, "delete");
	enum store_end end = store_forget(controller_of(req)->store, id,
	    &deed, clock_wall());

	if (end != STORE_DONE) {
		agent_fault(req, reply, end);
		return;
	}
	front_publish(controller_of(req));
	log_info("agents", "%s agent %s deleted by %s", req->id, id,
	    auth_of(req)->name);
	reply->status = 204;
}

/* --- a new token -------------------------------------------------------- */

struct agent_token {
	char *id, *token;
};

static const struct field agent_token_fields[] = {
	{ .name = "agent_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct agent_token, id), .format = "uuid",
	    .doc = "The agent's id" },
	{ .name = "token", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct agent_token, token),
	    .doc = "For Authorization: Bearer; those before it are not good "
	    "any more" },
	{ .name = NULL },
};

static void
agent_rotate(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	char id[TOKEN_UUID], token[PASS_SIZE];
	struct store_deed deed = auth_deed(req, "rotate");
	struct agent_token given = { .id = id, .token = token };
	long long generation;
	enum store_end end;

	if (!controller_key(req, reply))
		return;
	memcpy(id, route_value(req, "id"), sizeof(id));
	end = store_rotate(c->store, id, &deed, clock_wall(),
	    &generation);
	if (end != STORE_DONE) {
		agent_fault(req, reply, end);
		return;
	}
	front_publish(c);
	pass_make(&c->key, id, generation, token);
	log_info("agents", "%s agent %s has a new token, number %lld, by %s",
	    req->id, id, generation, auth_of(req)->name);
	route_json(reply, 200, agent_token_fields, &given);
	explicit_bzero(token, sizeof(token));
}

/* --- a report ----------------------------------------------------------- */

struct agent_said {
	long long applied_version;
	char *state, *error;
};

#define AGENT_SAID(member) offsetof(struct agent_said, member)

static const struct field agent_said_fields[] = {
	{ .name = "applied_version", .kind = FIELD_WHOLE,
	    .offset = AGENT_SAID(applied_version), .min = 0,
	    .max = 1LL << 53,
	    .doc = "What the worker last acknowledged" },
	{ .name = "state", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = AGENT_SAID(state), .choices = "ok failed no-worker",
	    .doc = "How it went" },
	{ .name = "error", .kind = FIELD_TEXT, .offset = AGENT_SAID(error),
	    .max = AGENT_ERROR_MAX,
	    .doc = "What went wrong; missing or null: nothing" },
	{ .name = NULL },
};

static void
agent_note(struct route_request *req, struct route_reply *reply,
    const struct agent_said *said, unsigned long present)
{
	struct store_beat beat = {
		.at = clock_wall(),
		.applied_version = present & 1 ? said->applied_version : -1,
		.state = beat_state(said->state),
		.error = said->error != NULL ? said->error : "",
		.trusted = true,
	};
	struct controller *c = controller_of(req);
	enum store_end end;

	memcpy(beat.id, auth_of(req)->agent, sizeof(beat.id));
	end = store_fold(c->store, &beat, 1, beat.at);
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return;
	}
	if (beat.error[0] != '\0')
		log_info("agents", "%s agent %s: %s: %s", req->id, beat.id,
		    beat.state, beat.error);
	reply->status = 204;
}

static void
agent_status(struct route_request *req, struct route_reply *reply)
{
	struct agent_said said = { .state = NULL };
	unsigned long present = 0;

	if (body_read(req, reply, agent_said_fields, &said, &present,
	    BODY_LOOSE, "the status"))
		agent_note(req, reply, &said, present);
	fields_free(agent_said_fields, &said);
}

/* --- the rows ----------------------------------------------------------- */

static const struct route_param agent_params[] = {
	{ .name = "id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID,
	    .example = AGENTS_ID, .doc = "The agent's id" },
	{ .name = NULL },
};

static const struct route_example agent_status_examples[] = {
	{ "refused", "{\"applied_version\":7,\"state\":\"failed\","
	    "\"error\":\"worker answered 400: url is not allowed\"}" },
	{ "applied", "{\"applied_version\":8,\"state\":\"ok\"}" },
	{ NULL, NULL },
};

static const struct route_body agent_status_body = {
	.doc = "How the agent's worker is; other members are ignored",
	.max = AGENT_BODY_MAX,
	.fields = agent_said_fields,
	.examples = agent_status_examples,
};

#define AGENT_NONE							\
	{ .status = 404, .doc = "There is no such agent",		\
	    .type = "application/problem+json",				\
	    .example = "{\"type\":\"about:blank\","			\
	    "\"title\":\"Not Found\",\"status\":404,"			\
	    "\"detail\":\"there is no agent " AGENTS_ID "\","		\
	    "\"request_id\":\"7b1f3c52-8b0e-4a53-9f0a-1f2e3d4c5b6a\"}" }

static const struct route_answer agent_show_answers[] = {
	{ .status = 200, .doc = "The agent", .type = "application/json",
	    .fields = agents_row_fields, .example = AGENTS_EXAMPLE },
	AGENT_NONE,
	{ .status = 0 },
};

static const struct route_answer agent_delete_answers[] = {
	{ .status = 204, .doc = "It is forgotten, its token not good any "
	    "more; with the fleet's credential it may register again" },
	AGENT_NONE,
	{ .status = 0 },
};

static const struct route_answer agent_rotate_answers[] = {
	{ .status = 200, .doc = "The new token",
	    .type = "application/json", .fields = agent_token_fields,
	    .example = "{\"agent_id\":\"" AGENTS_ID "\","
	    "\"token\":\"dcm1." AGENTS_ID ".2."
	    "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k\"}" },
	AGENT_NONE,
	{ .status = 0 },
};

static const struct route_answer agent_status_answers[] = {
	{ .status = 204, .doc = "Noted" },
	{ .status = 0 },
};

const struct route agent_routes[] = {
	{ .method = "GET", .path = "/agents/{id}", .id = "readAgent",
	    .tag = "agents", .summary = "An agent, and how it is",
	    .who = ROUTE_ADMIN, .params = agent_params,
	    .answers = agent_show_answers, .handle = agent_show },
	{ .method = "DELETE", .path = "/agents/{id}", .id = "deleteAgent",
	    .tag = "agents", .summary = "Forget an agent",
	    .who = ROUTE_ADMIN, .params = agent_params,
	    .answers = agent_delete_answers, .handle = agent_delete },
	{ .method = "POST", .path = "/agents/{id}/token",
	    .id = "rotateToken", .tag = "agents",
	    .summary = "Give an agent a new token",
	    .who = ROUTE_ADMIN, .params = agent_params,
	    .answers = agent_rotate_answers, .handle = agent_rotate },
	{ .method = "POST", .path = "/agents/{id}/status",
	    .id = "reportStatus", .tag = "agents",
	    .summary = "Report how an agent's worker is",
	    .who = ROUTE_TOKEN, .params = agent_params,
	    .body = &agent_status_body,
	    .answers = agent_status_answers, .handle = agent_status },
	{ .path = NULL },
};
