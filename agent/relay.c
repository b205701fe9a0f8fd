/*
 * Passes a program's output on to the log, as component "output". What it
 * says is hostile: a line is bounded, escaped by the log, and one turn of
 * the loop reads one piece, so that who talks without end delays nobody.
 */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "log.h"

enum {
	RELAY_PIECE = 4096,
	RELAY_LAST = 256,	/* pieces that are read at the end */
};

static void
relay_flush(struct relay *r)
{
	while (r->len > 0 && r->line[r->len - 1] == '\r')
		r->len--;
	r->line[r->len] = '\0';
	if (r->len > 0)
		log_info("output", "%s", r->line);
	r->len = 0;
}

static void
relay_feed(struct relay *r, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			relay_flush(r);
			continue;
		}
		if (r->len == RELAY_LINE)
			relay_flush(r);
		/* a text ends at NUL */
		r->line[r->len++] = bytes[i] != '\0' ? bytes[i] : '?';
	}
}

/* False: there is nothing more, now or ever. */
static bool
relay_read(struct relay *r)
{
	char piece[RELAY_PIECE];
	ssize_t n = read(r->fd, piece, sizeof(piece));

	if (n > 0) {
		relay_feed(r, piece, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	loop_watch_stop(r->loop, &r->watch);	/* or it would spin */
	return false;
}

static void
relay_ready(struct loop_watch *watch, short revents)
{
	(void)revents;
	relay_read(LOOP_OF(struct relay, watch, watch));
}

void
relay_start(struct relay *r, struct loop *loop, int fd)
{
	*r = (struct relay){ .loop = loop, .fd = fd,
		.watch.ready = relay_ready };
	if (!loop_watch_start(loop, &r->watch, fd, POLLIN))
		log_warn("output", "out of memory: it is not read");
}

void
relay_stop(struct relay *r)
{
	int left = RELAY_LAST;

	if (r->fd < 0)
		return;
	while (left-- > 0 && relay_read(r))
		;
	relay_flush(r);
	loop_watch_stop(r->loop, &r->watch);
	close(r->fd);
	r->fd = -1;
}
