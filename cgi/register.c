/*
 * Registration. An id is the agent's to keep: it comes back with X-Agent-ID,
 * and whoever has the fleet's credential is believed.
 */
#include "register.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "body.h"
#include "clock.h"
#include "controller.h"
#include "log.h"

enum {
	REGISTER_METADATA_MAX = 4096,	/* bytes */
	REGISTER_TEXT_MAX = 255,
	REGISTER_BODY_MAX = 16384,
};

struct register_said {
	char *hostname, *ip_address;
	long long port;
	char *metadata, *software;
};

#define REGISTER_SAID(member) offsetof(struct register_said, member)

static const struct field register_said_fields[] = {
	{ .name = "hostname", .kind = FIELD_TEXT,
	    .offset = REGISTER_SAID(hostname), .max = REGISTER_TEXT_MAX,
	    .doc = "What the machine calls itself" },
	{ .name = "ip_address", .kind = FIELD_TEXT,
	    .offset = REGISTER_SAID(ip_address), .max = 64,
	    .doc = "What the agent takes for its address" },
	{ .name = "port", .kind = FIELD_WHOLE, .offset = REGISTER_SAID(port),
	    .min = 1, .max = 65535, .doc = "Where the agent listens" },
	{ .name = "metadata", .kind = FIELD_RAW,
	    .offset = REGISTER_SAID(metadata), .max = REGISTER_METADATA_MAX,
	    .choices = "string object", .doc = "Anything, up to 4 KiB" },
	{ .name = "version", .kind = FIELD_RAW,
	    .offset = REGISTER_SAID(software), .max = REGISTER_TEXT_MAX,
	    .choices = "string number", .doc = "Of the agent's program" },
	{ .name = NULL },
};

struct register_given {
	char *id, *poll_url;
	long long interval;
	char *token;
};

#define REGISTER_GIVEN(member) offsetof(struct register_given, member)

static const struct field register_given_fields[] = {
	{ .name = "agent_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = REGISTER_GIVEN(id), .format = "uuid",
	    .doc = "The agent's for good; sent again as X-Agent-ID" },
	{ .name = "poll_url", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = REGISTER_GIVEN(poll_url),
	    .format = "uri-reference",
	    .doc = "Where the configuration is, relative to this request" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .need = FIELD_REQUIRED, .offset = REGISTER_GIVEN(interval),
	    .doc = "How often to ask" },
	{ .name = "token", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = REGISTER_GIVEN(token),
	    .doc = "A credential for this agent alone, for Authorization: "
	    "Bearer" },
	{ .name = NULL },
};

/* The id that the agent has or gets. False: the reply is made. */
static bool
register_identify(struct route_request *req, struct route_reply *reply,
    char id[TOKEN_UUID])
{
	const char *named = req->header(req, "X-Agent-ID");
	const char *mine = auth_of(req)->agent;

	if (mine[0] != '\0')
		named = mine;
	if (named == NULL || named[0] == '\0') {
		token_uuid(id);
		return true;
	}
	if (!token_is_uuid(named)) {
		route_problem(req, reply, 400, "X-Agent-ID is not a UUID");
		return false;
	}
	for (size_t i = 0; i < TOKEN_UUID; i++)
		id[i] = named[i] >= 'A' && named[i] <= 'F' ?
		    (char)(named[i] | 0x20) : named[i];
	return true;
}

static void
register_store(struct route_request *req, struct route_reply *reply,
    const char *id, const struct register_said *said)
{
	struct controller *c = controller_of(req);
	struct store_agent agent = {
		.hostname = said->hostname,
		.ip_address = said->ip_address,
		.port = said->port,
		.metadata = said->metadata,
		.software = said->software,
		.address = strdup(req->remote),
		.registered_at = clock_wall(),
	};
	struct store_deed deed = auth_deed(req, "register");
	struct register_given given = { .id = agent.id };
	struct buf url = BUF_INIT(16384);
	const struct store_version *v;
	enum store_end end;
	char token[PASS_SIZE];

	memcpy(agent.id, id, TOKEN_UUID);
	if (agent.address == NULL) {
		route_problem(req, reply, 500, "out of memory");
		goto out;
	}
	end = controller_current(c, &v);
	if (end == STORE_DONE) {
		given.interval = v->interval;
		end = store_register(c->store, &agent, &deed,
		    &agent.generation);
	}
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		goto out;
	}
	pass_make(&c->key, id, agent.generation, token);
	buf_printf(&url, "%s/config", req->prefix);
	given.poll_url = url.data;
	given.token = token;
	log_info("agents", "%s agent %s registered from %s", req->id, id,
	    req->remote);
	route_json(reply, 200, register_given_fields, &given);
out:
	buf_free(&url);
	free(agent.address);
}

static void
register_agent(struct route_request *req, struct route_reply *reply)
{
	struct register_said said = { .port = 0 };
	char id[TOKEN_UUID];

	if ((req->body_len == 0 || body_read(req, reply,
	    register_said_fields, &said, NULL, BODY_LOOSE,
	    "the registration")) &&
	    register_identify(req, reply, id) && controller_key(req, reply))
		register_store(req, reply, id, &said);
	fields_free(register_said_fields, &said);
}

/* --- the row ------------------------------------------------------------ */

#define REGISTER_ID "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f"

static const struct route_param register_params[] = {
	{ .name = "X-Agent-ID", .in = ROUTE_IN_HEADER, .kind = ROUTE_UUID,
	    .example = REGISTER_ID, .doc = "The id that the agent keeps" },
	{ .name = NULL },
};

static const struct route_example register_examples[] = {
	{ "registration", "{\"hostname\":\"web-1\","
	    "\"ip_address\":\"192.0.2.10\",\"port\":8081,"
	    "\"metadata\":{\"rack\":\"7\"},\"version\":\"0.1.0\"}" },
	{ NULL, NULL },
};

static const struct route_body register_body = {
	.doc = "What the agent says of itself; other members are ignored",
	.optional = true,
	.max = REGISTER_BODY_MAX,
	.fields = register_said_fields,
	.examples = register_examples,
};

static const struct route_answer register_answers[] = {
	{ .status = 200, .doc = "The agent is known",
	    .type = "application/json", .fields = register_given_fields,
	    .example = "{\"agent_id\":\"" REGISTER_ID "\","
	    "\"poll_url\":\"/config\",\"poll_interval_seconds\":30,"
	    "\"token\":\"dcm1." REGISTER_ID ".1."
	    "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k\"}" },
	{ .status = 0 },
};

const struct route register_routes[] = {
	{ .method = "POST", .path = "/register", .id = "registerAgent",
	    .tag = "agents", .summary = "Register an agent",
	    .who = ROUTE_AGENT, .params = register_params,
	    .body = &register_body,
	    .answers = register_answers, .handle = register_agent },
	{ .path = NULL },
};
