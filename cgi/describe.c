/*
 * The words around the controller's routes. What the routes are is said by
 * their rows alone.
 */
#include "describe.h"

#include "openapi.h"

static const struct openapi_tag describe_tags[] = {
	{ "config", "The configuration and its versions" },
	{ "agents", "Those who carry it" },
	{ "status", "How the controller is" },
	{ NULL, NULL },
};

void
describe_print(const struct route_table *table, struct buf *out)
{
	const struct openapi document = {
		.title = "Distributed configuration manager: controller",
		.doc = "Publishes one configuration to all agents. Every path "
		    "also answers below `/api/v1`, and below the prefix of "
		    "its mount. Refusals are `application/problem+json` "
		    "(RFC 9457).",
		.server = "/",
		.tags = describe_tags,
		.table = table,
	};

	openapi_print(&document, out);
}
