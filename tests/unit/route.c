#include "unit.h"

#include "../../lib/route.c"

#include <stdint.h>

#include "token.h"

/* What the handlers and the table of the test saw. */
static struct {
	const struct route *ran;
	bool locked;
	const char *request_id;
} t;

static void
t_handle(struct route_request *req, struct route_reply *reply)
{
	t.ran = req->route;
	reply->status = 200;
}

static bool
t_authorize(struct route_request *req, struct route_reply *reply)
{
	if (!t.locked || req->route->who == 0)
		return true;
	route_header(reply, "WWW-Authenticate", "Basic realm=\"%s\"", "dcm");
	route_problem(req, reply, 401, "who are you?");
	return false;
}

static const struct route_answer t_ok[] = { { .status = 200 }, { 0 } };
static const struct route_body t_body = { .max = 10 };

static const struct route_param t_version[] = {
	{ .name = "version", .in = ROUTE_IN_PATH, .kind = ROUTE_WHOLE,
	  .min = 1, .max = INT64_MAX },
	{ 0 },
};
static const struct route_param t_id[] = {
	{ .name = "id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID },
	{ 0 },
};
static const struct route_param t_name[] = {
	{ .name = "name", .in = ROUTE_IN_PATH, .kind = ROUTE_TEXT, .max = 8 },
	{ 0 },
};
static const struct route_param t_query[] = {
	{ .name = "X-Thing", .in = ROUTE_IN_HEADER },
	{ .name = "limit", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	  .min = 1, .max = 1000, .fallback = "100" },
	{ .name = "state", .in = ROUTE_IN_QUERY, .kind = ROUTE_WORD,
	  .choices = "ok failed no-worker" },
	{ .name = "dry_run", .in = ROUTE_IN_QUERY, .kind = ROUTE_FLAG },
	{ .name = "after", .in = ROUTE_IN_QUERY, .kind = ROUTE_TEXT },
	{ 0 },
};

#define ROW(m, p, ...) { .method = m, .path = p, .id = m p, \
	.answers = t_ok, .handle = t_handle, __VA_ARGS__ }
/* on purpose: the parameter stands before the literal */
static const struct route t_first[] = {
	ROW("GET", "/config/{version}", .params = t_version, .who = 2),
	ROW("GET", "/config", .params = t_query, .who = 3),
	ROW("POST", "/config", .body = &t_body, .who = 2),
	{ 0 },
};
static const struct route t_second[] = {
	ROW("POST", "/config/rollback", .body = &t_body, .who = 2),
	ROW("DELETE", "/agents/{id}", .params = t_id),
	ROW("GET", "/agents/{id}", .params = t_id),
	ROW("GET", "/names/{name}/x", .params = t_name),
	ROW("GET", "/names/{name}/{other}", .params = t_name),
	ROW("GET", "/names/me/{other}"),
	{ 0 },
};
static const struct route *const t_groups[] = { t_first, t_second, NULL };
static const struct route_table t_table = { .groups = t_groups,
	.authorize = t_authorize };

static const char *
t_header(const struct route_request *req, const char *name)
{
	(void)req;
	return strcasecmp(name, "x-request-id") == 0 ? t.request_id : NULL;
}

static struct route_request req;
static struct route_reply reply;

/* The status that the request gets, 200 when a handler ran. */
static int
t_ask_body(const char *method, const char *path, const char *query,
    long long length)
{
	route_request_free(&req);
	route_reply_free(&reply);
	req = (struct route_request){ .table = &t_table, .method = method,
		.path = path, .query = query, .prefix = "", .remote = "",
		.body = "", .content_length = length, .header = t_header };
	route_reply_init(&reply, 100);
	route_request_id(&req);
	t.ran = NULL;
	if (route_admit(&req, &reply))
		route_run(&req, &reply);
	CHECK((t.ran != NULL) == (reply.status == 200));
	return reply.status;
}

static int
t_ask(const char *method, const char *path, const char *query)
{
	return t_ask_body(method, path, query, -1);
}

static bool
t_says(const char *text)
{
	return strstr(buf_text(&reply.body), text) != NULL;
}

UNIT("a row is found by its exact path and its method")
{
	CHECK_INT(t_ask("GET", "/config", ""), 200);
	CHECK_TEXT(t.ran->id, "GET/config");
	CHECK_INT(t_ask("POST", "/config", ""), 200);
	CHECK_TEXT(t.ran->id, "POST/config");
	CHECK_INT(t_ask("HEAD", "/config", ""), 200);
	CHECK_TEXT(t.ran->id, "GET/config");
}

UNIT("other paths are 404, however alike")
{
	static const char *const paths[] = { "", "/", "config", "/confi",
		"/configX", "/config/", "//config", "/config//", "/Config",
		"/%63onfig", "/config/1/2", "/./config", "*", "/config%2f1",
		"/config%00", "/names//x", "/agents", "/nope/%zz", "/config?",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int status = t_ask("GET", paths[i], "");

		if (status != 404)
			UNIT_FAIL("%s is %d", paths[i], status);
		CHECK(t_says("\"status\":404"));
	}
}

UNIT("a path longer than the limit is 404")
{
	char path[ROUTE_PATH_MAX + 20];

	memset(path, 'a', sizeof(path));
	memcpy(path, "/names/", 7);
	strcpy(path + sizeof(path) - 3, "/x");
	CHECK_INT(t_ask("GET", path, ""), 404);
}

UNIT("a literal segment wins over a parameter, whatever the order")
{
	CHECK_INT(t_ask("POST", "/config/rollback", ""), 200);
	CHECK_TEXT(t.ran->id, "POST/config/rollback");
	CHECK_INT(t_ask("GET", "/names/you/x", ""), 200);
	CHECK_TEXT(t.ran->id, "GET/names/{name}/x");
	CHECK_INT(t_ask("GET", "/names/you/y", ""), 200);
	CHECK_TEXT(t.ran->id, "GET/names/{name}/{other}");
	CHECK_INT(t_ask("GET", "/names/me/x", ""), 200);
	CHECK_TEXT(t.ran->id, "GET/names/me/{other}");
}

UNIT("a path parameter that does not fit its kind is another path")
{
	CHECK_INT(t_ask("GET", "/config/7", ""), 200);
	CHECK_INT(route_number(&req, "version", -1), 7);
	CHECK_INT(t_ask("GET", "/config/9223372036854775807", ""), 200);
	CHECK_INT(t_ask("GET", "/config/9223372036854775808", ""), 404);
	CHECK_INT(t_ask("GET", "/config/0", ""), 404);
	CHECK_INT(t_ask("GET", "/config/-1", ""), 404);
	CHECK_INT(t_ask("GET", "/config/+1", ""), 404);
	CHECK_INT(t_ask("GET", "/config/1.0", ""), 404);
	CHECK_INT(t_ask("GET", "/config/ 1", ""), 404);
	CHECK_INT(t_ask("POST", "/config/7x", ""), 404);
	CHECK_INT(t_ask("GET", "/agents/7", ""), 404);
	CHECK_INT(t_ask("GET", "/names/123456789/x", ""), 404);
}

UNIT("a UUID is handed on in lower case")
{
	CHECK_INT(t_ask("GET", "/agents/0B6C5C1A-7F3E-4E0B-9D0A-3A8D1A1B2C3D",
	    ""), 200);
	CHECK_TEXT(route_value(&req, "id"),
	    "0b6c5c1a-7f3e-4e0b-9d0a-3a8d1a1b2c3d");
}

UNIT("escapes of a parameter are decoded after the path is split")
{
	CHECK_INT(t_ask("GET", "/names/a%2Fb/x", ""), 200);
	CHECK_TEXT(route_value(&req, "name"), "a/b");
	CHECK_INT(t_ask("GET", "/names/%E2%82%ac/x", ""), 200);
	CHECK_TEXT(route_value(&req, "name"), "\xe2\x82\xac");
	CHECK_INT(t_ask("GET", "/config/%37", ""), 200);
	CHECK_INT(t_ask("GET", "/names/a%0Ab/x", ""), 404);
}

UNIT("broken escapes, NUL and what is no UTF-8 are malformed: 400")
{
	static const char *const bad[] = { "%", "%4", "%zz", "a%0", "%00",
		"%ff", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "\xe2\x82",
		"%E2%82", "%80", "%F5%80%80%80", "%E0%80%80" };
	char path[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(path, sizeof(path), "/names/%s/x", bad[i]);
		if (t_ask("GET", path, "") != 400)
			UNIT_FAIL("%s is %d", path, reply.status);
	}
	CHECK_INT(t_ask("POST", "/names/%zz/x", ""), 405);
}

UNIT("another method is 405, and Allow is sorted and knows HEAD")
{
	CHECK_INT(t_ask("PUT", "/config", ""), 405);
	CHECK_TEXT(buf_text(&reply.headers), "Allow: GET, HEAD, POST\r\n");
	CHECK_INT(t_ask("get", "/config", ""), 405);
	CHECK_INT(t_ask("GET", "/config/rollback", ""), 405);
	CHECK_TEXT(buf_text(&reply.headers), "Allow: POST\r\n");
	CHECK_INT(t_ask("POST",
	    "/agents/0b6c5c1a-7f3e-4e0b-9d0a-3a8d1a1b2c3d", ""), 405);
	CHECK_TEXT(buf_text(&reply.headers), "Allow: DELETE, GET, HEAD\r\n");
}

UNIT("OPTIONS is answered with Allow for a known path")
{
	CHECK_INT(t_ask("OPTIONS", "/config", ""), 204);
	CHECK_TEXT(buf_text(&reply.headers), "Allow: GET, HEAD, POST\r\n");
	CHECK_INT(t_ask("OPTIONS", "/nope", ""), 404);
}

UNIT("a query is read by its row")
{
	CHECK_INT(t_ask("GET", "/config", "limit=7&state=no%2Dworker&"
	    "dry_run=true&after=a%3D%26+b=c"), 200);
	CHECK_INT(route_number(&req, "limit", -1), 7);
	CHECK_TEXT(route_value(&req, "state"), "no-worker");
	CHECK(route_flag(&req, "dry_run"));
	CHECK_TEXT(route_value(&req, "after"), "a=&+b=c");
	CHECK_INT(t_ask("GET", "/config", "l%69mit=1000"), 200);
	CHECK_INT(route_number(&req, "limit", -1), 1000);
}

UNIT("what a query leaves out has its fallback, or none")
{
	CHECK_INT(t_ask("GET", "/config", ""), 200);
	CHECK_INT(route_number(&req, "limit", -1), 100);
	CHECK(route_value(&req, "state") == NULL);
	CHECK(route_value(&req, "nothing") == NULL);
	CHECK_INT(route_number(&req, "after", -1), -1);
	CHECK(!route_flag(&req, "dry_run"));
}

UNIT("a wrong query is 400 and names the key")
{
	static const struct {
		const char *query, *says;
	} bad[] = {
		{ "x=1", "unknown query key \\\"x\\\"" },
		{ "limit=1&limit=1", "\\\"limit\\\" is repeated" },
		{ "limit=0", "\\\"limit\\\" must be a whole number from 1 "
		    "to 1000" },
		{ "limit=1001", "must be" }, { "limit=", "must be" },
		{ "limit", "must be" }, { "limit=1%00", "is malformed" },
		{ "limit=%", "is malformed" }, { "limit=99999999999999999999",
		    "must be" }, { "limit=1e2", "must be" },
		{ "limit=%2B1", "must be" },
		{ "state=o", "one of: ok failed no-worker" },
		{ "state=", "one of" }, { "state=ok failed", "one of" },
		{ "dry_run=1", "true or false" }, { "dry_run=TRUE", "true" },
		{ "after=", "text of 1" }, { "after=%09", "control" },
		{ "after=%c2%85", "control" }, { "after=\xff", "malformed" },
		{ "&", "is empty" }, { "limit=1&", "is empty" },
		{ "limit=1&&state=ok", "is empty" }, { "=1", "is empty" },
		{ "%zz=1", "is malformed" }, { "%00=1", "is malformed" },
		{ "X-Thing=1", "unknown" }, { "limit%3D1", "unknown" },
		{ "\"\n=1", "unknown query key \\\"\\\"\\n\\\"" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (t_ask("GET", "/config", bad[i].query) != 400 ||
		    !t_says(bad[i].says))
			UNIT_FAIL("%s: %d %s", bad[i].query, reply.status,
			    buf_text(&reply.body));
	CHECK_INT(t_ask("GET", "/config/7", "limit=1"), 400);
}

UNIT("a query longer than the limit is 400")
{
	char query[ROUTE_QUERY_MAX + 2];

	memset(query, 'a', sizeof(query));
	memcpy(query, "after=", 6);
	query[ROUTE_QUERY_MAX] = '\0';
	CHECK_INT(t_ask("GET", "/config", query), 200);
	query[ROUTE_QUERY_MAX] = 'a';
	query[ROUTE_QUERY_MAX + 1] = '\0';
	CHECK_INT(t_ask("GET", "/config", query), 400);
}

UNIT("refusals come in the contract's order")
{
	t.locked = true;
	CHECK_INT(t_ask_body("POST", "/nope", "x=1", 11), 404);
	CHECK_INT(t_ask_body("PUT", "/config", "x=1", 11), 405);
	CHECK_INT(t_ask_body("POST", "/config", "x=1", 11), 400);
	CHECK_INT(t_ask_body("POST", "/config", "", 11), 401);
	CHECK_TEXT(buf_text(&reply.headers),
	    "WWW-Authenticate: Basic realm=\"dcm\"\r\n");
	t.locked = false;
	CHECK_INT(t_ask_body("POST", "/config", "", 11), 413);
	CHECK(t_says("10 bytes at most"));
	CHECK_INT(t_ask_body("POST", "/config", "", 10), 200);
}

UNIT("a request id is echoed when it is 1 to 64 printable characters")
{
	static char long_id[] = "0123456789012345678901234567890123456789"
	    "012345678901234567890123";

	t.request_id = long_id;
	t_ask("GET", "/config", "");
	CHECK_TEXT(req.id, long_id);
	static const char *const bad[] = { "", "a b", "a\tb", "\x7f", "a\xc3",
		("01234567890123456789012345678901234567890123456789"
		"012345678901234") };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		t.request_id = bad[i];
		t_ask("GET", "/config", "");
		CHECK(token_is_uuid(req.id));
	}
	t.request_id = NULL;
}

static void
t_big(struct route_request *r, struct route_reply *p)
{
	(void)r;
	p->status = 200;
	for (int i = 0; i < 200; i++)
		buf_char(&p->body, 'x');
}

static void
t_nothing(struct route_request *r, struct route_reply *p)
{
	(void)r, (void)p;
}

UNIT("an answer that does not fit, or is none, is a 500")
{
	struct route row = t_first[1];

	t_ask("GET", "/config", "");
	req.route = &row;
	row.handle = t_big;
	reply.body.max = 100;
	route_run(&req, &reply);
	CHECK_INT(reply.status, 500);
	CHECK(t_says("does not fit"));
	route_reply_free(&reply);
	route_reply_init(&reply, 100);
	row.handle = t_nothing;
	route_run(&req, &reply);
	CHECK_INT(reply.status, 500);
}

UNIT_MAIN
