/*
 * The words around the controller's routes. What the routes are is said by
 * their rows alone.
 */
#include "describe.h"

static const struct openapi_tag describe_tags[] = {
	{ "config", "The configuration and its versions" },
	{ "agents", "Those who carry it" },
	{ "status", "How the controller is" },
	{ NULL, NULL },
};

struct openapi
describe_document(const struct route_table *table, const char *server)
{
	return (struct openapi){
		.title = "Distributed configuration manager: controller",
		.doc = "Publishes one configuration to all agents. Every path "
		    "also answers below `/api/v1`, and below the prefix of "
		    "its mount. Refusals are `application/problem+json` "
		    "(RFC 9457).",
		.server = server,
		.tags = describe_tags,
		.table = table,
	};
}

void
describe_print(const struct route_table *table, const char *server,
    struct buf *out)
{
	const struct openapi document = describe_document(table, server);

	openapi_print(&document, out);
}
