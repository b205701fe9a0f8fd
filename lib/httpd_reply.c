/*
 * Whole answers, and the head that streamed ones share. Framing is made
 * here and nowhere else; a handler that sends framing of its own is wrong.
 */
#include <string.h>

#include "httpd_conn.h"
#include "log.h"

enum { HTTPD_REPLY_HEAD = 131072 };	/* bytes of an answer's head */

void
httpd_reply_head(struct httpd_request *r, int status, struct buf *head)
{
	const char *method = r->route.method;

	r->status = status;
	r->bare = strcmp(method, "HEAD") == 0 || status == 204 ||
	    status == 304;
	if (!r->head.keep || r->conn->server->draining)
		r->conn->close = true;
	buf_init(head, HTTPD_REPLY_HEAD);
	buf_printf(head, "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Request-ID: %s\r\n",
	    status, route_title(status), httpd_date(r->conn->server),
	    r->route.id);
}

void
httpd_reply_end(const struct httpd_request *r, struct buf *head)
{
	if (r->conn->close)
		buf_str(head, "Connection: close\r\n\r\n");
	else if (r->head.minor == 0)
		buf_str(head, "Connection: keep-alive\r\n\r\n");
	else
		buf_str(head, "\r\n");
}

void
httpd_answer(struct httpd_request *r, struct route_reply *reply)
{
	struct httpd_conn *c = r->conn;
	struct iovec iov[2];
	struct buf head;

	c->close |= reply->close;
	httpd_reply_head(r, reply->status, &head);
	buf_add(&head, buf_text(&reply->headers), reply->headers.len);
	if (reply->type != NULL && reply->status != 204 &&
	    reply->status != 304)
		buf_printf(&head, "Content-Type: %s\r\n", reply->type);
	if (reply->status != 204 && reply->status != 304)
		buf_printf(&head, "Content-Length: %zu\r\n",
		    reply->body.len);
	httpd_reply_end(r, &head);
	c->broken |= head.failed;
	iov[0] = (struct iovec){ head.data, head.len };
	iov[1] = (struct iovec){ reply->body.data,
		r->bare ? 0 : reply->body.len };
	r->bytes = iov[1].iov_len;
	httpd_send(c, iov, 2);
	buf_free(&head);
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
	r->gone = gone;
	r->drained = drained;
	r->arg = arg;
	return r;
}
