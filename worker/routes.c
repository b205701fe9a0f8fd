/*
 * Who may call what. Without a key /config is for callers on this machine
 * alone, and then not for web pages: a browser here must not be a way in for
 * every page it shows.
 */
#include "routes.h"

#include <arpa/inet.h>
#include <string.h>

#include "worker.h"

static bool
routes_loopback(const char *remote)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (strncmp(remote, "::ffff:", 7) == 0)
		remote += 7;
	if (inet_pton(AF_INET, remote, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, remote, &v6) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Whether the caller asked for an address, or for a name that no server of
 * names gives away: a web page may have made its own name mean this machine,
 * and reads then without an Origin. */
static bool
routes_near(const char *host)
{
	size_t len = host != NULL ? strcspn(host, ":") : 0;
	char name[INET_ADDRSTRLEN] = "";
	struct in_addr v4;

	if (host == NULL || *host == '[' || memchr(host, '.', len) == NULL)
		return true;
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	return inet_pton(AF_INET, name, &v4) == 1;
}

static bool
routes_keyless(struct route_request *req, struct route_reply *reply)
{
	if (!routes_loopback(req->remote)) {
		route_problem(req, reply, 403, "callers from another machine "
		    "need a key: set WORKER_API_KEY");
		return false;
	}
	if (req->header(req, "Origin") != NULL ||
	    !routes_near(req->header(req, "Host"))) {
		route_problem(req, reply, 403, "a web page, or who calls "
		    "this machine by a name with dots, needs a key: set "
		    "WORKER_API_KEY");
		return false;
	}
	return true;
}

static bool
routes_authorize(struct route_request *req, struct route_reply *reply)
{
	const struct worker *w = req->table->context;
	const char *key = req->header(req, "X-API-Key");

	if (req->route->who == 0)
		return true;
	req->who = ROUTE_KEY;
	if (w->settings.key == NULL)
		return routes_keyless(req, reply);
	if (key != NULL && token_equal(key, w->settings.key))
		return true;
	route_header(reply, "WWW-Authenticate", "ApiKey realm=\"dcm\"");
	route_problem(req, reply, 401, key == NULL ?
	    "the header X-API-Key is missing" : "the X-API-Key is wrong");
	return false;
}

static const struct route *const routes_groups[] = {
	config_routes, hit_routes, tasks_routes, state_routes, measure_routes,
	NULL,
};

struct route_table routes_table = {
	.groups = routes_groups,
	.authorize = routes_authorize,
};

static const struct openapi_tag routes_tags[] = {
	{ "hit", "The work: what the configured URL serves." },
	{ "tasks", "The work, done later: queued, tried again, kept for a "
	    "while." },
	{ "config", "The configuration in force, delivered by the agent." },
	{ "state", "How the worker is." },
	{ NULL, NULL },
};

const struct openapi routes_openapi = {
	.title = "dcm worker",
	.doc = "Takes its configuration from the agent and serves, at "
	    "`GET /hit`, what the configured URL serves.",
	.server = "/",
	.tags = routes_tags,
	.table = &routes_table,
};
