#include "unit.h"

#include "../../lib/route_reply.c"

static struct route_reply reply;
static const struct route_request req = { .id = "abc-1" };

UNIT("a problem has the shape of RFC 9457 and says what was asked")
{
	route_reply_init(&reply, 100);
	route_problem(&req, &reply, 404, "no %s path", "such");
	CHECK_TEXT(reply.type, "application/problem+json");
	CHECK_TEXT(buf_text(&reply.body), "{\"type\":\"about:blank\","
	    "\"title\":\"Not Found\",\"status\":404,"
	    "\"detail\":\"no such path\",\"request_id\":\"abc-1\"}");
	route_problem_field(&reply, "url", "a \"URL\", please");
	route_problem_field(&reply, "headers", "no");
	route_problem(&req, &reply, 400, "the body is refused");
	CHECK_TEXT(buf_text(&reply.body), "{\"type\":\"about:blank\","
	    "\"title\":\"Bad Request\",\"status\":400,"
	    "\"detail\":\"the body is refused\",\"request_id\":\"abc-1\","
	    "\"errors\":[{\"field\":\"url\",\"message\":"
	    "\"a \\\"URL\\\", please\"},{\"field\":\"headers\","
	    "\"message\":\"no\"}]}");
	route_reply_free(&reply);
}

UNIT("more field errors than fit are left out whole")
{
	route_reply_init(&reply, 100);
	for (int i = 0; i < 5000; i++)
		route_problem_field(&reply, "field", "is wrong");
	route_problem(&req, &reply, 400, "much");
	CHECK(!reply.body.failed);
	CHECK_TEXT(reply.body.data + reply.body.len - 3, "}]}");
	route_reply_free(&reply);
}

UNIT("a header's control characters become spaces")
{
	route_reply_init(&reply, 100);
	route_header(&reply, "Location", "/x%s", "\r\nEvil: 1\x7f");
	CHECK_TEXT(buf_text(&reply.headers), "Location: /x  Evil: 1 \r\n");
	route_reply_free(&reply);
}

static const struct route_param t_id[] = {
	{ .name = "id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID },
	{ .name = NULL },
};
static const struct route_answer t_ok[] = {
	{ .status = 200 },
	{ .status = 0 },
};
static const struct route_answer t_all[] = {
	{ .status = ROUTE_ANY },
	{ .status = 0 },
};
static const struct route_body t_body = { .max = 1 };

UNIT("a row may send what it declares and what is implied")
{
	const struct route open = { .path = "/", .answers = t_ok };
	const struct route admin = { .path = "/{id}", .who = ROUTE_ADMIN,
		.params = t_id, .body = &t_body, .answers = t_ok };
	const struct route key = { .path = "/", .who = ROUTE_KEY,
		.answers = t_ok };
	const struct route any = { .path = "/", .answers = t_all };
	static const int implied[] = { 401, 403, 404, 413, 429, 503 };

	CHECK(route_may_send(&open, 200) && !route_may_send(&open, 201));
	CHECK(route_may_send(&open, 400) && route_may_send(&admin, 400));
	for (size_t i = 0; i < sizeof(implied) / sizeof(*implied); i++) {
		CHECK(!route_may_send(&open, implied[i]));
		CHECK(route_may_send(&admin, implied[i]));
		CHECK_INT(route_may_send(&key, implied[i]), i < 2);
		CHECK(route_may_send(&any, implied[i]));
		CHECK(!route_implies(&any, implied[i]));
	}
	CHECK(!route_may_send(&admin, 405) && !route_may_send(&admin, 500));
}

UNIT("a status has its title")
{
	CHECK_TEXT(route_title(404), "Not Found");
	CHECK_TEXT(route_title(299), "Unknown");
}

UNIT_MAIN
