/*
 * Redis (RESP, SUBSCRIBE) and NATS (its line protocol), as far as a
 * subscriber needs them: of each line the first characters are looked at.
 */
#include "fleet_wake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fleet_run.h"

static const char wake_nats[] =
    "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"
    "SUB config.worker.update 1\r\nPING\r\n";
static const char wake_redis[] =
    "*2\r\n$9\r\nSUBSCRIBE\r\n$13\r\nconfig:global\r\n";

static bool
wake_is(const struct wake *w, const char *begin)
{
	size_t n = strlen(begin);

	return w->len >= n && memcmp(w->line, begin, n) == 0;
}

/* A line is over. True: it says that we are subscribed. */
static bool
wake_line(struct fleet *f, uint32_t i)
{
	struct wake *w = &f->wakes.all[i];

	if (f->wakes.nats && wake_is(w, "PING")) {
		if (send(w->fd, "PONG\r\n", 6, MSG_NOSIGNAL) != 6)
			f->wakes.lost++;
	} else if (f->wakes.nats ? wake_is(w, "MSG ") :
	    wake_is(w, "message\r"))
		fleet_hint(f, i);
	return f->wakes.nats ? wake_is(w, "PONG") : wake_is(w, "subscribe\r");
}

static bool
wake_bytes(struct fleet *f, uint32_t i, const char *in, size_t n)
{
	struct wake *w = &f->wakes.all[i];
	bool subscribed = false;

	for (; n > 0; n--, in++) {
		if (*in == '\n') {
			subscribed = wake_line(f, i) || subscribed;
			w->len = 0;
		} else if (w->len < sizeof(w->line))
			w->line[w->len++] = *in;
	}
	return subscribed;
}

/* Blocks, five seconds at most. */
static bool
wake_open(struct fleet *f, uint32_t i, const struct sockaddr_in *to)
{
	const char *hello = f->wakes.nats ? wake_nats : wake_redis;
	struct timeval wait = { .tv_sec = 5 };
	struct wake *w = &f->wakes.all[i];
	struct epoll_event watch = { .events = EPOLLIN,
	    .data.u64 = WAKE_MARK | i };
	bool subscribed = false;
	char in[4096];

	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return false;
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(w->fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
	    send(w->fd, hello, strlen(hello), MSG_NOSIGNAL) < 0)
		return false;
	while (!subscribed) {
		ssize_t n = recv(w->fd, in, sizeof(in), 0);

		if (n <= 0)
			return false;
		subscribed = wake_bytes(f, i, in, (size_t)n);
	}
	return epoll_ctl(f->epoll, EPOLL_CTL_ADD, w->fd, &watch) == 0;
}

bool
wakes_open(struct fleet *f)
{
	const char *url = f->opt.subscribe;
	struct sockaddr_in to;

	if (url == NULL)
		return true;
	option_address(url, &to, NULL);
	f->wakes.nats = strncmp(url, "nats:", 5) == 0;
	f->wakes.n = f->agents.n;
	f->wakes.all = calloc(f->wakes.n, sizeof(*f->wakes.all));
	if (f->wakes.all == NULL)
		return false;
	for (uint32_t i = 0; i < f->wakes.n; i++)
		f->wakes.all[i].fd = -1;
	for (uint32_t i = 0; i < f->wakes.n; i++)
		if (!wake_open(f, i, &to)) {
			fprintf(stderr, "fleet: subscriber %u of %u at %s: "
			    "%s\n", i + 1, f->wakes.n, url, strerror(errno));
			return false;
		}
	return true;
}

void
wakes_close(struct wake_set *set)
{
	for (uint32_t i = 0; set->all != NULL && i < set->n; i++)
		if (set->all[i].fd >= 0)
			close(set->all[i].fd);
	free(set->all);
}

void
wakes_event(struct fleet *f, uint32_t i)
{
	struct wake *w = &f->wakes.all[i];
	char in[4096];
	ssize_t n = recv(w->fd, in, sizeof(in), MSG_DONTWAIT);

	if (n > 0)
		wake_bytes(f, i, in, (size_t)n);
	else if (n == 0 || errno != EAGAIN) {
		close(w->fd);
		w->fd = -1;
		f->wakes.lost++;
	}
}
