/*
 * The steps of a connection, from bytes to a request and its handler. Each
 * makes one move and says whether there may be another; none waits.
 *
 *   HEAD -> BODY -> ANSWER -> FLUSH -> HEAD …, or LINGER and closed
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "httpd_conn.h"

/* Times body_ms that a whole body may take: a drop now and then does not hold
 * a connection for ever. */
enum { HTTPD_TRICKLE = 6 };

/* --- requests ----------------------------------------------------------- */

static const char *
httpd_step_header(const struct route_request *req, const char *name)
{
	const struct httpd_request *r =
	    (const struct httpd_request *)(const void *)((const char *)req -
	    offsetof(struct httpd_request, route));

	return httpd_head_get(&r->head, name);
}

static struct httpd_request *
httpd_step_request(struct httpd_conn *c)
{
	struct httpd_request *r = malloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	memset(r, 0, offsetof(struct httpd_request, head.fields));
	r->conn = c;
	r->since = loop_now(c->server->loop);
	r->route = (struct route_request){ .table = c->server->table,
		.method = "", .path = "", .query = "", .prefix = "",
		.remote = c->remote, .body = "", .content_length = -1,
		.header = httpd_step_header };
	c->request = r;
	return r;
}

/* --- steps -------------------------------------------------------------- */

enum httpd_step
httpd_step_refuse(struct httpd_conn *c, int status, const char *why)
{
	struct httpd_request *r = c->request;

	if (r == NULL && (r = httpd_step_request(c)) == NULL)
		return STEP_END;
	if (r->route.id[0] == '\0')
		route_request_id(&r->route);
	httpd_refuse(r, status, why);
	return STEP_ON;
}

static enum httpd_step
httpd_step_run(struct httpd_conn *c)
{
	struct httpd_request *r = c->request;
	struct route_reply reply;

	if (r->route.route->body == NULL)
		buf_free(&r->body);
	r->route.body = buf_text(&r->body);
	r->route.body_len = r->body.len;
	route_reply_init(&reply, c->server->config.max_reply);
	c->state = CONN_ANSWER;
	route_run(&r->route, &reply);
	/* when it answers later, it may have done so already, and be freed */
	if (reply.later)
		route_reply_free(&reply);
	else
		httpd_answer(r, &reply);
	return STEP_ON;
}

static enum httpd_step
httpd_step_admit(struct httpd_conn *c)
{
	static char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct httpd_request *r = c->request;
	bool body = r->head.chunked || r->head.length > 0;
	struct iovec iov = { go, sizeof(go) - 1 };
	struct route_reply reply;

	route_reply_init(&reply, c->server->config.max_reply);
	if (strcmp(r->route.path, "*") == 0) {
		reply.status = 204;
		reply.close = body;
		httpd_answer(r, &reply);
		return STEP_ON;
	}
	if (!route_admit(&r->route, &reply)) {
		reply.close |= body;	/* which nobody will read */
		httpd_answer(r, &reply);
		return STEP_ON;
	}
	route_reply_free(&reply);
	if (!body)
		return httpd_step_run(c);
	if (r->head.expects && c->in.len == 0)
		httpd_send(c, &iov, 1);
	buf_init(&r->body, r->route.route->body != NULL ?
	    r->route.route->body->max : HTTPD_DISCARD);
	httpd_body_start(&r->reading, r->head.length);
	c->state = CONN_BODY;
	return STEP_ON;
}

static enum httpd_step
httpd_step_begin(struct httpd_conn *c, size_t len)
{
	struct httpd_request *r = httpd_step_request(c);
	const char *why;
	int status;

	if (r == NULL)
		return STEP_END;
	status = httpd_head_parse(&r->head, c->in.data, len, &why);
	buf_drop(&c->in, len);
	c->scanned = 0;
	if (r->head.method != NULL)
		r->route.method = r->head.method;
	if (r->head.path != NULL) {
		r->route.path = r->head.path;
		r->route.query = r->head.query;
	}
	route_request_id(&r->route);
	if (status != 0)
		return httpd_step_refuse(c, status, why);
	r->route.content_length = r->head.chunked ? -1 :
	    r->head.length > 0 ? r->head.length : 0;
	return httpd_step_admit(c);
}

/* Empty lines before a request are read over (RFC 9112, 2.2). */
static void
httpd_step_skip(struct httpd_conn *c)
{
	size_t n = 0;

	while (c->in.len - n >= 2 && memcmp(c->in.data + n, "\r\n", 2) == 0)
		n += 2;
	if (n == 0)
		return;
	buf_drop(&c->in, n);
	c->scanned = 0;
}

static enum httpd_step
httpd_step_head(struct httpd_conn *c)
{
	size_t max = c->server->config.max_header;
	const char *why;
	long len;

	httpd_step_skip(c);
	if (c->in.len == 0)
		return c->eof ? STEP_END : STEP_WAIT;
	len = httpd_head_scan(c->in.data, c->in.len, &c->scanned, &why);
	if (len < 0)
		return httpd_step_refuse(c, 400, why);
	if ((len == 0 ? c->in.len : (size_t)len) > max)
		return httpd_step_refuse(c, 431,
		    "the request line and the headers are too long");
	if (len > 0)
		return httpd_step_begin(c, (size_t)len);
	if (c->eof)
		return httpd_step_refuse(c, 400, "the request stops short");
	return STEP_WAIT;
}

static enum httpd_step
httpd_step_body(struct httpd_conn *c)
{
	enum httpd_body_end end;
	size_t n = httpd_body_read(&c->request->reading, buf_text(&c->in),
	    c->in.len, &c->request->body, &end);

	buf_drop(&c->in, n);
	c->moved |= n > 0;
	switch (end) {
	case HTTPD_BODY_DONE:
		return httpd_step_run(c);
	case HTTPD_BODY_BAD:
		return httpd_step_refuse(c, 400, "the chunks are malformed");
	case HTTPD_BODY_BIG:
		return httpd_step_refuse(c, 413, "the body is too long");
	case HTTPD_BODY_MORE:
		break;
	}
	if (c->eof)
		return httpd_step_refuse(c, 400, "the body stops short");
	if (loop_now(c->server->loop) - c->request->since >
	    c->server->config.body_ms * HTTPD_TRICKLE)
		return httpd_step_refuse(c, 408, "the body is too slow");
	return STEP_WAIT;
}

static enum httpd_step
httpd_step_flushed(struct httpd_conn *c)
{
	if (httpd_pending(c) > 0)
		return STEP_WAIT;
	c->moved = true;
	if (!c->close && !c->server->draining) {
		c->state = CONN_HEAD;
		return STEP_ON;
	}
	if (c->eof)
		return STEP_END;
	/* closing now would reset the connection, and take the answer from
	 * a client that is still sending (RFC 9112, 9.6) */
	shutdown(c->watch.fd, SHUT_WR);
	buf_free(&c->in);
	c->state = CONN_LINGER;
	return STEP_WAIT;
}

enum httpd_step
httpd_step(struct httpd_conn *c)
{
	if (c->broken)
		return STEP_END;
	switch (c->state) {
	case CONN_HEAD:
		return httpd_step_head(c);
	case CONN_BODY:
		return httpd_step_body(c);
	case CONN_ANSWER:
		return STEP_WAIT;
	case CONN_FLUSH:
		return httpd_step_flushed(c);
	case CONN_LINGER:
		return c->eof ? STEP_END : STEP_WAIT;
	}
	return STEP_END;
}
