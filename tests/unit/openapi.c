#include "unit.h"

#include "../../lib/openapi.c"

#include <stdlib.h>

struct thing {
	char *name;
	long long size;
};

static const struct field t_fields[] = {
	{ .name = "name", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	  .offset = offsetof(struct thing, name), .max = 20,
	  .doc = "What it is \"called\"" },
	{ .name = "size", .kind = FIELD_WHOLE,
	  .offset = offsetof(struct thing, size), .min = 1, .max = 9 },
	{ .name = NULL },
};

static const struct route_example t_examples[] = {
	{ "small", "{\"name\":\"a\"}" },
	{ "big", "{\n\t\"name\": \"a\",\n\t\"size\": 9\n}" },
	{ .name = NULL },
};

static const struct route_body t_body = { .doc = "A thing", .max = 100,
	.fields = t_fields, .examples = t_examples };

static const struct route_param t_params[] = {
	{ "id", ROUTE_IN_PATH, ROUTE_UUID, .doc = "Which thing",
	  .example = "0b6c5c1a-7f3e-4e0b-9d0a-3a8d1a1b2c3d" },
	{ "n", ROUTE_IN_PATH, ROUTE_WHOLE, 1, 9223372036854775807,
	  .example = "7" },
	{ "limit", ROUTE_IN_QUERY, ROUTE_WHOLE, 1, 1000, .fallback = "100" },
	{ "state", ROUTE_IN_QUERY, ROUTE_WORD, .choices = "ok failed",
	  .fallback = "ok" },
	{ "dry", ROUTE_IN_QUERY, ROUTE_FLAG, .fallback = "false" },
	{ "If-Match", ROUTE_IN_HEADER, ROUTE_TEXT, .max = 99,
	  .example = "\"7\"" },
	{ .name = NULL },
};

static const struct route_param t_put[] = {
	{ "id", ROUTE_IN_PATH, ROUTE_UUID, .doc = NULL },
	{ "n", ROUTE_IN_PATH, ROUTE_WHOLE, 1, 10, .doc = NULL },
	{ .name = NULL },
};

static const struct route_answer t_read[] = {
	{ 200, "The things", "application/json", t_fields, true,
	  "ETag Link", "[{\"name\":\"a\",\"size\":3}]" },
	{ 304, "They are the same", .headers = "ETag" },
	{ 412, "Another \"version\" is there", .type = NULL },
	{ .status = 0 },
};

static const struct route_answer t_text[] = {
	{ ROUTE_ANY, "Whatever", "*/*", .example = "Anything\n" },
	{ 200, "Numbers", "text/plain; version=0.0.4",
	  .example = "# HELP x y\nx{a=\"b\"} 1\n" },
	{ .status = 0 },
};

static const struct route_answer t_made[] = {
	{ 201, "Made", .type = NULL },
	{ .status = 0 },
};

static const struct route t_first[] = {
	{ "GET", "/things/{id}/{n}", "readThings", "things", "Reads: all",
	  ROUTE_ADMIN | ROUTE_AGENT, t_params, NULL, t_read, NULL },
	{ "GET", "/metrics", "metrics", "about", "Numbers", 0, NULL, NULL,
	  t_text, NULL },
	{ .path = NULL },
};

static const struct route t_second[] = {
	{ "PUT", "/things/{id}/{n}", "makeThing", "things", "Makes one",
	  ROUTE_KEY, t_put, &t_body, t_made, NULL },
	{ .path = NULL },
};

static const struct route *const t_groups[] = { t_first, t_second, NULL };
static const struct route_table t_table = { .groups = t_groups };
static const struct openapi_tag t_tags[] = {
	{ "things", "What there is.\nAnd more." },
	{ "about", "About itself." },
	{ .name = NULL },
};
static const struct openapi t_doc = { "Things", "A test:\n\n  of things",
	"/", t_tags, &t_table };

/* What is expected stands beside this file. */
static char *
t_expected(void)
{
	static char text[65536];
	FILE *f = fopen("tests/unit/openapi.yaml", "r");
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return text;
}

UNIT("a table is printed as expected, line for line")
{
	struct buf b = BUF_INIT(1 << 20);
	const char *got, *want = t_expected();
	int line = 1;

	openapi_print(&t_doc, &b);
	CHECK(!b.failed);
	if (getenv("UNIT_PRINT") != NULL)
		fputs(buf_text(&b), stderr);
	for (got = buf_text(&b); *got != '\0' && *got == *want;
	    got++, want++)
		line += *got == '\n';
	if (*got != *want)
		UNIT_FAIL("line %d goes on: %.80s\nexpected: %.80s", line,
		    got, want);
	buf_free(&b);
}

UNIT("a server's path that YAML would read otherwise is quoted")
{
	struct openapi doc = t_doc;
	struct buf b = BUF_INIT(1 << 20);

	doc.server = "/some/where.8080/api/v1";
	openapi_print(&doc, &b);
	CHECK(strstr(buf_text(&b), "\n  - url: /some/where.8080/api/v1\n"));
	buf_reset(&b);
	doc.server = "/a b: \"c\" #d";
	openapi_print(&doc, &b);
	CHECK(strstr(buf_text(&b), "\n  - url: \"/a b: \\\"c\\\" #d\"\n"));
	buf_free(&b);
}

UNIT_MAIN
