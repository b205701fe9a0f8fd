/*
 * Routes: from a request to the row that answers it, or to a refusal.
 *
 * A row is found by its path, segment by segment and by exact length, and
 * the more literal of two rows wins wherever they stand in their tables. The
 * path is never decoded before it is split, so that %2F makes no segments,
 * and never cleaned: "//", "/./" and "/config/" are other paths, that is,
 * none. Escapes in a literal segment are not looked through either.
 */
#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "route_param.h"

enum { ROUTE_METHODS_MAX = 16 };

void
route_request_id(struct route_request *req)
{
	route_id(req->id, req->header(req, "X-Request-ID"));
}

/* --- finding the row ---------------------------------------------------- */

static bool
route_named(const char *segment, size_t len)
{
	return len > 2 && segment[0] == '{' && segment[len - 1] == '}';
}

/* The index of the parameter that a segment "{name}" stands for, or -1. */
static int
route_index(const struct route *r, const char *segment, size_t len)
{
	for (int i = 0; i < ROUTE_PARAMS_MAX && r->params != NULL &&
	    r->params[i].name != NULL; i++)
		if (r->params[i].in == ROUTE_IN_PATH &&
		    strlen(r->params[i].name) == len - 2 &&
		    memcmp(r->params[i].name, segment + 1, len - 2) == 0)
			return i;
	return -1;
}

/*
 * Whether the path is the row's. values, when not NULL, gets the decoded
 * parameters: false with values means that memory ran out.
 */
static enum route_fit
route_match(const struct route *r, const char *path, char **values)
{
	enum route_fit fit, all = ROUTE_FITS;
	const char *want = r->path;
	char text[ROUTE_PATH_MAX + 1];

	while (*want == '/' && *path == '/') {
		size_t len = strcspn(++path, "/");
		size_t wantlen = strcspn(++want, "/");

		if (!route_named(want, wantlen)) {
			if (len != wantlen || memcmp(path, want, len) != 0)
				return ROUTE_UNFIT;
		} else {
			int i = route_index(r, want, wantlen);

			fit = len == 0 ? ROUTE_UNFIT : route_param_read(
			    i < 0 ? NULL : &r->params[i], path, len, text);
			if (fit == ROUTE_UNFIT)
				return fit;
			if (fit == ROUTE_MALFORMED)
				all = fit;
			else if (values != NULL && i >= 0 &&
			    (values[i] = strdup(text)) == NULL)
				return ROUTE_UNFIT;
		}
		path += len;
		want += wantlen;
	}
	return *want == '\0' && *path == '\0' ? all : ROUTE_UNFIT;
}

/*
 * Which of two rows that fit the same path is the more literal: at the first
 * segment where they differ in kind. Negative: a; 0: the same resource.
 */
static int
route_compare(const struct route *a, const struct route *b)
{
	const char *p = a->path, *q = b->path;

	while (*p == '/' && *q == '/') {
		size_t n = strcspn(++p, "/"), m = strcspn(++q, "/");
		int differ = route_named(p, n) - route_named(q, m);

		if (differ != 0)
			return differ;
		p += n;
		q += m;
	}
	return 0;
}

/* What a path leads to. */
struct route_found {
	const struct route *best;	/* NULL: nothing */
	const struct route *row;	/* of the method, or NULL */
	const char *methods[ROUTE_METHODS_MAX];
	size_t count;
};

static bool
route_answers(const struct route *r, const char *method)
{
	return strcmp(r->method, method) == 0 ||
	    (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void
route_add(struct route_found *found, const char *method)
{
	size_t i;

	for (i = 0; i < found->count; i++)
		if (strcmp(found->methods[i], method) == 0)
			return;
	if (found->count == ROUTE_METHODS_MAX)
		return;
	/* kept sorted */
	for (; i > 0 && strcmp(found->methods[i - 1], method) > 0; i--)
		found->methods[i] = found->methods[i - 1];
	found->methods[i] = method;
	found->count++;
}

static void
route_consider(struct route_found *found, const struct route *r,
    const struct route_request *req)
{
	const char *path = req->path;
	int order;

	/* most rows differ in the first letter */
	if (path[0] == '/' && r->path[1] != path[1] && r->path[1] != '{')
		return;
	if (route_match(r, path, NULL) == ROUTE_UNFIT)
		return;
	order = found->best != NULL ? route_compare(r, found->best) : -1;
	if (order > 0)
		return;
	if (order < 0)
		*found = (struct route_found){ .best = r };
	route_add(found, r->method);
	if (strcmp(r->method, "GET") == 0)
		route_add(found, "HEAD");
	if (route_answers(r, req->method))
		found->row = r;
}

static void
route_find(struct route_found *found, const struct route_request *req)
{
	const struct route *const *group;

	*found = (struct route_found){ .best = NULL };
	if (strlen(req->path) > ROUTE_PATH_MAX)
		return;
	for (group = req->table->groups; *group != NULL; group++)
		for (const struct route *r = *group; r->path != NULL; r++)
			route_consider(found, r, req);
}

static void
route_allow(const struct route_found *found, struct route_reply *reply)
{
	struct buf list = BUF_INIT(512);

	for (size_t i = 0; i < found->count; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "",
		    found->methods[i]);
	route_header(reply, "Allow", "%s", buf_text(&list));
	buf_free(&list);
}

/* --- admitting ---------------------------------------------------------- */

static bool
route_path(struct route_request *req, struct route_reply *reply)
{
	switch (route_match(req->route, req->path, req->values)) {
	case ROUTE_FITS:
		return true;
	case ROUTE_MALFORMED:
		route_problem(req, reply, 400, "the path is malformed");
		return false;
	case ROUTE_UNFIT:
		route_problem(req, reply, 500, "out of memory");
		return false;
	}
	return false;
}

static bool
route_method(struct route_request *req, struct route_reply *reply)
{
	struct route_found found;

	route_find(&found, req);
	req->route = found.row;
	if (found.row != NULL)
		return true;
	if (found.best == NULL) {
		route_problem(req, reply, 404, "no such path");
		return false;
	}
	route_allow(&found, reply);
	if (strcmp(req->method, "OPTIONS") == 0)
		reply->status = 204;
	else
		route_problem(req, reply, 405,
		    "the path does not take this method; Allow lists those "
		    "it takes");
	return false;
}

bool
route_admit(struct route_request *req, struct route_reply *reply)
{
	const struct route_body *body;

	if (!route_method(req, reply) || !route_path(req, reply) ||
	    !route_param_query(req, reply))
		return false;
	if (req->table->authorize != NULL &&
	    !req->table->authorize(req, reply)) {
		route_check(req->route, reply->status);
		return false;
	}
	body = req->route->body;
	if (body != NULL && req->content_length >= 0 &&
	    (unsigned long long)req->content_length > body->max) {
		route_problem(req, reply, 413,
		    "the body may have %zu bytes at most", body->max);
		return false;
	}
	return true;
}

void
route_seal(struct route_request *req, struct route_reply *reply)
{
	if (reply->body.failed || reply->headers.failed ||
	    reply->status == 0) {
		buf_reset(&reply->headers);
		route_problem(req, reply, 500, "%s", reply->status == 0 ?
		    "no answer was made" : "the answer does not fit");
	}
	route_check(req->route, reply->status);
}

void
route_run(struct route_request *req, struct route_reply *reply)
{
	req->route->handle(req, reply);
	if (!reply->later)
		route_seal(req, reply);
}

void
route_request_free(struct route_request *req)
{
	for (int i = 0; i < ROUTE_PARAMS_MAX; i++) {
		free(req->values[i]);
		req->values[i] = NULL;
	}
}

/* --- values ------------------------------------------------------------- */

const char *
route_value(const struct route_request *req, const char *name)
{
	const struct route_param *p = req->route->params;

	for (int i = 0; i < ROUTE_PARAMS_MAX && p != NULL &&
	    p[i].name != NULL; i++)
		if (strcmp(p[i].name, name) == 0)
			return req->values[i] != NULL ? req->values[i] :
			    p[i].fallback;
	return NULL;
}

long long
route_number(const struct route_request *req, const char *name,
    long long otherwise)
{
	const char *value = route_value(req, name);

	return value != NULL ? strtoll(value, NULL, 10) : otherwise;
}

bool
route_flag(const struct route_request *req, const char *name)
{
	const char *value = route_value(req, name);

	return value != NULL && strcmp(value, "true") == 0;
}
