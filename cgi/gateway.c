/*
 * From CGI variables to a reply: settings, mount, route, body, answer, log
 * line. What is refused, and in which order, is the route's business; the
 * gateway adds the one thing that only it can see, two header fields that
 * became one variable.
 */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "agents.h"
#include "audit.h"
#include "config.h"
#include "docs.h"
#include "history.h"
#include "log.h"
#include "measure.h"
#include "register.h"
#include "rollout.h"
#include "status.h"

enum {
	GATEWAY_CHUNK = 16384,
	GATEWAY_HEAD_MAX = 32768,
	GATEWAY_DRAIN_MAX = 32 << 20,	/* bytes read to be thrown away */
	GATEWAY_LOG_PATH = 300,
};

static const struct route *const gateway_groups[] = {
	config_routes, history_routes, register_routes, agents_routes,
	agent_routes, rollout_routes, audit_routes, measure_routes,
	status_routes, docs_routes, NULL,
};

static bool
gateway_authorize(struct route_request *req, struct route_reply *reply)
{
	const struct gateway_request *g = (const void *)req;
	const struct controller *c = controller_of(req);

	if (g->folded) {
		route_problem(req, reply, 400, "two header fields, or one "
		    "given twice, have the same name for CGI, as X-Api-Key "
		    "and X_Api_Key have; or there are more than %d",
		    GATEWAY_FIELDS_MAX);
		return false;
	}
	if (c->store == NULL && req->route->who != 0) {
		/* names only: values are no stranger's business */
		route_problem(req, reply, 503, "a setting is wrong: %.*s",
		    (int)strcspn(buf_text(&c->wrong), ": "),
		    buf_text(&c->wrong));
		return false;
	}
	return auth_authorize(req, reply);
}

void
gateway_table(struct route_table *table, struct controller *c)
{
	*table = (struct route_table){
		.groups = gateway_groups,
		.authorize = gateway_authorize,
		.context = c,
	};
}

/* --- the body ----------------------------------------------------------- */

/* Reads what the row allows, and refuses what is more or less than that. */
static bool
gateway_body(struct gateway_request *g, const struct gateway_stream *stream,
    struct route_reply *reply)
{
	struct route_request *req = &g->route;
	char chunk[GATEWAY_CHUNK];
	long n = 0;

	buf_init(&g->body, req->route->body->max);
	while ((n = stream->read(stream->arg, chunk, sizeof(chunk))) > 0)
		if (!buf_add(&g->body, chunk, (size_t)n)) {
			route_problem(req, reply, 413,
			    "the body may have %zu bytes at most",
			    req->route->body->max);
			return false;
		}
	if (n < 0 || (req->content_length >= 0 &&
	    (unsigned long long)req->content_length != g->body.len)) {
		route_problem(req, reply, 400,
		    "the body ended before its length was reached");
		return false;
	}
	req->body = buf_text(&g->body);
	req->body_len = g->body.len;
	return true;
}

/* A body that nobody read is read now: a socket that is closed with bytes
 * waiting takes the reply with it. */
static void
gateway_drain(const struct gateway_stream *stream)
{
	char chunk[GATEWAY_CHUNK];
	long n, all = 0;

	while (all < GATEWAY_DRAIN_MAX &&
	    (n = stream->read(stream->arg, chunk, sizeof(chunk))) > 0)
		all += n;
}

/* --- the reply ---------------------------------------------------------- */

/* The head. Little for a 304, which a fleet asks for all day. */
static void
gateway_head(const struct gateway_request *g, const struct route_reply *reply,
    bool bare, struct buf *head)
{
	const char *headers = buf_text(&reply->headers);

	buf_room(head, 1000);
	buf_printf(head, "Status: %d %s\r\nX-Request-ID: %s\r\n",
	    reply->status, route_title(reply->status), g->route.id);
	if (!bare && reply->type != NULL)
		buf_printf(head, "Content-Type: %s\r\n", reply->type);
	if (!bare) {
		buf_printf(head, "Content-Length: %zu\r\n",
		    reply->body.len);
		/* else lighttpd cuts pieces from it for a Range */
		buf_str(head, "Accept-Ranges: none\r\n"
		    "X-Content-Type-Options: nosniff\r\n");
	}
	if (strstr(headers, "Cache-Control: ") == NULL)
		buf_str(head, "Cache-Control: no-store\r\n");
	buf_str(head, headers);
	buf_str(head, "\r\n");
}

static void
gateway_send(const struct gateway_request *g,
    const struct gateway_stream *stream, const struct route_reply *reply)
{
	bool bare = reply->status == 304 || reply->status == 204;
	struct buf head = BUF_INIT(GATEWAY_HEAD_MAX);
	size_t body = bare || strcmp(g->route.method, "HEAD") == 0 ? 0 :
	    reply->body.len;

	gateway_head(g, reply, bare, &head);
	if (body > 0 && body <= GATEWAY_HEAD_MAX - head.len) {
		/* one write for both */
		buf_add(&head, buf_text(&reply->body), body);
		body = 0;
	}
	stream->write(stream->arg, buf_text(&head), head.len);
	if (body > 0)
		stream->write(stream->arg, buf_text(&reply->body), body);
	buf_free(&head);
}

/* Polls and looks that went well are many, and of little interest. */
static enum log_level
gateway_level(const struct gateway_request *g, int status)
{
	const char *method = g->route.method;

	if (status < 400 && (strcmp(method, "GET") == 0 ||
	    strcmp(method, "HEAD") == 0))
		return LOG_DEBUG;
	return status >= 500 ? LOG_WARN : LOG_INFO;
}

static double
gateway_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e3 +
	    (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

/* Below no mount there is no path; then what was asked for says more. */
static const char *
gateway_asked(const struct gateway_request *g)
{
	const char *uri = gateway_variable(g, "REQUEST_URI");

	return g->route.path[0] != '\0' || uri == NULL ? g->route.path : uri;
}

/* One line a request. No text of the caller's can end a field of it. */
static void
gateway_log(const struct gateway_request *g, const struct route_reply *reply,
    const struct timespec *start)
{
	enum log_level level = gateway_level(g, reply->status);
	struct buf line = BUF_INIT(4000);
	const char *p = gateway_asked(g);

	if (!log_wants(level))
		return;
	buf_printf(&line, "%s %s \"%.16s ", g->route.id,
	    g->route.remote[0] != '\0' ? g->route.remote : "-",
	    g->route.method);
	for (size_t n = 0; n < GATEWAY_LOG_PATH && p[n] != '\0' &&
	    p[n] != '?'; n++) {
		unsigned char c = (unsigned char)p[n];

		if (c <= 0x20 || c >= 0x7f || c == '"')
			buf_printf(&line, "%%%02X", c);
		else
			buf_char(&line, (char)c);
	}
	buf_printf(&line, "\" %d %zu %.1fms %s", reply->status,
	    reply->body.len, gateway_since(start),
	    g->caller.name[0] != '\0' ? g->caller.name : "-");
	if (level == LOG_WARN)
		log_warn("http", "%s", buf_text(&line));
	else if (level == LOG_INFO)
		log_info("http", "%s", buf_text(&line));
	else
		log_debug("http", "%s", buf_text(&line));
	buf_free(&line);
}

/* --- one request -------------------------------------------------------- */

/* The announced length of the body: -1 unknown, -2 not a length. */
static long long
gateway_length(const struct gateway_request *g)
{
	const char *text = gateway_variable(g, "CONTENT_LENGTH");
	size_t digits;

	if (text == NULL || text[0] == '\0')
		return -1;
	digits = strspn(text, "0123456789");
	if (digits > 18 || text[digits] != '\0')
		return -2;
	return strtoll(text, NULL, 10);
}

static const char *
gateway_text(const struct gateway_request *g, const char *name)
{
	const char *value = gateway_variable(g, name);

	return value != NULL ? value : "";
}

static void
gateway_fill(struct gateway_request *g, const struct route_table *table)
{
	struct route_request *req = &g->route;

	req->table = table;
	req->method = gateway_text(g, "REQUEST_METHOD");
	req->query = gateway_text(g, "QUERY_STRING");
	req->remote = gateway_text(g, "REMOTE_ADDR");
	req->body = "";
	req->content_length = gateway_length(g);
	req->header = gateway_header;
	req->owner = &g->caller;
	buf_init(&g->prefix, 8192);
	buf_init(&g->path, 65536);
	buf_init(&g->body, 0);
	route_request_id(req);
}

static void
gateway_run(struct gateway_request *g, const struct gateway_stream *stream,
    struct route_reply *reply, bool mounted)
{
	struct route_request *req = &g->route;

	if (!mounted) {
		route_problem(req, reply, 500, "out of memory");
		return;
	}
	if (!route_admit(req, reply))
		return;
	if (req->content_length == -2) {
		route_problem(req, reply, 400, "Content-Length is no length");
		return;
	}
	if (req->route->body == NULL || gateway_body(g, stream, reply))
		route_run(req, reply);
}

void
gateway_answer(const struct route_table *table, char *const *variables,
    const struct gateway_stream *stream)
{
	struct controller *c = table->context;
	struct gateway_request g;
	struct route_reply reply;
	struct timespec start;
	bool mounted;

	clock_gettime(CLOCK_MONOTONIC, &start);
	memset(&g.route, 0, sizeof(g.route));
	memset(&g.caller, 0, sizeof(g.caller));
	gateway_variables(&g, variables);
	gateway_fill(&g, table);
	route_reply_init(&reply, GATEWAY_REPLY_MAX);
	gateway_settings(&g, c);
	mounted = gateway_mount(&g, c);
	gateway_run(&g, stream, &reply, mounted);
	gateway_drain(stream);
	if (!reply.later) {
		gateway_send(&g, stream, &reply);
		gateway_log(&g, &reply, c->hold.again ? &c->hold.since :
		    &start);
		measure_request(&c->measure, &g.route, reply.status,
		    (long long)(gateway_since(&start) * 1e3));
	}
	route_request_free(&g.route);
	route_reply_free(&reply);
	buf_free(&g.prefix);
	buf_free(&g.path);
	buf_free(&g.body);
}
