/*
 * libnghttp2 does the protocol; here are the sockets, and which stream is
 * whose. A request of which the server says that it has not begun it (RFC
 * 9113, 8.7) is asked again, as every client does; anything else that ends
 * without an answer has failed.
 */
#include "fleet_h2.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet_run.h"

enum {
	H2_OUT = 32768,			/* bytes on their way */
	H2_FRAME = 9 + ASK_MAX,		/* the longest that is sent */
	H2_SESSION = 65536,		/* of libnghttp2, for two tables */
};

struct h2_link {
	int fd;				/* -1 */
	nghttp2_session *session;	/* NULL: without one */
	struct fleet *fleet;
	bool asks;			/* something is to be sent */
	uint32_t waits;			/* requests for the next connection */
	size_t len, sent;		/* of out */
	uint8_t out[H2_OUT];
};

static nghttp2_session_callbacks *h2_callbacks;

uint64_t
h2_size(uint32_t n, uint32_t streams)
{
	return (uint64_t)n * (sizeof(struct h2_link) + H2_SESSION +
	    streams * (uint64_t)ASK_MAX * 2);
}

static struct h2_link *
h2_of(struct fleet *f, const struct conn *c)
{
	return &f->h2.all[(uint32_t)(c - f->conns.all) / f->h2.streams];
}

static struct conn *
h2_first(struct fleet *f, const struct h2_link *link)
{
	return &f->conns.all[(uint32_t)(link - f->h2.all) * f->h2.streams];
}

/* --- answers ------------------------------------------------------------ */

static int
h2_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t named, const uint8_t *value, size_t n,
    uint8_t flags, void *arg)
{
	struct conn *c = nghttp2_session_get_stream_user_data(session,
	    frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (c == NULL)
		return 0;
	if (named == 7 && memcmp(name, ":status", 7) == 0 && n == 3)
		c->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 +
		    value[2] - '0';
	else if (named == 4 && memcmp(name, "etag", 4) == 0 && n < ETAG_SIZE) {
		memcpy(c->etag, value, n);
		c->tagged = (uint8_t)n;
	}
	return 0;
}

/* Takes the place of the request, which has been sent by then. */
static int
h2_body(nghttp2_session *session, uint8_t flags, int32_t stream,
    const uint8_t *data, size_t n, void *arg)
{
	struct conn *c = nghttp2_session_get_stream_user_data(session, stream);

	(void)flags;
	(void)arg;
	for (; c != NULL && n > 0 && c->got < ASK_MAX - 1; n--)
		c->out[c->got++] = (char)*data++;
	return 0;
}

static void
h2_wait(struct h2_link *link, struct conn *c)
{
	c->state = CONN_CALLS;
	link->waits++;
}

static int
h2_ended(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
	struct conn *c = nghttp2_session_get_stream_user_data(session, stream);
	struct h2_link *link = arg;

	if (c == NULL || c->stream != stream)
		return 0;
	c->stream = 0;
	if (error == NGHTTP2_REFUSED_STREAM)
		h2_wait(link, c);
	else if (error == NGHTTP2_NO_ERROR && c->status != 0)
		conn_answered(link->fleet, c, c->status, true);
	else
		conn_fail(link->fleet, c);
	return 0;
}

/* A server that goes away has been asked too late. */
static int
h2_unsent(nghttp2_session *session, const nghttp2_frame *frame, int error,
    void *arg)
{
	struct h2_link *link = arg;
	struct conn *c = h2_first(link->fleet, link);

	(void)session;
	(void)error;
	for (uint32_t i = 0; i < link->fleet->h2.streams; i++, c++)
		if (frame->hd.type == NGHTTP2_HEADERS &&
		    c->stream == frame->hd.stream_id) {
			c->stream = 0;
			h2_wait(link, c);
		}
	return 0;
}

/* --- requests ----------------------------------------------------------- */

/* False: this connection takes no more. */
static bool
h2_submit(struct h2_link *link, struct conn *c)
{
	nghttp2_nv nv[ASK_FIELDS];
	int32_t stream;

	if (nghttp2_session_check_request_allowed(link->session) == 0)
		return false;
	stream = nghttp2_submit_request(link->session, NULL, nv,
	    ask_fields(c->out, nv), NULL, c);
	if (stream <= 0)
		return false;
	c->stream = stream;
	link->asks = true;
	return true;
}

/* --- the socket --------------------------------------------------------- */

static bool
h2_session(struct h2_link *link)
{
	nghttp2_settings_entry none = { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 };

	if (h2_callbacks == NULL) {
		if (nghttp2_session_callbacks_new(&h2_callbacks) != 0)
			return false;
		nghttp2_session_callbacks_set_on_header_callback(h2_callbacks,
		    h2_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
		    h2_callbacks, h2_body);
		nghttp2_session_callbacks_set_on_stream_close_callback(
		    h2_callbacks, h2_ended);
		nghttp2_session_callbacks_set_on_frame_not_send_callback(
		    h2_callbacks, h2_unsent);
	}
	return nghttp2_session_client_new(&link->session, h2_callbacks,
	    link) == 0 && nghttp2_submit_settings(link->session, 0, &none,
	    1) == 0;
}

static bool
h2_call(struct fleet *f, struct h2_link *link)
{
	struct epoll_event watch = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = H2_MARK | (uint64_t)(link - f->h2.all),
	};
	int on = 1;

	link->len = link->sent = 0;
	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	/* nothing waits for an acknowledgement, as with a proxy */
	return link->fd >= 0 && setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY,
	    &on, sizeof(on)) == 0 && h2_session(link) &&
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, link->fd, &watch) == 0 &&
	    (connect(link->fd, (struct sockaddr *)&f->opt.address,
	    sizeof(f->opt.address)) == 0 || errno == EINPROGRESS);
}

static void
h2_drop(struct h2_link *link)
{
	nghttp2_session_del(link->session);
	link->session = NULL;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->asks = false;
}

/* Those that wait ask, unless the connection has yet to end. */
static void
h2_again(struct fleet *f, struct h2_link *link)
{
	struct conn *c = h2_first(f, link);
	bool open;

	if (link->waits == 0 || (link->session != NULL &&
	    nghttp2_session_check_request_allowed(link->session) == 0))
		return;
	link->waits = 0;
	open = link->session != NULL || h2_call(f, link);
	for (uint32_t i = 0; i < f->h2.streams; i++, c++)
		if (c->state == CONN_CALLS) {
			c->state = CONN_ASKS;
			if (!open || !h2_submit(link, c))
				conn_fail(f, c);
		}
	if (!open)
		h2_drop(link);
}

/* The connection is over; what it was asked and has not answered is lost. */
static void
h2_end(struct fleet *f, struct h2_link *link)
{
	struct conn *c = h2_first(f, link);

	h2_drop(link);
	for (uint32_t i = 0; i < f->h2.streams; i++, c++)
		if (c->stream != 0) {
			c->stream = 0;
			conn_fail(f, c);
		}
	h2_again(f, link);
}

static void
h2_send(struct fleet *f, struct h2_link *link)
{
	const uint8_t *data;
	ssize_t n = 1;

	link->asks = false;
	do {
		while (n > 0 && H2_OUT - link->len >= H2_FRAME) {
			n = nghttp2_session_mem_send(link->session, &data);
			if (n > (ssize_t)(H2_OUT - link->len))
				n = -1;
			if (n > 0) {
				memcpy(link->out + link->len, data, (size_t)n);
				link->len += (size_t)n;
			}
		}
		if (n < 0)
			break;
		while (link->sent < link->len) {
			ssize_t sent = send(link->fd, link->out + link->sent,
			    link->len - link->sent, MSG_NOSIGNAL);

			if (sent < 0 && errno == EAGAIN)
				return;
			if (sent < 0) {
				h2_end(f, link);
				return;
			}
			link->sent += (size_t)sent;
		}
		link->len = link->sent = 0;
	} while (n > 0);
	if (n < 0 || (nghttp2_session_want_read(link->session) == 0 &&
	    nghttp2_session_want_write(link->session) == 0))
		h2_end(f, link);
}

static void
h2_read(struct fleet *f, struct h2_link *link)
{
	static uint8_t in[65536];
	ssize_t n;

	for (;;) {	/* of an end behind data nothing else tells */
		n = recv(link->fd, in, sizeof(in), 0);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0 || nghttp2_session_mem_recv(link->session, in,
		    (size_t)n) < 0) {
			h2_end(f, link);
			return;
		}
	}
	h2_again(f, link);
	if (nghttp2_session_want_write(link->session) != 0 ||
	    nghttp2_session_want_read(link->session) == 0)
		h2_send(f, link);
}

/* --- as a whole --------------------------------------------------------- */

bool
h2_open(struct h2_set *set, uint32_t n, uint32_t streams)
{
	*set = (struct h2_set){ .n = n, .streams = streams };
	set->all = calloc(n, sizeof(*set->all));
	for (uint32_t i = 0; set->all != NULL && i < n; i++)
		set->all[i].fd = -1;
	return set->all != NULL;
}

void
h2_close(struct h2_set *set)
{
	for (uint32_t i = 0; set->all != NULL && i < set->n; i++)
		h2_drop(&set->all[i]);
	free(set->all);
	set->all = NULL;
	nghttp2_session_callbacks_del(h2_callbacks);
	h2_callbacks = NULL;
}

void
h2_ask(struct fleet *f, struct conn *c)
{
	struct h2_link *link = h2_of(f, c);

	link->fleet = f;
	if (link->session != NULL && h2_submit(link, c))
		return;
	h2_wait(link, c);
	if (link->session == NULL)
		h2_again(f, link);
}

void
h2_flush(struct fleet *f)
{
	for (uint32_t i = 0; i < f->h2.n; i++)
		if (f->h2.all[i].asks && f->h2.all[i].len == 0)
			h2_send(f, &f->h2.all[i]);
}

void
h2_forget(struct fleet *f, struct conn *c)
{
	struct h2_link *link = h2_of(f, c);

	if (c->stream != 0) {
		nghttp2_session_set_stream_user_data(link->session, c->stream,
		    NULL);
		nghttp2_submit_rst_stream(link->session, NGHTTP2_FLAG_NONE,
		    c->stream, NGHTTP2_CANCEL);
		link->asks = true;
		c->stream = 0;
	} else if (c->state == CONN_CALLS)
		link->waits--;
}

void
h2_event(struct fleet *f, uint32_t i, uint32_t events)
{
	struct h2_link *link = &f->h2.all[i];

	if (link->fd < 0)
		return;		/* closed by an event before this one */
	if ((events & EPOLLOUT) != 0 && (link->len > 0 || link->asks))
		h2_send(f, link);
	if (link->fd >= 0 && (events & ~(uint32_t)EPOLLOUT) != 0)
		h2_read(f, link);
}
