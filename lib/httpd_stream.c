/*
 * Streamed answers: of an announced length, in chunks, or until the end of
 * the connection for HTTP/1.0. Small pieces and ends wait for the end of the
 * turn: whoever is waked by the first answer of many finds the others as
 * well, and wakes once. The head waits a little longer: so that it is one
 * packet with a short body, and can be taken back when whoever has the body
 * fails at once.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "httpd_conn.h"

/* Bytes that may wait a turn: libcurl gives what it read in four pieces. */
enum { HTTPD_STREAM_SMALL = 65536 };

void
httpd_stream_start(struct httpd_request *r, int status, const char *headers,
    long long length)
{
	bool chunks = length < 0 && r->head.minor > 0;
	struct httpd_conn *c = r->conn;

	route_check(r->route.route, status);
	r->streams = true;
	r->began = c->out.len;
	c->held = true;
	if (length < 0 && !chunks)
		c->close = true;
	httpd_reply_head(r, status);
	buf_str(&c->out, headers);
	if (status != 204 && status != 304) {
		if (length >= 0)
			httpd_reply_length(r, (unsigned long long)length);
		else if (chunks)
			buf_str(&c->out, "Transfer-Encoding: chunked\r\n");
	}
	httpd_reply_end(r);
	r->chunked = chunks && !r->bare;
	r->counted = length >= 0 && !r->bare;
	r->left = length >= 0 ? (unsigned long long)length : 0;
	httpd_conn_settle(c);
}

size_t
httpd_stream_write(struct httpd_request *r, const void *data, size_t n)
{
	static char crlf[] = "\r\n";
	char size[24];
	struct iovec iov[3];

	if (r->counted && n > r->left)
		n = (size_t)r->left;
	if (r->bare || n == 0 || r->conn->broken)
		return httpd_pending(r->conn);
	r->left -= r->counted ? n : 0;
	r->bytes += n;
	iov[0].iov_base = size;
	iov[0].iov_len = r->chunked ?
	    (size_t)snprintf(size, sizeof(size), "%zx\r\n", n) : 0;
	iov[1] = (struct iovec){ (void *)(uintptr_t)data, n };
	iov[2] = (struct iovec){ crlf, r->chunked ? 2 : 0 };
	if (httpd_pending(r->conn) + n < HTTPD_STREAM_SMALL) {
		httpd_send_later(r->conn, iov, 3);
	} else {
		r->conn->held = false;
		httpd_send(r->conn, iov, 3);
	}
	httpd_conn_settle(r->conn);
	return httpd_pending(r->conn);
}

void
httpd_stream_end(struct httpd_request *r)
{
	static char last[] = "0\r\n\r\n";
	struct iovec iov = { last, r->chunked ? 5 : 0 };

	if (!r->streams || (r->counted && r->left > 0)) {
		httpd_stream_abort(r);
		return;
	}
	httpd_send_later(r->conn, &iov, 1);
	httpd_conn_answered(r->conn);
}

void
httpd_stream_abort(struct httpd_request *r)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct httpd_conn *c = r->conn;

	setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	c->broken = true;
	httpd_conn_answered(c);
}

bool
httpd_stream_retract(struct httpd_request *r)
{
	struct httpd_conn *c = r->conn;

	if (!r->streams || !c->held)
		return false;
	c->held = false;
	c->out.len = r->began;
	if (c->out.data != NULL)
		c->out.data[r->began] = '\0';
	r->streams = r->chunked = r->counted = false;
	r->bytes = 0;
	return true;
}

/*
 * A FIN may mean that the client has only finished asking, or that it is
 * gone. Bytes that change nothing make the difference: one who is gone
 * answers with a reset. Before the head that is an interim answer, which
 * every client must take (RFC 9110, 15.2); between chunks, a leading zero of
 * the next chunk's size (RFC 9112, 7.1: 1*HEXDIG). Where there are no such
 * bytes, the next ones of the body will tell.
 */
void
httpd_stream_probe(struct httpd_request *r)
{
	static char interim[] = "HTTP/1.1 100 Continue\r\n\r\n", zero[] = "0";
	struct iovec iov = { interim, sizeof(interim) - 1 };

	if (httpd_pending(r->conn) > 0 || r->head.minor == 0)
		return;
	if (r->streams)
		iov = (struct iovec){ zero, r->chunked ? 1 : 0 };
	httpd_send(r->conn, &iov, 1);
}
