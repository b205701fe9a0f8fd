#ifndef OPENAPI_H
#define OPENAPI_H
/*
 * Tables of routes, printed as an OpenAPI 3.0.3 document in YAML.
 */
#include "buf.h"
#include "route.h"

struct openapi_tag {
	const char *name, *doc;		/* name NULL ends the table */
};

struct openapi {
	const char *title;
	const char *doc;		/* Markdown, one paragraph */
	const char *server;		/* "/" or a URL */
	const struct openapi_tag *tags;
	const struct route_table *table;
};

/* 256 rows at most. Every operation has `x-roles` beside `security`: which
 * of admin, agent, token and key may call it. */
void openapi_print(const struct openapi *, struct buf *);

#endif
