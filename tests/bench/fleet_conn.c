/*
 * Connections: as few as are needed, the last one used first. What was asked
 * on an old connection that the server had closed meanwhile is asked again on
 * a new one, as every HTTP client does; anything else is not tried again
 * here.
 */
#include "fleet_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet_run.h"

enum {
	CONN_PORT = 33000,	/* the first of those that come again */
	CONN_PAIRS = 25600,	/* of an address and a port; a second's worth */
};

static int
conn_field(llhttp_t *p, const char *at, size_t n)
{
	struct conn *c = p->data;

	for (; n > 0 && c->named < sizeof(c->name); n--)
		c->name[c->named++] = *at++;
	return 0;
}

static int
conn_value(llhttp_t *p, const char *at, size_t n)
{
	struct conn *c = p->data;

	if (c->named == 4 && strncasecmp(c->name, "etag", 4) == 0)
		for (; n > 0 && c->tagged < ETAG_SIZE - 1; n--)
			c->etag[c->tagged++] = *at++;
	return 0;
}

static int
conn_valued(llhttp_t *p)
{
	struct conn *c = p->data;

	c->named = 0;
	return 0;
}

/* 1: there is no body, whatever the length says. */
static int
conn_headed(llhttp_t *p)
{
	return p->status_code == 304;
}

/* The request has been sent by then. */
static int
conn_body(llhttp_t *p, const char *at, size_t n)
{
	struct conn *c = p->data;

	for (; n > 0 && c->got < ASK_MAX - 1; n--)
		c->out[c->got++] = *at++;
	return 0;
}

static int
conn_complete(llhttp_t *p)
{
	struct conn *c = p->data;

	c->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t conn_settings = {
	.on_header_field = conn_field,
	.on_header_value = conn_value,
	.on_header_value_complete = conn_valued,
	.on_headers_complete = conn_headed,
	.on_body = conn_body,
	.on_message_complete = conn_complete,
};

bool
conns_open(struct conn_set *set, uint32_t n, uint32_t sockets)
{
	struct rlimit files;

	*set = (struct conn_set){ .n = n };
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < sockets + 64) {
		fprintf(stderr, "fleet: --connections %u, but the limit of "
		    "open files is %lu (ulimit -Hn)\n", sockets,
		    (unsigned long)files.rlim_max);
		return false;
	}
	set->all = calloc(n + 1, sizeof(*set->all));
	set->idle = calloc(n, sizeof(*set->idle));
	if (set->all == NULL || set->idle == NULL)
		return false;
	for (uint32_t i = 0; i <= n; i++)
		set->all[i].fd = -1;
	for (uint32_t i = n; i > 0; i--)
		set->idle[set->idles++] = i - 1;
	return true;
}

void
conns_close(struct conn_set *set)
{
	for (uint32_t i = 0; set->all != NULL && i <= set->n; i++)
		if (set->all[i].fd >= 0)
			close(set->all[i].fd);
	free(set->all);
	free(set->idle);
}

/* The publisher's is not among those that agents use. */
static void
conn_rest(struct fleet *f, struct conn *c, bool open)
{
	uint32_t i = (uint32_t)(c - f->conns.all);

	if (!open && c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
	c->state = CONN_IDLE;
	if (i < f->conns.n)
		f->conns.idle[f->conns.idles++] = i;
}

void
conn_fail(struct fleet *f, struct conn *c)
{
	conn_rest(f, c, false);
	fleet_failed(f, c->who);
}

/*
 * Calls from that port, or from any for 0. Takes no port that is in use, but
 * may one that rests after an end of the same two addresses. False: errno
 * says why not.
 */
static bool
conn_call_from(struct fleet *f, struct conn *c, struct sockaddr_in *from,
    uint16_t port)
{
	struct epoll_event watch = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = (uint64_t)(c - f->conns.all),
	};
	int on = 1;

	if (c->fd >= 0)
		close(c->fd);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	from->sin_port = htons(port);
	if (port == 0)
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		    sizeof(on));
	else
		setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(c->fd, (struct sockaddr *)from, sizeof(*from)) < 0 ||
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, c->fd, &watch) < 0)
		return false;
	c->state = CONN_CALLS;
	if (connect(c->fd, (struct sockaddr *)&f->opt.address,
	    sizeof(f->opt.address)) == 0)
		c->state = CONN_ASKS;
	return c->state == CONN_ASKS || errno == EINPROGRESS;
}

/*
 * From one address after another: one alone has 28,000 ports, and a port
 * that was used rests for a minute. Where each request has a connection of
 * its own the same ports come again and again: a machine that tracks
 * connections (nf_conntrack) remembers each pair of addresses and ports for
 * two minutes, and drops everybody's packets when it can remember no more.
 */
static bool
conn_call(struct fleet *f, struct conn *c)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	uint32_t call = f->conns.calls++, sources = (uint32_t)f->opt.sources;
	uint32_t ports = CONN_PAIRS / sources;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + call % sources);
	if (!f->opt.keeps && conn_call_from(f, c, &from,
	    (uint16_t)(CONN_PORT + call / sources % ports)))
		return true;
	if (conn_call_from(f, c, &from, 0))
		return true;
	if (errno == EADDRNOTAVAIL)
		fleet_tell(f, "no port is left: more --sources, or --keep-alive"
		    " on");
	return false;
}

static void conn_again(struct fleet *, struct conn *);

static void
conn_send(struct fleet *f, struct conn *c)
{
	ssize_t n = send(c->fd, c->out + c->sent,
	    (size_t)(c->len - c->sent), MSG_NOSIGNAL);

	if (n >= 0)
		c->sent = (uint16_t)(c->sent + n);
	else if (errno != EAGAIN)
		conn_again(f, c);
}

static void
conn_begin(struct fleet *f, struct conn *c)
{
	c->sent = c->got = 0;
	c->began = c->done = false;
	c->named = c->tagged = 0;
	c->status = 0;
	c->fresh = c->fd < 0;
	c->state = CONN_ASKS;
	if (f->h2.n > 0 && c->who != CONN_PUBLISH) {
		h2_ask(f, c);
		return;
	}
	llhttp_init(&c->parser, HTTP_RESPONSE, &conn_settings);
	c->parser.data = c;
	if (c->fresh && !conn_call(f, c))
		conn_fail(f, c);
	else if (c->state == CONN_ASKS)
		conn_send(f, c);
}

/* It was closed before an answer began. */
static void
conn_again(struct fleet *f, struct conn *c)
{
	if (c->fresh || c->began) {
		conn_fail(f, c);
		return;
	}
	close(c->fd);
	c->fd = -1;
	conn_begin(f, c);
}

void
conns_ask(struct fleet *f, uint32_t who)
{
	struct conn *c = &f->conns.all[f->conns.idle[--f->conns.idles]];

	c->who = who;
	c->asked = f->now;
	c->len = (uint16_t)(f->agents.all[who].denied ?
	    ask_register(&f->opt, who, c->out) :
	    ask_poll(&f->ask, &f->agents, who, c->out));
	conn_begin(f, c);
}

bool
conns_publish(struct fleet *f)
{
	struct conn *c = &f->conns.all[f->conns.n];

	if (c->state != CONN_IDLE)
		return false;
	c->who = CONN_PUBLISH;
	c->asked = f->now;
	c->len = (uint16_t)ask_publish(&f->opt, c->out);
	conn_begin(f, c);
	return true;
}

void
conn_answered(struct fleet *f, struct conn *c, int status, bool keeps)
{
	c->etag[c->tagged] = '\0';
	conn_rest(f, c, keeps);
	c->out[c->got] = '\0';
	if (c->who < f->agents.n && f->agents.all[c->who].denied)
		fleet_registered(f, c->who, status, c->out);
	else
		fleet_answered(f, c->who, status, c->etag, c->asked);
}

static void
conn_read(struct fleet *f, struct conn *c)
{
	static char in[65536];
	llhttp_errno_t err;
	ssize_t n;

	do {
		n = recv(c->fd, in, sizeof(in), 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0) {
			c->began = true;
			err = llhttp_execute(&c->parser, in, (size_t)n);
		} else
			err = llhttp_finish(&c->parser);
		if (c->done)
			conn_answered(f, c, c->parser.status_code,
			    f->opt.keeps &&
			    llhttp_should_keep_alive(&c->parser));
		else if (n <= 0)
			conn_again(f, c);
		else if (err != HPE_OK)
			conn_fail(f, c);
	} while (n == sizeof(in) && !c->done && err == HPE_OK);
}

void
conns_event(struct fleet *f, uint32_t i, uint32_t events)
{
	struct conn *c = &f->conns.all[i];
	int err = 0;
	socklen_t len = sizeof(err);

	if (c->fd < 0)
		return;		/* closed by an event before this one */
	if (c->state == CONN_IDLE) {
		if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
			close(c->fd);
			c->fd = -1;
		}
		return;
	}
	if (c->state == CONN_CALLS) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err != 0) {
			conn_fail(f, c);
			return;
		}
		if ((events & EPOLLOUT) == 0)
			return;
		c->state = CONN_ASKS;
	}
	if (c->sent < c->len && (events & EPOLLOUT) != 0)
		conn_send(f, c);
	if (c->state == CONN_ASKS && (events & ~(uint32_t)EPOLLOUT) != 0)
		conn_read(f, c);
}

void
conns_overdue(struct fleet *f, int64_t since)
{
	for (uint32_t i = 0; i <= f->conns.n; i++) {
		struct conn *c = &f->conns.all[i];

		if (c->state == CONN_IDLE || c->asked >= since)
			continue;
		if (f->h2.n > 0 && c->who != CONN_PUBLISH)
			h2_forget(f, c);
		conn_fail(f, c);
	}
}
