#ifndef HTTPD_H
#define HTTPD_H
/*
 * An HTTP/1.1 server (RFC 9112) on the loop, for hostile clients: llhttp in
 * strict mode, plus what it leaves open (version, Host, obs-fold, TE with
 * CL, absolute-form, NUL and 8-bit bytes). Requests are dispatched by a
 * table of routes. It never blocks and never waits for one client while
 * another could be served.
 *
 * A handler answers by filling the reply, or sets reply->later and answers
 * with httpd_reply or httpd_stream_* when it can.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "route.h"

struct httpd;
struct httpd_request;	/* one request; freed by httpd when answered, after
			 * `gone` was called or the answer was ended */

struct httpd_config {
	const char *bind;	/* numeric address or host name */
	long port;		/* 0: the kernel chooses; see httpd_port */
	size_t max_connections;	/* for one more, who has not finished asking
				 * goes; if all have, it waits outside */
	size_t reserved;	/* of these, for callers on loopback; when
				 * no others are left, the rest gets 503 */
	size_t max_header;	/* bytes of request line and headers: 431 */
	size_t max_reply;	/* bytes of a reply that is not streamed */
	int64_t header_ms;	/* until the headers are there: 408 */
	int64_t body_ms;	/* between two pieces of a body, and a sixth
				 * of what the whole may take: 408 */
	int64_t idle_ms;	/* an unused connection: closed */
	int64_t write_ms;	/* a reader that takes less than write_least
				 * bytes in it while more wait: closed */
	size_t write_least;
};

extern const struct httpd_config httpd_defaults;	/* 127.0.0.1, 0 */

/* Binds and listens. NULL: error says why, with the address. table is
 * borrowed. */
struct httpd *httpd_open(struct loop *, const struct httpd_config *,
    const struct route_table *, struct buf *error);
long httpd_port(const struct httpd *);
size_t httpd_connections(const struct httpd *);
/* So many requests are answered later that one more would take a place from
 * those that are answered at once. */
bool httpd_crowded(const struct httpd *);

/* Stops accepting; idle connections are closed, running requests go on.
 * idle is called (maybe at once) when none is left. */
void httpd_drain(struct httpd *, void (*idle)(void *arg), void *arg);
void httpd_close(struct httpd *);	/* closes all that is left */

/* Called when a request that answers later or streams is over for good
 * because the client went away or took nothing for too long; the
 * httpd_request is freed after it. Not called after httpd_reply or
 * httpd_stream_end. */
typedef void httpd_gone(void *arg);
/* Called when the bytes waiting to be sent fell to zero: write more. */
typedef void httpd_drained(void *arg);

/*
 * Inside a handler: the request may be answered later. The route_request
 * stays valid until the answer ended or gone was called. Sets reply->later.
 */
struct httpd_request *httpd_later(struct route_request *,
    struct route_reply *, httpd_gone *, httpd_drained *, void *arg);

/* The whole answer at once: takes what is in reply, which is freed. */
void httpd_reply(struct httpd_request *, struct route_reply *);

/*
 * A streamed answer. headers: "Name: value\r\n" each, without framing, which
 * is ours: length >= 0 announces Content-Length; -1 chunks (or, for HTTP/1.0,
 * closes at the end). HEAD sends no body.
 */
void httpd_stream_start(struct httpd_request *, int status,
    const char *headers, long long length);
/* Copies data; the number of bytes now waiting to be sent. The caller stops
 * above its own mark and goes on at `drained`. */
size_t httpd_stream_write(struct httpd_request *, const void *, size_t);
void httpd_stream_end(struct httpd_request *);
/* Breaks off visibly: the connection is reset without the last chunk. */
void httpd_stream_abort(struct httpd_request *);
/* Takes back what was written, when nothing of it has left: httpd_reply may
 * answer then. The head waits for what follows it for a few ms. */
bool httpd_stream_retract(struct httpd_request *);

#endif
