/*
 * What a hit asks of its target, and which of the answer's headers are
 * passed on. That is a list of what may, so hop-by-hop headers and cookies
 * never do; nothing of the caller's request but its Via reaches the target.
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
target_request(const struct worker *w, const struct current *c,
    struct fetch_request *r)
{
	const struct document *d = &c->document;
	long long seconds = d->timeout_seconds > 0 ? d->timeout_seconds :
	    w->settings.timeout;

	*r = (struct fetch_request){
		.url = d->url,
		.headers = (const char *const *)c->headers,
		.user_agent = d->user_agent != NULL ? d->user_agent :
		    "dcm-worker/" DCM_VERSION,
		.proxy = d->proxy,
		.follow = d->follow_redirects,
		.timeout_ms = seconds * 1000,
		.max_body = (size_t)w->settings.max_response,
	};
}

const char *
target_caller(const struct route_request *req)
{
	const char *via = req->header(req, "Via");

	return via != NULL && current_via_plain(via) ? via : NULL;
}

char **
target_via(const struct worker *w, const char *caller,
    struct fetch_request *r)
{
	size_t n = 0, len = strlen(caller) + strlen(w->via) + sizeof("Via: , ");
	char **headers, *line;

	while (r->headers[n] != NULL)
		n++;
	/* ours is the last one, where it is sent */
	if (n == 0 || strncmp(r->headers[n - 1], "Via: ", 5) != 0 ||
	    strcmp(r->headers[n - 1] + 5, w->via) != 0)
		return NULL;
	headers = malloc((n + 1) * sizeof(*headers) + len);
	if (headers == NULL)
		return NULL;
	memcpy(headers, r->headers, (n + 1) * sizeof(*headers));
	line = (char *)(headers + n + 1);
	snprintf(line, len, "Via: %s, %s", caller, w->via);
	headers[n - 1] = line;
	r->headers = (const char *const *)headers;
	return headers;
}

bool
target_allows(const struct worker *w, const struct sockaddr *address)
{
	return guard_allows(&w->settings.guard, address);
}

/* Whether the list of Connection names the header. */
static bool
target_nominated(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list != NULL && *list != '\0') {
		size_t n;

		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == len && strncasecmp(list, name, len) == 0)
			return true;
		list += n;
	}
	return false;
}

static bool
target_clean(const char *value)
{
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') ||
		    *value == 0x7f)
			return false;
	return true;
}

/* Relative to the target, it would lead the client back to the worker. */
static void
target_location(const char *url, const char *value, struct buf *out)
{
	char *whole = fetch_resolve(url, value, NULL);

	if (whole != NULL)
		buf_printf(out, "Location: %s\r\n", whole);
	free(whole);
}

/* Those that may pass; the ones up to TARGET_ONCE once. */
#define TARGET(name)	{ name, sizeof(name) - 1 }
static const struct {
	const char *name;
	size_t len;
} target_passed[] = {
	TARGET("Location"), TARGET("Content-Type"),
	TARGET("Content-Encoding"), TARGET("Content-Disposition"),
	TARGET("Expires"), TARGET("Age"), TARGET("Last-Modified"),
	TARGET("ETag"), TARGET("Retry-After"),
	TARGET("Cache-Control"), TARGET("Content-Language"), TARGET("Link"),
	TARGET("Vary"), TARGET("WWW-Authenticate"),
};

enum {
	TARGET_ONCE = 9,
	TARGET_PASSED = sizeof(target_passed) / sizeof(target_passed[0]),
	TARGET_ROOM = 256,	/* bytes of most answers' headers */
};

static size_t
target_find(const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < TARGET_PASSED; i++)
		if (target_passed[i].len == len &&
		    strcasecmp(target_passed[i].name, name) == 0)
			break;
	return i;
}

struct target_passing {
	const char *url, *connection;
	struct buf *out;
	bool seen[TARGET_PASSED];
};

static void
target_pass(void *arg, const char *name, const char *value)
{
	struct target_passing *p = arg;
	size_t i = target_find(name);

	if (i == TARGET_PASSED || (i < TARGET_ONCE && p->seen[i]) ||
	    !target_clean(value) || target_nominated(p->connection, name))
		return;
	p->seen[i] = true;
	if (i == 0) {
		target_location(p->url, value, p->out);
		return;
	}
	buf_str(p->out, target_passed[i].name);
	buf_str(p->out, ": ");
	buf_str(p->out, value);
	buf_str(p->out, "\r\n");
}

void
target_headers(const struct fetch_result *result, struct buf *out)
{
	struct target_passing p = {
		.url = result->url, .out = out,
		.connection = result->header(result->fetch, "Connection"),
	};

	buf_room(out, TARGET_ROOM);
	fetch_headers(result->fetch, target_pass, &p);
}

int
target_failure(struct worker *w, const struct fetch_result *result,
    struct buf *why)
{
	switch (result->end) {
	case FETCH_TIMEOUT:
		w->counts.late++;
		buf_printf(why, "the target is too slow: %s", result->detail);
		return 504;
	case FETCH_REFUSED:
		w->counts.refused++;
		buf_printf(why, "%s: it is special, and ALLOW_CIDR does not "
		    "list it", result->detail);
		return 502;
	case FETCH_TOO_BIG:
		w->counts.cut++;
		buf_printf(why, "the body is longer than MAX_RESPONSE_BYTES, "
		    "%ld", w->settings.max_response);
		return 502;
	case FETCH_UNREACHABLE:
		w->counts.unreachable++;
		buf_printf(why, "the target cannot be reached: %s",
		    result->detail);
		return 502;
	case FETCH_DONE:
	case FETCH_BROKEN:
		break;
	}
	w->counts.broken++;
	buf_printf(why, "the target broke off, or answers no HTTP: %s",
	    result->detail);
	return 502;
}
