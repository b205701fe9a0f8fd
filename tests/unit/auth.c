/*
 * Credentials: which are good, for which role.
 */
#include "unit.h"

#include "../../cgi/auth.c"

#include "store_here.h"

static struct controller controller;
static struct route_table table = { .context = &controller };
static struct auth_caller caller;
static struct route_request req;
static struct route_reply reply;
static const char *sent_key, *sent_authorization, *sent_agent;

static const char *
sent(const struct route_request *r, const char *name)
{
	(void)r;
	if (strcmp(name, "X-API-Key") == 0)
		return sent_key;
	if (strcmp(name, "X-Agent-ID") == 0)
		return sent_agent;
	return strcmp(name, "Authorization") == 0 ? sent_authorization : NULL;
}

/* The status that a row with `who` sends before its handler; 0: none. */
static int
asks(unsigned who, const char *key, const char *authorization)
{
	struct route row = { .who = who };
	int status;

	sent_key = key;
	sent_authorization = authorization;
	memset(&caller, 0, sizeof(caller));
	req = (struct route_request){
		.table = &table,
		.route = &row,
		.header = sent,
		.owner = &caller,
	};
	route_reply_init(&reply, 4096);
	status = auth_authorize(&req, &reply) ? 0 : reply.status;
	route_reply_free(&reply);
	return status;
}

static void
settings(void)
{
	static char words[][16] = { "admin", "a:b c", "key-admin", "fleet",
		"secret", "key-fleet" };

	controller.settings = (struct controller_settings){
		.admin_username = words[0], .admin_password = words[1],
		.admin_key = words[2], .agent_username = words[3],
		.agent_password = words[4], .agent_key = words[5],
	};
}

UNIT("a key has its role, and names the setting")
{
	settings();
	CHECK_INT(asks(ROUTE_ADMIN, "key-admin", NULL), 0);
	CHECK_TEXT(caller.name, "ADMIN_API_KEY");
	CHECK_INT(asks(ROUTE_AGENT, "key-fleet", NULL), 0);
	CHECK_INT(asks(ROUTE_AGENT | ROUTE_ADMIN, "key-fleet", NULL), 0);
	CHECK_INT(asks(ROUTE_ADMIN, "key-fleet", NULL), 403);
	CHECK_INT(asks(ROUTE_ADMIN, "key-admi", NULL), 401);
	CHECK_INT(asks(ROUTE_ADMIN, "", NULL), 401);
	CHECK_INT(asks(ROUTE_ADMIN, NULL, NULL), 401);
	CHECK_INT(asks(0, NULL, NULL), 0);
}

UNIT("a password may hold colons; a user may not")
{
	settings();
	/* admin:a:b c */
	CHECK_INT(asks(ROUTE_ADMIN, NULL, "Basic YWRtaW46YTpiIGM="), 0);
	CHECK_TEXT(caller.name, "admin");
	CHECK_INT(asks(ROUTE_ADMIN, NULL, "bAsIc   YWRtaW46YTpiIGM="), 0);
	/* admin:a */
	CHECK_INT(asks(ROUTE_ADMIN, NULL, "Basic YWRtaW46YQ=="), 401);
	/* fleet:a:b c */
	CHECK_INT(asks(ROUTE_ADMIN, NULL, "Basic ZmxlZXQ6YTpiIGM="), 401);
	/* fleet:secret, and with a NUL and more behind it */
	CHECK_INT(asks(ROUTE_AGENT, NULL, "Basic ZmxlZXQ6c2VjcmV0"), 0);
	CHECK_INT(asks(ROUTE_AGENT, NULL, "Basic ZmxlZXQ6c2VjcmV0AHg="), 401);
}

UNIT("a malformed header is a wrong credential")
{
	static const char *const wrong[] = {
		"Basic", "Basic ", "Basic =", "Basic YWRtaW4", "Basic !",
		"BasicYWRtaW46YTpiIGM=", "Bearer", "Bearer ", "x", " ",
		"Basic YWRtaW46YTpiIGM=x", "Digest YWRtaW46YTpiIGM=",
	};

	settings();
	pass_set(&controller.key, (const unsigned char[PASS_KEY]){ 0 });
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (asks(ROUTE_ADMIN, NULL, wrong[i]) != 401)
			UNIT_FAIL("admitted: %s", wrong[i]);
}

UNIT("X-API-Key decides where both are sent")
{
	settings();
	CHECK_INT(asks(ROUTE_ADMIN, "x", "Basic YWRtaW46YTpiIGM="), 401);
	CHECK_INT(asks(ROUTE_ADMIN, "key-admin", "Basic x"), 0);
}

UNIT("one key for both settings has both roles")
{
	settings();
	controller.settings.agent_key = controller.settings.admin_key;
	CHECK_INT(asks(ROUTE_ADMIN, "key-admin", NULL), 0);
	CHECK_INT(req.who, ROUTE_ADMIN | ROUTE_AGENT);
	CHECK_INT(asks(ROUTE_AGENT, "key-admin", NULL), 0);
}

UNIT("what is not set, or set to nothing, is no credential")
{
	char nothing[] = "";

	settings();
	controller.settings.admin_password = NULL;
	controller.settings.admin_username = NULL;
	/* ":" */
	CHECK_INT(asks(ROUTE_ADMIN, NULL, "Basic Og=="), 401);
	controller.settings.agent_key = nothing;
	CHECK_INT(asks(ROUTE_AGENT, "", NULL), 401);
	controller.settings.admin_key = NULL;
	CHECK_INT(asks(ROUTE_AGENT, "key-fleet", NULL), 503);
}

UNIT("a token is its agent's, while its generation counts")
{
	static const char one[] = "11111111-1111-4111-8111-111111111111";
	char token[PASS_SIZE], header[PASS_SIZE + 8], from[] = "::1";
	struct store_agent agent = { .registered_at = 1, .address = from };
	long long generation;

	settings();
	folder_make();
	pass_set(&controller.key, (const unsigned char[PASS_KEY]){ 0 });
	controller.store = store_here("wal");
	pass_make(&controller.key, one, 1, token);
	snprintf(header, sizeof(header), "Bearer %s", token);
	CHECK_INT(asks(ROUTE_AGENT, NULL, header), 0);	/* not known yet */
	memcpy(agent.id, one, sizeof(one));
	CHECK_INT(store_register(controller.store, &agent, NULL, &generation),
	    STORE_DONE);
	CHECK_INT(asks(ROUTE_AGENT, NULL, header), 0);
	CHECK_TEXT(caller.agent, one);
	CHECK_INT(asks(ROUTE_ADMIN, NULL, header), 403);
	sent_agent = "22222222-2222-4222-8222-222222222222";
	CHECK_INT(asks(ROUTE_AGENT, NULL, header), 403);
	sent_agent = one;
	CHECK_INT(asks(ROUTE_AGENT, NULL, header), 0);
	sent_agent = NULL;
	pass_make(&controller.key, one, 0, token);
	snprintf(header, sizeof(header), "Bearer %s", token);
	CHECK_INT(asks(ROUTE_AGENT, NULL, header), 401);
	store_free(controller.store);
	controller.store = NULL;
	folder_remove();
}

UNIT_MAIN
