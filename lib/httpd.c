/*
 * The HTTP server: listening, accepting, limits, draining.
 *
 * At its limit the server first closes the connection that has been idle
 * longest, then the one that has been asking longest without coming to an
 * end; when there is neither, callers wait in the backlog. Some places are
 * kept for callers on loopback; while only those are left, others are turned
 * away with 503, for whoever waits in the backlog stands before the next one.
 */
#include "httpd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "httpd_conn.h"
#include "log.h"

enum {
	HTTPD_BACKLOG = 1024,
	HTTPD_ACCEPTS = 64,	/* a turn */
	HTTPD_RETRY = 500,	/* ms, when accept(2) lacks something */
};

const struct httpd_config httpd_defaults = {
	.bind = "127.0.0.1",
	.port = 0,
	.max_connections = 1024,
	.reserved = 16,
	.max_header = 16384,
	.max_reply = 1 << 20,
	.header_ms = 10000,
	.body_ms = 10000,
	.idle_ms = 60000,
	.write_ms = 30000,
	.write_least = 32768,
};

const char *
httpd_date(struct httpd *h)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != h->second && gmtime_r(&now, &tm) != NULL) {
		/* IMF-fixdate; the programs never leave the C locale */
		strftime(h->date, sizeof(h->date), "%a, %d %b %Y %T GMT",
		    &tm);
		h->second = now;
	}
	return h->date;
}

/* --- accepting ---------------------------------------------------------- */

static void
httpd_pause(struct httpd *h)
{
	loop_watch_stop(h->loop, &h->watch);
}

void
httpd_resume(struct httpd *h)
{
	if (h->fd != -1)
		loop_watch_start(h->loop, &h->watch, h->fd, POLLIN);
}

static void
httpd_retry(struct loop_timer *t)
{
	httpd_resume(LOOP_OF(struct httpd, retry, t));
}

/* Makes room. Nobody loses the request that he is in the middle of to one who
 * comes from further away. */
static bool
httpd_shed(struct httpd *h, bool loopback)
{
	struct httpd_conn *c = TAILQ_FIRST(&h->idle);

	if (c == NULL) {
		c = TAILQ_FIRST(&h->begun);
		while (c != NULL && c->loopback && !loopback)
			c = TAILQ_NEXT(c, line);
	}
	if (c != NULL)
		httpd_conn_close(c);
	return c != NULL;
}

void
httpd_forget(struct httpd_conn *c)
{
	struct httpd *h = c->server;

	if (c->list != NULL)
		TAILQ_REMOVE(c->list, c, line);
	TAILQ_REMOVE(&h->conns, c, all);
	h->count--;
	free(c);
	if (h->draining && h->count == 0 && h->drained != NULL)
		h->drained(h->arg);	/* which may have closed the server */
	else
		httpd_resume(h);
}

static bool
httpd_is_loopback(const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;

	if (peer->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return peer->ss_family == AF_INET6 &&
	    (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
	    v6->sin6_addr.s6_addr[12] == 127));
}

/* An IPv4 caller of an IPv6 socket is written as what it is. */
static void
httpd_remote(const struct sockaddr_storage *peer, socklen_t len, char *out,
    size_t size)
{
	char name[64];

	if (getnameinfo((const void *)peer, len, name, sizeof(name), NULL, 0,
	    NI_NUMERICHOST) != 0)
		name[0] = '\0';
	snprintf(out, size, "%s", strncmp(name, "::ffff:", 7) == 0 &&
	    strchr(name, '.') != NULL ? name + 7 : name);
}

static const char *
httpd_no_header(const struct route_request *req, const char *name)
{
	(void)req, (void)name;
	return NULL;
}

/* The answer may be lost to a reset: it is a courtesy. */
static void
httpd_turn_away(int fd)
{
	struct route_request nobody = { .header = httpd_no_header };
	struct buf head = BUF_INIT(1024);
	struct route_reply reply;
	char bytes[4096];

	route_reply_init(&reply, 0);
	route_request_id(&nobody);
	route_problem(&nobody, &reply, 503, "there are too many connections");
	buf_printf(&head, "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n"
	    "X-Request-ID: %s\r\nRetry-After: 1\r\n"
	    "Connection: close\r\n\r\n%s", reply.type, reply.body.len,
	    nobody.id, buf_text(&reply.body));
	(void)recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	(void)send(fd, buf_text(&head), head.len,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
	buf_free(&head);
	route_reply_free(&reply);
}

static void
httpd_welcome(struct httpd *h, int fd, const struct sockaddr_storage *peer,
    socklen_t len)
{
	bool loopback = httpd_is_loopback(peer);
	size_t open = h->config.max_connections - h->config.reserved;
	char remote[64];
	int on = 1;

	if (h->count >= h->config.max_connections ||
	    (!loopback && h->count >= open)) {
		if (!httpd_shed(h, loopback)) {
			httpd_turn_away(fd);
			return;
		}
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	httpd_remote(peer, len, remote, sizeof(remote));
	httpd_conn_open(h, fd, remote, loopback);
}

/* accept(2) failed: whether to try again at once. */
static bool
httpd_accept_again(struct httpd *h, int error)
{
	if (error == EAGAIN)
		return false;
	if (error != EMFILE && error != ENFILE && error != ENOBUFS &&
	    error != ENOMEM)
		return true;	/* this one caller is gone (accept(2)) */
	if (httpd_shed(h, true))
		return true;
	log_warn("http", "no connection can be accepted: %s",
	    strerror(error));
	httpd_pause(h);
	loop_timer_start(h->loop, &h->retry, HTTPD_RETRY);
	return false;
}

static void
httpd_ready(struct loop_watch *w, short revents)
{
	struct httpd *h = LOOP_OF(struct httpd, watch, w);
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)revents;
	for (int i = 0; i < HTTPD_ACCEPTS; i++) {
		if (h->count >= h->config.max_connections &&
		    TAILQ_EMPTY(&h->idle) && TAILQ_EMPTY(&h->begun)) {
			httpd_pause(h);
			return;
		}
		len = sizeof(peer);
		fd = accept4(h->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			httpd_welcome(h, fd, &peer, len);
		else if (!httpd_accept_again(h, errno))
			return;
	}
}

/* --- opening and closing ------------------------------------------------ */

static int
httpd_listen(const struct addrinfo *at)
{
	int fd, on = 1, unsent = HTTPD_UNSENT, error;

	fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, at->ai_protocol);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* connections have it from here */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
	    sizeof(unsent));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
	    listen(fd, HTTPD_BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
httpd_bind(const struct httpd_config *config, struct buf *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list, *at;
	char port[16];
	int fd = -1, why;

	snprintf(port, sizeof(port), "%ld", config->port);
	why = getaddrinfo(config->bind, port, &hints, &list);
	if (why != 0) {
		buf_printf(error, "cannot listen on %s: %s", config->bind,
		    gai_strerror(why));
		return -1;
	}
	for (at = list; at != NULL && fd == -1; at = at->ai_next)
		fd = httpd_listen(at);
	if (fd == -1)
		buf_printf(error, "cannot listen on %s port %ld: %s",
		    config->bind, config->port, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

struct httpd *
httpd_open(struct loop *loop, const struct httpd_config *config,
    const struct route_table *table, struct buf *error)
{
	struct httpd *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		buf_str(error, "out of memory");
		return NULL;
	}
	h->loop = loop;
	h->config = *config;
	if (h->config.reserved >= h->config.max_connections)
		h->config.reserved = 0;
	h->table = table;
	h->watch.ready = httpd_ready;
	h->retry.fire = httpd_retry;
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->idle);
	TAILQ_INIT(&h->begun);
	TAILQ_INIT(&h->ahead);
	h->turn.fire = httpd_conn_turn;
	h->fd = httpd_bind(config, error);
	if (h->fd == -1) {
		free(h);
		return NULL;
	}
	if (!loop_watch_start(loop, &h->watch, h->fd, POLLIN)) {
		buf_str(error, "out of memory");
		httpd_close(h);
		return NULL;
	}
	return h;
}

long
httpd_port(const struct httpd *h)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof(here);

	if (getsockname(h->fd, (struct sockaddr *)&here, &len) == -1)
		return -1;
	return ntohs(here.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)(void *)&here)->sin6_port :
	    ((struct sockaddr_in *)(void *)&here)->sin_port);
}

size_t
httpd_connections(const struct httpd *h)
{
	return h->count;
}

/* Those from afar need as many places as are kept for loopback. */
bool
httpd_crowded(const struct httpd *h)
{
	return h->later + h->config.reserved * 2 >= h->config.max_connections;
}

static void
httpd_deafen(struct httpd *h)
{
	loop_watch_stop(h->loop, &h->watch);
	loop_timer_stop(h->loop, &h->retry);
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
}

/* Whether a request has come that was not read yet. */
static bool
httpd_spoken(const struct httpd_conn *c)
{
	char byte;

	return recv(c->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
httpd_drain(struct httpd *h, void (*idle)(void *), void *arg)
{
	struct httpd_conn *c, *next;

	httpd_deafen(h);
	for (c = TAILQ_FIRST(&h->idle); c != NULL; c = next) {
		next = TAILQ_NEXT(c, line);
		if (!httpd_spoken(c))
			httpd_conn_close(c);
	}
	h->draining = true;
	h->drained = idle;
	h->arg = arg;
	if (h->count == 0 && idle != NULL)
		idle(arg);
}

void
httpd_close(struct httpd *h)
{
	if (h == NULL)
		return;
	httpd_deafen(h);
	h->draining = true;
	h->drained = NULL;
	while (!TAILQ_EMPTY(&h->conns))
		httpd_conn_close(TAILQ_FIRST(&h->conns));
	loop_timer_stop(h->loop, &h->turn);
	free(h);
}
