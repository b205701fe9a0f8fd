/*
 * OpenAPI 3.0.3 from route tables, in YAML: regular enough for awk, plain
 * enough to be read. Paths stand in the order of the tables; what no row
 * refers to is left out.
 */
#include "openapi.h"

#include <string.h>

#include "openapi_yaml.h"

const struct openapi_refusal openapi_refusals[] = {
	{ 400, "BadRequest", "The request is malformed: its path, its query, "
	    "its headers or its body", NULL, "unknown query key \"x\"" },
	{ 401, "Unauthorized", "There is no credential, or a wrong one",
	    "WWW-Authenticate", "the credential is wrong" },
	{ 403, "Forbidden", "The credential is good, for another role or "
	    "another agent", NULL, "this role may not do that" },
	{ 404, "NotFound", "There is no such thing", NULL, "no such path" },
	{ 413, "ContentTooLarge", "The body is too long", NULL,
	    "the body may have 65536 bytes at most" },
	{ 429, "TooManyRequests", "Too many wrong credentials have come from "
	    "this address", "Retry-After", "too many wrong credentials" },
	{ 503, "ServiceUnavailable", "A setting is missing, or the store "
	    "cannot be used", "Retry-After", "ADMIN_PASSWORD is not set" },
	{ .status = 0 },
};

enum { OPENAPI_ROWS_MAX = 256 };

/* All rows of a table, one after the other. */
struct openapi_rows {
	const struct route *row[OPENAPI_ROWS_MAX];
	size_t count;
	unsigned who;		/* bits of all of them */
};

static void
openapi_collect(struct openapi_rows *rows, const struct route_table *t)
{
	const struct route *const *group;

	rows->count = 0;
	rows->who = 0;
	for (group = t->groups; *group != NULL; group++)
		for (const struct route *r = *group; r->path != NULL &&
		    rows->count < OPENAPI_ROWS_MAX; r++) {
			rows->row[rows->count++] = r;
			rows->who |= r->who;
		}
}

static bool
openapi_uses(const struct openapi_rows *rows, int status)
{
	for (size_t i = 0; i < rows->count; i++)
		if (openapi_implied(rows->row[i], status))
			return true;
	return false;
}

/* --- components --------------------------------------------------------- */

static void
openapi_refused(struct buf *b, const struct openapi_refusal *f)
{
	struct buf example = BUF_INIT(4096);

	openapi_line(b, 2, "%s:", f->name);
	openapi_text(b, 3, "description", f->doc);
	if (f->header != NULL) {
		openapi_line(b, 3, "headers:");
		openapi_line(b, 4, "%s:", f->header);
		openapi_line(b, 5, "schema: {\"type\":\"string\"}");
	}
	openapi_line(b, 3, "content:");
	openapi_line(b, 4, "application/problem+json:");
	openapi_line(b, 5, "schema: "
	    "{\"$ref\":\"#/components/schemas/Problem\"}");
	openapi_problem(&example, f->status, f->example);
	openapi_json(b, 5, "example", buf_text(&example));
	buf_free(&example);
}

static void
openapi_schemes(struct buf *b, unsigned who)
{
	if (who == 0)
		return;
	openapi_line(b, 1, "securitySchemes:");
	if (who & (ROUTE_AGENT | ROUTE_ADMIN)) {
		openapi_line(b, 2, "basicAuth:");
		openapi_line(b, 3, "type: http");
		openapi_line(b, 3, "scheme: basic");
	}
	if (who & (ROUTE_AGENT | ROUTE_ADMIN | ROUTE_KEY)) {
		openapi_line(b, 2, "apiKey:");
		openapi_line(b, 3, "type: apiKey");
		openapi_line(b, 3, "in: header");
		openapi_line(b, 3, "name: X-API-Key");
	}
	if (who & (ROUTE_AGENT | ROUTE_TOKEN)) {
		openapi_line(b, 2, "bearer:");
		openapi_line(b, 3, "type: http");
		openapi_line(b, 3, "scheme: bearer");
	}
}

static void
openapi_problem_schema(struct buf *b)
{
	static const char *const members[] = {
		"type: {\"type\":\"string\"}",
		"title: {\"type\":\"string\"}",
		"status: {\"type\":\"integer\"}",
		"detail: {\"type\":\"string\"}",
		"request_id: {\"type\":\"string\"}",
	};

	openapi_line(b, 1, "schemas:");
	openapi_line(b, 2, "Problem:");
	openapi_line(b, 3, "description: A refusal (RFC 9457)");
	openapi_line(b, 3, "type: object");
	openapi_line(b, 3, "required: [\"type\",\"title\",\"status\","
	    "\"detail\",\"request_id\"]");
	openapi_line(b, 3, "properties:");
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		openapi_line(b, 4, "%s", members[i]);
	openapi_line(b, 4, "errors:");
	openapi_line(b, 5, "description: What is wrong with a body");
	openapi_line(b, 5, "type: array");
	openapi_line(b, 5, "items: {\"type\":\"object\",\"properties\":"
	    "{\"field\":{\"type\":\"string\"},"
	    "\"message\":{\"type\":\"string\"}}}");
}

static void
openapi_components(struct buf *b, const struct openapi_rows *rows)
{
	const struct openapi_refusal *f;

	openapi_line(b, 0, "components:");
	openapi_schemes(b, rows->who);
	openapi_problem_schema(b);
	openapi_line(b, 1, "responses:");
	for (f = openapi_refusals; f->status != 0; f++)
		if (openapi_uses(rows, f->status))
			openapi_refused(b, f);
}

/* --- paths -------------------------------------------------------------- */

static void
openapi_operation(struct buf *b, const struct route *r)
{
	char method[16] = "";

	for (size_t i = 0; r->method[i] != '\0' && i < 15; i++)
		method[i] = (char)(r->method[i] | 0x20);
	openapi_line(b, 2, "%s:", method);
	openapi_line(b, 3, "operationId: %s", r->id);
	openapi_text(b, 3, "summary", r->summary);
	if (r->tag != NULL) {
		openapi_line(b, 3, "tags:");
		openapi_line(b, 4, "- %s", r->tag);
	}
	openapi_security(b, 3, r->who);
	openapi_parameters(b, 3, r);
	openapi_body(b, 3, r->body);
	openapi_responses(b, 3, r);
}

/* The operations of one path, when row i is the first that has it. */
static void
openapi_path(struct buf *b, const struct openapi_rows *rows, size_t i)
{
	const char *path = rows->row[i]->path;

	for (size_t k = 0; k < i; k++)
		if (strcmp(rows->row[k]->path, path) == 0)
			return;
	openapi_line(b, 1, "%s:", path);
	for (size_t k = i; k < rows->count; k++)
		if (strcmp(rows->row[k]->path, path) == 0)
			openapi_operation(b, rows->row[k]);
}

/* A prefix may have any character; most have none that needs quotes. */
static void
openapi_server(struct buf *b, const char *server)
{
	struct buf text = BUF_INIT(8192);

	if (server[strspn(server, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._-")] == '\0')
		buf_str(&text, server);
	else
		json_put_text(&text, server);
	openapi_line(b, 1, "- url: %s", buf_text(&text));
	buf_free(&text);
}

static void
openapi_head(struct buf *b, const struct openapi *o)
{
	openapi_line(b, 0, "openapi: 3.0.3");
	openapi_line(b, 0, "info:");
	openapi_text(b, 1, "title", o->title);
	openapi_line(b, 1, "version: \"%s\"", DCM_VERSION);
	openapi_text(b, 1, "description", o->doc);
	openapi_line(b, 1, "license:");
	openapi_line(b, 2, "name: Apache-2.0");
	openapi_line(b, 2, "url: https://www.apache.org/licenses/LICENSE-2.0");
	openapi_line(b, 0, "servers:");
	openapi_server(b, o->server);
	openapi_line(b, 0, "tags:");
	for (const struct openapi_tag *tag = o->tags; tag->name != NULL;
	    tag++) {
		openapi_line(b, 1, "- name: %s", tag->name);
		openapi_text(b, 2, "description", tag->doc);
	}
}

void
openapi_print(const struct openapi *o, struct buf *b)
{
	struct openapi_rows rows;

	openapi_collect(&rows, o->table);
	openapi_head(b, o);
	openapi_line(b, 0, "paths:");
	for (size_t i = 0; i < rows.count; i++)
		openapi_path(b, &rows, i);
	openapi_components(b, &rows);
}
