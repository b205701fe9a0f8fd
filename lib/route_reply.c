/*
 * Replies: headers, JSON, and problem+json for everything that is refused.
 */
#include "route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
	ROUTE_HEADERS_MAX = 16384,	/* bytes of a reply's headers */
	ROUTE_ERRORS_MAX = 16384,	/* of the rows of `errors` */
	ROUTE_DETAIL_MAX = 1024,
	ROUTE_PROBLEM_MAX = 32768,	/* fits a whole problem+json */
};

static const struct {
	int status;
	const char *title;
} route_titles[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
route_title(int status)
{
	for (size_t i = 0; i < sizeof(route_titles) / sizeof(*route_titles);
	    i++)
		if (route_titles[i].status == status)
			return route_titles[i].title;
	return "Unknown";
}

void
route_reply_init(struct route_reply *reply, size_t body_max)
{
	memset(reply, 0, sizeof(*reply));
	buf_init(&reply->headers, ROUTE_HEADERS_MAX);
	buf_init(&reply->body, body_max);
	buf_init(&reply->errors, ROUTE_ERRORS_MAX);
}

void
route_reply_free(struct route_reply *reply)
{
	buf_free(&reply->headers);
	buf_free(&reply->body);
	buf_free(&reply->errors);
}

void
route_header(struct route_reply *reply, const char *name, const char *fmt,
    ...)
{
	size_t start = reply->headers.len, value;
	va_list ap;
	bool ok;

	ok = buf_printf(&reply->headers, "%s: ", name);
	value = reply->headers.len;
	va_start(ap, fmt);
	ok = ok && buf_vprintf(&reply->headers, fmt, ap);
	va_end(ap);
	for (size_t i = value; ok && i < reply->headers.len; i++) {
		unsigned char c = (unsigned char)reply->headers.data[i];

		if (c < 0x20 || c == 0x7f)
			reply->headers.data[i] = ' ';
	}
	ok = ok && buf_str(&reply->headers, "\r\n");
	if (!ok && reply->headers.data != NULL) {
		/* no half of a line may stay; `failed` makes it a 500 */
		reply->headers.len = start;
		reply->headers.data[start] = '\0';
	}
}

void
route_json(struct route_reply *reply, int status, const struct field *fields,
    const void *from)
{
	reply->status = status;
	reply->type = "application/json";
	buf_reset(&reply->body);
	fields_write(fields, from, &reply->body);
}

void
route_problem_field(void *arg, const char *field, const char *message)
{
	struct route_reply *reply = arg;
	struct buf row = BUF_INIT(ROUTE_ERRORS_MAX);

	buf_str(&row, reply->errors.len > 0 ? ",{\"field\":" :
	    "{\"field\":");
	json_put_text(&row, field);
	buf_str(&row, ",\"message\":");
	json_put_text(&row, message);
	buf_char(&row, '}');
	/* a row that does not fit is left out, whole */
	if (!row.failed &&
	    row.len <= reply->errors.max - reply->errors.len)
		buf_add(&reply->errors, row.data, row.len);
	buf_free(&row);
}

void
route_problem(const struct route_request *req, struct route_reply *reply,
    int status, const char *fmt, ...)
{
	char detail[ROUTE_DETAIL_MAX];
	struct buf *body = &reply->body;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	reply->status = status;
	reply->type = "application/problem+json";
	buf_reset(body);
	if (body->max < ROUTE_PROBLEM_MAX)
		body->max = ROUTE_PROBLEM_MAX;
	buf_printf(body, "{\"type\":\"about:blank\",\"title\":\"%s\","
	    "\"status\":%d,\"detail\":", route_title(status), status);
	json_put_text(body, detail);
	buf_str(body, ",\"request_id\":");
	json_put_text(body, req->id);
	if (reply->errors.len > 0) {
		buf_str(body, ",\"errors\":[");
		buf_add(body, reply->errors.data, reply->errors.len);
		buf_char(body, ']');
	}
	buf_char(body, '}');
	buf_reset(&reply->errors);
}

static bool
route_has(const struct route *r, enum route_in in)
{
	for (const struct route_param *p = r->params;
	    p != NULL && p->name != NULL; p++)
		if (p->in == in)
			return true;
	return false;
}

bool
route_implies(const struct route *r, int status)
{
	unsigned people = ROUTE_AGENT | ROUTE_ADMIN | ROUTE_TOKEN;

	switch (status) {
	case 400:
		return true;
	case 401:
	case 403:
		return r->who != 0;
	case 429:
	case 503:
		return (r->who & people) != 0;
	case 404:
		return route_has(r, ROUTE_IN_PATH);
	case 413:
		return r->body != NULL;
	}
	return false;
}

bool
route_may_send(const struct route *r, int status)
{
	for (const struct route_answer *a = r->answers;
	    a != NULL && a->status != 0; a++)
		if (a->status == status || a->status == ROUTE_ANY)
			return true;
	return route_implies(r, status);
}

void
route_check(const struct route *r, int status)
{
#ifdef ROUTE_CHECK
	if (r == NULL || route_may_send(r, status) || status == 500)
		return;
	log_error("http", "%s %s sends %d, which its row does not declare",
	    r->method, r->path, status);
	abort();
#else
	(void)r, (void)status;
#endif
}
