/*
 * Whole answers, and the head that streamed ones share. Framing is made
 * here and nowhere else; a handler that sends framing of its own is wrong.
 */
#include <string.h>

#include "httpd_conn.h"
#include "log.h"

enum { HTTPD_REPLY_ROOM = 512 };	/* bytes of most heads */

void
httpd_reply_head(struct httpd_request *r, int status)
{
	const char *method = r->route.method;
	struct buf *out = &r->conn->out;
	char code[] = { (char)('0' + status / 100 % 10),
		(char)('0' + status / 10 % 10), (char)('0' + status % 10),
		' ', '\0' };

	r->status = status;
	r->bare = strcmp(method, "HEAD") == 0 || status == 204 ||
	    status == 304;
	if (!r->head.keep || r->conn->server->draining)
		r->conn->close = true;
	buf_room(out, HTTPD_REPLY_ROOM);
	buf_str(out, "HTTP/1.1 ");
	buf_str(out, code);
	buf_str(out, route_title(status));
	buf_str(out, "\r\nDate: ");
	buf_str(out, httpd_date(r->conn->server));
	buf_str(out, "\r\nX-Request-ID: ");
	buf_str(out, r->route.id);
	buf_str(out, "\r\n");
}

void
httpd_reply_length(struct httpd_request *r, unsigned long long length)
{
	struct buf *out = &r->conn->out;

	buf_str(out, "Content-Length: ");
	buf_number(out, length);
	buf_str(out, "\r\n");
}

void
httpd_reply_end(struct httpd_request *r)
{
	struct buf *out = &r->conn->out;

	if (r->conn->close)
		buf_str(out, "Connection: close\r\n\r\n");
	else if (r->head.minor == 0)
		buf_str(out, "Connection: keep-alive\r\n\r\n");
	else
		buf_str(out, "\r\n");
	r->conn->broken |= out->failed;
}

void
httpd_answer(struct httpd_request *r, struct route_reply *reply)
{
	struct httpd_conn *c = r->conn;
	struct iovec body;

	c->close |= reply->close;
	httpd_reply_head(r, reply->status);
	buf_add(&c->out, buf_text(&reply->headers), reply->headers.len);
	if (reply->type != NULL && reply->status != 204 &&
	    reply->status != 304)
		buf_printf(&c->out, "Content-Type: %s\r\n", reply->type);
	if (reply->status != 204 && reply->status != 304)
		httpd_reply_length(r, reply->body.len);
	httpd_reply_end(r);
	body = (struct iovec){ reply->body.data,
		r->bare ? 0 : reply->body.len };
	r->bytes = body.iov_len;
	httpd_send(c, &body, 1);
	route_reply_free(reply);
	httpd_conn_answered(c);
}

void
httpd_refuse(struct httpd_request *r, int status, const char *why)
{
	struct route_reply reply;

	route_reply_init(&reply, r->conn->server->config.max_reply);
	route_problem(&r->route, &reply, status, "%s", why);
	reply.close = true;
	httpd_answer(r, &reply);
}

void
httpd_reply(struct httpd_request *r, struct route_reply *reply)
{
	if (r->streams) {
		log_error("http", "a streamed answer was answered again");
		route_reply_free(reply);
		httpd_stream_abort(r);
		return;
	}
	route_seal(&r->route, reply);
	httpd_answer(r, reply);
}

struct httpd_request *
httpd_later(struct route_request *req, struct route_reply *reply,
    httpd_gone *gone, httpd_drained *drained, void *arg)
{
	struct httpd_request *r = LOOP_OF(struct httpd_request, route, req);

	reply->later = true;
	r->later = true;
	r->conn->server->later++;
	r->gone = gone;
	r->drained = drained;
	r->arg = arg;
	return r;
}
