/*
 * libcurl's sockets as watches on the loop.
 *
 * A connection that is kept is watched too. What comes on it while nobody
 * asked would be taken for the answer to whoever asks next, and each answer
 * from then on for that of the one before: so it is shut down, unread (RFC
 * 9112, 9.2 and 9.5). libcurl notices when it looks whether the connection is
 * alive, or when it sends, and then asks on a new one.
 *
 * libcurl closes one that never came to be a connection without a word (7.88,
 * cf_socket_close): it is forgotten when libcurl waits for it no more, for its
 * descriptor may be somebody else's by then.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch_inner.h"

struct fetch_socket {
	struct loop_watch watch;
	struct fetch_hub *hub;
	struct fetch *fetch;	/* whose connection it is; NULL: it is kept */
	bool own;		/* ours, and not the resolver's */
	bool asked;		/* libcurl waits for it */
	bool connected;		/* libcurl will say when it closes it */
};

static struct fetch_socket *
fetch_socket_find(const struct fetch_hub *hub, curl_socket_t fd)
{
	return (size_t)fd < hub->sockets_cap ? hub->sockets[fd] : NULL;
}

bool
fetch_socket_quiet(const struct fetch_hub *hub, curl_socket_t fd)
{
	const struct fetch_socket *s = fetch_socket_find(hub, fd);

	return s != NULL && s->own &&
	    loop_watch_quiet(hub->loop, &s->watch, POLLIN);
}

static bool
fetch_socket_room(struct fetch_hub *hub, size_t fd)
{
	size_t cap = hub->sockets_cap > 0 ? hub->sockets_cap : 64;
	struct fetch_socket **grown;

	while (cap <= fd)
		cap *= 2;
	if (cap == hub->sockets_cap)
		return true;
	grown = reallocarray(hub->sockets, cap, sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + hub->sockets_cap, 0,
	    (cap - hub->sockets_cap) * sizeof(*grown));
	hub->sockets = grown;
	hub->sockets_cap = cap;
	return true;
}

static void
fetch_socket_drop(struct fetch_socket *s, curl_socket_t fd)
{
	if (s->fetch != NULL)
		s->fetch->socket = NULL;
	loop_watch_stop(s->hub->loop, &s->watch);
	s->hub->sockets[fd] = NULL;
	free(s);
}

static int
fetch_socket_port(curl_socket_t fd)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof(here);

	if (getsockname(fd, (struct sockaddr *)&here, &len) != 0)
		return 0;
	return ntohs(here.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)(void *)&here)->sin6_port :
	    ((struct sockaddr_in *)(void *)&here)->sin_port);
}

/* Whoever took it may have paused before libcurl waited for anything. */
static bool
fetch_socket_taken(struct fetch_socket *s)
{
	int port = fetch_socket_port(s->watch.fd);
	struct fetch *f;

	TAILQ_FOREACH(f, &s->hub->all, entry)
		if (f->port == port && f->socket == NULL) {
			f->socket = s;
			s->fetch = f;
			return true;
		}
	return s->fetch != NULL;
}

/* Something has come while libcurl did not wait for it. */
static void
fetch_socket_unasked(struct fetch_socket *s)
{
	if (!fetch_socket_taken(s))
		shutdown(s->watch.fd, SHUT_RDWR);
	loop_watch_stop(s->hub->loop, &s->watch);
}

static void
fetch_socket_ready(struct loop_watch *watch, short revents)
{
	struct fetch_socket *s = LOOP_OF(struct fetch_socket, watch, watch);
	int events = 0;

	if (!s->asked) {
		fetch_socket_unasked(s);
		return;
	}
	/* An error is found by reading: libcurl takes a bare CSELECT_ERR for
	 * its own poll having failed. */
	if (revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
		events |= CURL_CSELECT_IN;
	if (revents & (POLLOUT | POLLERR))
		events |= CURL_CSELECT_OUT;
	fetch_hub_act(s->hub, watch->fd, events);
}

static struct fetch_socket *
fetch_socket_new(struct fetch_hub *hub, curl_socket_t fd)
{
	struct fetch_socket *s;

	if (!fetch_socket_room(hub, (size_t)fd))
		return NULL;
	s = hub->sockets[fd];
	if (s != NULL) {	/* of one closed without a word */
		s->connected = false;
		return s;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->watch.ready = fetch_socket_ready;
	s->hub = hub;
	hub->sockets[fd] = s;
	return s;
}

/* --- while it is in use ------------------------------------------------- */

/* CURLOPT_OPENSOCKETFUNCTION */
curl_socket_t
fetch_socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch *f = arg;
	struct fetch_socket *s;
	curl_socket_t fd;

	(void)purpose;
	if (!fetch_allows(f, &to->addr))
		return CURL_SOCKET_BAD;
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd == -1)
		return CURL_SOCKET_BAD;
	s = fetch_socket_new(f->hub, fd);
	if (s == NULL) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	s->own = true;
	/* why an old connection could not be closed is no news of this one */
	f->error[0] = '\0';
	return fd;
}

/* CURLOPT_CLOSESOCKETFUNCTION */
int
fetch_socket_close(void *arg, curl_socket_t fd)
{
	struct fetch_socket *s = fetch_socket_find(arg, fd);

	if (s != NULL)
		fetch_socket_drop(s, fd);
	return close(fd);
}

static void
fetch_socket_use(struct fetch_socket *s, CURL *easy)
{
	char *own = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &own);
	if (s->fetch != NULL)
		s->fetch->socket = NULL;
	s->fetch = (struct fetch *)(void *)own;
	if (s->fetch->socket != NULL)
		s->fetch->socket->fetch = NULL;
	s->fetch->socket = s;
}

/* Whether a request was sent on it. */
static bool
fetch_socket_connected(struct fetch_socket *s)
{
	int port = s->fetch != NULL ? s->fetch->port : 0;

	if (!s->connected)
		s->connected = port != 0 &&
		    port == fetch_socket_port(s->watch.fd);
	return s->connected;
}

/* CURLMOPT_SOCKETFUNCTION. Those that are not ours are of the resolver. */
int
fetch_socket_asked(CURL *easy, curl_socket_t fd, int what, void *arg,
    void *unused)
{
	struct fetch_hub *hub = arg;
	struct fetch_socket *s = fetch_socket_find(hub, fd);
	short events = 0;

	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		if (s == NULL)
			return 0;
		s->asked = false;
		loop_watch_stop(hub->loop, &s->watch);
		if (!s->own || !fetch_socket_connected(s))
			fetch_socket_drop(s, fd);
		return 0;
	}
	if (s == NULL && (s = fetch_socket_new(hub, fd)) == NULL)
		return -1;
	if (s->own && (s->fetch == NULL || s->fetch->easy != easy))
		fetch_socket_use(s, easy);
	s->asked = true;
	if (what & CURL_POLL_IN)
		events |= POLLIN;
	if (what & CURL_POLL_OUT)
		events |= POLLOUT;
	return loop_watch_start(hub->loop, &s->watch, fd, events) ? 0 : -1;
}

/* --- while it is kept --------------------------------------------------- */

void
fetch_socket_leave(struct fetch *f)
{
	struct fetch_socket *s = f->socket;

	if (s == NULL)
		return;
	f->socket = NULL;
	s->fetch = NULL;
	/* without memory for it libcurl will look whether it is closed */
	if (!s->asked)
		loop_watch_start(f->hub->loop, &s->watch, s->watch.fd, POLLIN);
}

void
fetch_socket_clear(struct fetch_hub *hub)
{
	for (size_t fd = 0; fd < hub->sockets_cap; fd++)
		if (hub->sockets[fd] != NULL)
			fetch_socket_drop(hub->sockets[fd],
			    (curl_socket_t)fd);
	free(hub->sockets);
	hub->sockets = NULL;
	hub->sockets_cap = 0;
}
