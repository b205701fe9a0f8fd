/*
 * A method, a path and a query, on three lines: they lead to a row whose
 * parameters are of their kinds, or to a refusal that is JSON.
 */
#include "fuzz.h"

#include <string.h>

#include "route.h"
#include "token.h"

static void
handle(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	reply->status = 200;
}

static const struct route_param params[] = {
	{ .name = "id", .in = ROUTE_IN_PATH, .kind = ROUTE_UUID },
	{ .name = "n", .in = ROUTE_IN_PATH, .kind = ROUTE_WHOLE, .min = 1,
	  .max = 1000 },
	{ .name = "name", .in = ROUTE_IN_PATH, .kind = ROUTE_TEXT, .max = 9 },
	{ .name = "limit", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
	  .min = 1, .max = 1000, .fallback = "100" },
	{ .name = "state", .in = ROUTE_IN_QUERY, .kind = ROUTE_WORD,
	  .choices = "ok failed" },
	{ .name = "dry", .in = ROUTE_IN_QUERY, .kind = ROUTE_FLAG },
	{ .name = "after", .in = ROUTE_IN_QUERY, .kind = ROUTE_TEXT,
	  .max = 20 },
	{ .name = NULL },
};
static const struct route_answer answers[] = {
	{ .status = 200 }, { .status = 0 },
};
#define ROW(m, p) { .method = m, .path = p, .params = params, \
	.answers = answers, .handle = handle }
static const struct route rows[] = {
	ROW("GET", "/u/{id}"), ROW("GET", "/a/{name}"), ROW("PUT", "/a/{n}"),
	ROW("GET", "/a/b"), ROW("DELETE", "/{name}/{n}/{id}"),
	ROW("GET", "/"), { .path = NULL },
};
static const struct route *const groups[] = { rows, NULL };
static const struct route_table table = { .groups = groups };

static const char *
header(const struct route_request *req, const char *name)
{
	(void)name;
	return req->query;	/* any text will do */
}

static void
number(const struct route_request *req, const char *name)
{
	long long n = route_number(req, name, 1);

	TRUTH(n >= 1 && n <= 1000);
}

static void
admitted(const struct route_request *req)
{
	const char *id = route_value(req, "id"), *p;
	struct buf text = BUF_INIT(10000);

	TRUTH(req->route != NULL);
	TRUTH(id == NULL || (token_is_uuid(id) &&
	    strpbrk(id, "ABCDEF") == NULL));
	number(req, "n");
	number(req, "limit");
	for (int i = 0; i < 7; i++) {
		p = req->values[i];
		TRUTH(p == NULL || (p[0] != '\0' &&
		    p[strcspn(p, "\t\r\n\x01\x7f")] == '\0'));
		if (p == NULL)
			continue;
		/* what is UTF-8 needs no mending */
		json_put_text(&text, p);
		TRUTH(strstr(buf_text(&text), "\xef\xbf\xbd") == NULL ||
		    strstr(p, "\xef\xbf\xbd") != NULL);
		buf_reset(&text);
	}
	buf_free(&text);
}

static void
refused(const struct route_reply *reply)
{
	if (reply->status == 204) {
		TRUTH(strncmp(buf_text(&reply->headers), "Allow: ", 7) == 0);
		return;
	}
	TRUTH(reply->status == 400 || reply->status == 404 ||
	    reply->status == 405);
	TRUTH(json_check(buf_text(&reply->body), reply->body.len, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), *rest = text;
	struct route_request req = { .table = &table, .prefix = "",
		.remote = "", .body = "", .content_length = -1,
		.header = header };
	struct route_reply reply;

	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	req.method = strsep(&rest, "\n");
	req.path = rest != NULL ? strsep(&rest, "\n") : "";
	req.query = rest != NULL ? strsep(&rest, "\n") : "";
	route_reply_init(&reply, 100);
	route_request_id(&req);
	TRUTH(req.id[0] != '\0' && strlen(req.id) < ROUTE_ID_SIZE);
	if (route_admit(&req, &reply))
		admitted(&req);
	else
		refused(&reply);
	route_request_free(&req);
	route_reply_free(&reply);
	free(text);
	return 0;
}
