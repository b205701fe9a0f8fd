/*
 * Dials, subscribes, and pings; whatever goes wrong ends the connection, and
 * the next one is dialled after a backoff of its own. What a broker says is
 * read piece by piece and never kept, so that neither its size nor its speed
 * is a matter of memory.
 */
#include "wake_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "token.h"

enum {
	WAKE_LINK_OUT = 65536,	/* bytes that wait to be sent */
	WAKE_LINK_READ = 16384,
	WAKE_LINK_BASE = 1000,	/* ms, of the backoff */
	WAKE_LINK_OPEN = 10000,	/* ms from the name to the subscription */
	WAKE_LINK_PING = 10000,	/* ms between two pings */
	WAKE_LINK_PONG = 5000,	/* ms without a word after one */
};

static void
wake_link_rest(struct wake_link *l)
{
	loop_timer_start(l->loop, &l->again, retry_next(&l->retry,
	    WAKE_LINK_BASE, l->most, token_chance()));
}

static void
wake_link_close(struct wake_link *l)
{
	loop_watch_stop(l->loop, &l->watch);
	loop_timer_stop(l->loop, &l->pulse);
	dial_stop(&l->dial);
	if (l->fd >= 0) {
		close(l->fd);
		l->engine->close(l);
	}
	l->fd = -1;
	l->up = l->pinged = l->heard = l->greeted = false;
	if (l->out.data != NULL)	/* a password may be in it */
		explicit_bzero(l->out.data, l->out.len);
	buf_reset(&l->out);
}

/* The end of a connection, or of the way to one; the next server's turn. */
static void
wake_link_lost(struct wake_link *l, const char *why)
{
	const struct broker *b = &l->servers.at[l->at];
	bool news = l->up || strcmp(l->last, why) != 0;

	if (news)
		log_warn("hints", "%s at %s port %d: %s; polling goes on",
		    l->engine->strategy, b->host, b->port, why);
	else
		log_debug("hints", "%s at %s port %d: %s",
		    l->engine->strategy, b->host, b->port, why);
	snprintf(l->last, sizeof(l->last), "%s", why);
	wake_link_close(l);
	l->why[0] = '\0';
	l->at = (l->at + 1) % l->servers.count;
	wake_link_rest(l);
}

/* --- what an engine has heard ------------------------------------------- */

void
wake_link_up(struct wake_link *l)
{
	const struct broker *b = &l->servers.at[l->at];

	if (l->up)
		return;
	l->up = true;
	l->last[0] = '\0';
	log_info("hints", "subscribed with %s at %s port %d",
	    l->engine->strategy, b->host, b->port);
	loop_timer_start(l->loop, &l->pulse, WAKE_LINK_PING);
	l->said(l);
}

void
wake_link_message(struct wake_link *l)
{
	if (l->up)
		l->said(l);
}

/* Only who has lasted begins the backoff anew: a broker that throws everyone
 * out at once is not asked every second. */
void
wake_link_pong(struct wake_link *l)
{
	if (l->up)
		retry_reset(&l->retry);
}

void
wake_link_failed(struct wake_link *l, const char *why)
{
	if (l->why[0] == '\0')
		snprintf(l->why, sizeof(l->why), "%s", why);
}

/* --- bytes -------------------------------------------------------------- */

static void
wake_link_write(struct wake_link *l)
{
	ssize_t n = send(l->fd, l->out.data, l->out.len, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop(&l->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		wake_link_failed(l, strerror(errno));
}

static void
wake_link_read(struct wake_link *l)
{
	char bytes[WAKE_LINK_READ];
	ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

	if (n > 0) {
		l->heard = true;
		l->engine->hear(l, bytes, (size_t)n);
	} else if (n == 0) {
		wake_link_failed(l, "it has closed the connection");
	} else if (errno != EAGAIN && errno != EINTR) {
		wake_link_failed(l, strerror(errno));
	}
}

/* After each step: what is waited for now, or the end. */
static void
wake_link_settle(struct wake_link *l)
{
	if (l->out.failed || !loop_watch_start(l->loop, &l->watch, l->fd,
	    l->out.len > 0 ? POLLIN | POLLOUT : POLLIN))
		wake_link_failed(l, "out of memory");
	if (l->why[0] != '\0')
		wake_link_lost(l, l->why);
}

static void
wake_link_dialled(struct wake_link *l, enum dial_end end)
{
	/* its descriptor is another with each step */
	loop_watch_stop(l->loop, &l->watch);
	if (end == DIAL_WAIT && !loop_watch_start(l->loop, &l->watch,
	    l->dial.fd, l->dial.events))
		wake_link_lost(l, "out of memory");
	else if (end == DIAL_FAILED)
		wake_link_lost(l, l->dial.why);
	if (end != DIAL_DONE)
		return;
	l->fd = dial_take(&l->dial);
	dial_stop(&l->dial);
	if (!l->engine->greet(l))
		wake_link_failed(l, "out of memory");
	wake_link_settle(l);
}

static void
wake_link_ready(struct loop_watch *watch, short revents)
{
	struct wake_link *l = LOOP_OF(struct wake_link, watch, watch);

	if (l->fd < 0) {
		wake_link_dialled(l, dial_step(&l->dial));
		return;
	}
	if ((revents & POLLOUT) != 0 && l->out.len > 0)
		wake_link_write(l);
	if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		wake_link_read(l);
	wake_link_settle(l);
}

/* --- time --------------------------------------------------------------- */

static void
wake_link_again(struct loop_timer *timer)
{
	struct wake_link *l = LOOP_OF(struct wake_link, again, timer);
	const struct broker *b = &l->servers.at[l->at];

	loop_timer_start(l->loop, &l->pulse, WAKE_LINK_OPEN);
	wake_link_dialled(l, dial_start(&l->dial, b->host, b->port));
}

/* Pings, and looks a while later whether anything came. */
static void
wake_link_pulse(struct loop_timer *timer)
{
	struct wake_link *l = LOOP_OF(struct wake_link, pulse, timer);

	if (!l->up || (l->pinged && !l->heard)) {
		wake_link_lost(l, "it does not answer");
		return;
	}
	l->pinged = !l->pinged;
	l->heard = false;
	if (l->pinged)
		l->engine->ping(l);
	loop_timer_start(l->loop, timer, l->pinged ? WAKE_LINK_PONG :
	    WAKE_LINK_PING);
	wake_link_settle(l);
}

void
wake_link_start(struct wake_link *l)
{
	l->fd = -1;
	l->dial = (struct dial){ .fd = -1, .socket = -1 };
	l->watch.ready = wake_link_ready;
	l->again.fire = wake_link_again;
	l->pulse.fire = wake_link_pulse;
	buf_init(&l->out, WAKE_LINK_OUT);
	/* a fleet that was switched on together knocks at any server */
	l->at = (size_t)(token_chance() % l->servers.count);
	loop_timer_start(l->loop, &l->again, 0);
}

void
wake_link_stop(struct wake_link *l)
{
	wake_link_close(l);
	loop_timer_stop(l->loop, &l->again);
	broker_list_free(&l->servers);
	buf_free(&l->out);
}
