/*
 * Tries a host's addresses in the order that getaddrinfo(3) gives them. It
 * has no patience of its own: how long it may take is its caller's business.
 */
#include "dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum dial_end
dial_failed(struct dial *d, const char *why)
{
	snprintf(d->why, sizeof(d->why), "%s", why);
	return DIAL_FAILED;
}

static void
dial_close(struct dial *d)
{
	if (d->socket >= 0)
		close(d->socket);
	d->socket = -1;
}

/* The next address that does not fail at once. */
static enum dial_end
dial_next(struct dial *d)
{
	const int on = 1;

	for (; d->next != NULL; d->next = d->next->ai_next) {
		const struct addrinfo *to = d->next;

		dial_close(d);
		d->socket = socket(to->ai_family, SOCK_STREAM |
		    SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (d->socket >= 0 && (connect(d->socket, to->ai_addr,
		    to->ai_addrlen) == 0 || errno == EINPROGRESS)) {
			setsockopt(d->socket, IPPROTO_TCP, TCP_NODELAY, &on,
			    sizeof(on));
			d->next = to->ai_next;
			d->fd = d->socket;
			d->events = POLLOUT;
			return DIAL_WAIT;
		}
		dial_failed(d, strerror(errno));
	}
	dial_close(d);
	return DIAL_FAILED;
}

enum dial_end
dial_start(struct dial *d, const char *host, int port)
{
	*d = (struct dial){ .fd = -1, .socket = -1, .events = POLLIN };
	d->resolve = resolve_start(host, port);
	if (d->resolve == NULL)
		return dial_failed(d, strerror(errno));
	d->fd = resolve_fd(d->resolve);
	return DIAL_WAIT;
}

enum dial_end
dial_step(struct dial *d)
{
	socklen_t len = sizeof(int);
	const char *why = "it has no address";
	int error = 0;

	if (d->socket < 0) {
		d->next = resolve_found(d->resolve, &why);
		dial_failed(d, why);
		return dial_next(d);
	}
	if (getsockopt(d->socket, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0)
		return DIAL_DONE;
	dial_failed(d, strerror(error));
	return dial_next(d);
}

int
dial_take(struct dial *d)
{
	int fd = d->socket;

	d->socket = -1;
	return fd;
}

void
dial_stop(struct dial *d)
{
	dial_close(d);
	resolve_drop(d->resolve);
	d->resolve = NULL;
	d->next = NULL;
	d->fd = -1;
}
