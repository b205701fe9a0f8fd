/*
 * Who may call the worker's /config, by address and by key. Callers from
 * other machines cannot be had in a black-box test.
 */
#include "../../worker/routes.c"

#include "unit.h"

static const char *sent_key, *sent_origin;

static const char *
sent(const struct route_request *req, const char *name)
{
	(void)req;
	if (strcasecmp(name, "X-API-Key") == 0)
		return sent_key;
	if (strcasecmp(name, "Origin") == 0)
		return sent_origin;
	return NULL;
}

/* The status of the refusal; 0: admitted. */
static int
ask(const char *path, const char *remote, const char *key, char *own)
{
	struct worker worker = { .settings.key = own };
	struct route_request req = {
		.table = &routes_table, .method = "GET", .path = path,
		.query = "", .prefix = "", .remote = remote, .body = "",
		.header = sent, .content_length = -1,
	};
	struct route_reply reply;
	int status = 0;

	routes_table.context = &worker;
	sent_key = key;
	route_reply_init(&reply, 4096);
	if (!route_admit(&req, &reply))
		status = reply.status;
	route_reply_free(&reply);
	route_request_free(&req);
	return status;
}

UNIT("without a key every address of loopback may call, and no other")
{
	static const char *const here[] = {
		"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1",
	};
	static const char *const there[] = {
		"192.0.2.1", "10.0.0.1", "128.0.0.1", "::2", "fe80::1",
		"::ffff:192.0.2.1", "2001:db8::7f00:1", "",
	};

	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		CHECK_INT(ask("/config", here[i], NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		CHECK_INT(ask("/config", there[i], NULL, NULL), 403);
	CHECK_INT(ask("/config", "192.0.2.1", "any", NULL), 403);
}

UNIT("without a key a web page may not call")
{
	sent_origin = "http://page.example";
	CHECK_INT(ask("/config", "127.0.0.1", NULL, NULL), 403);
	CHECK_INT(ask("/state", "127.0.0.1", NULL, NULL), 0);
	sent_origin = NULL;
}

UNIT("with a key the address does not matter")
{
	char own[] = "the key";

	CHECK_INT(ask("/config", "192.0.2.1", "the key", own), 0);
	CHECK_INT(ask("/config", "127.0.0.1", NULL, own), 401);
	CHECK_INT(ask("/config", "127.0.0.1", "the kez", own), 401);
	CHECK_INT(ask("/config", "127.0.0.1", "", own), 401);
}

UNIT("what is for anyone is for anyone")
{
	char own[] = "the key";

	CHECK_INT(ask("/hit", "192.0.2.1", NULL, own), 0);
	CHECK_INT(ask("/state", "192.0.2.1", NULL, own), 0);
	CHECK_INT(ask("/health", "192.0.2.1", NULL, own), 0);
	CHECK_INT(ask("/swagger.yaml", "192.0.2.1", NULL, own), 0);
	CHECK_INT(ask("/metrics", "192.0.2.1", NULL, own), 0);
}

UNIT_MAIN
