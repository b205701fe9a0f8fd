/*
 * The connection: dialled when it is needed, kept, and made once more when
 * it turns out to be dead. Everything is waited for with poll(2) until the
 * deadline, the resolver included, which is asked in a thread: a name that
 * takes longer goes on being resolved for the next message.
 */
#include "notify_talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { NOTIFY_TALK_OUT = 8 << 20, NOTIFY_TALK_READ = 16384 };

void
notify_talk_failed(struct notify_talk *t, const char *why)
{
	if (t->why[0] == '\0')
		snprintf(t->why, sizeof(t->why), "%s", why);
}

bool
notify_talk_open(struct notify_talk *t, const struct notify_engine *engine,
    const char *url, struct buf *error)
{
	struct buf why = BUF_INIT(1000);
	bool good;

	*t = (struct notify_talk){ .engine = engine, .fd = -1 };
	buf_init(&t->out, NOTIFY_TALK_OUT);
	good = engine->read(&t->servers, url, &why);
	if (!good)
		buf_printf(error, "%s %s\n", engine->setting, buf_text(&why));
	buf_free(&why);
	return good;
}

static void
notify_talk_hang_up(struct notify_talk *t)
{
	if (t->fd < 0)
		return;
	close(t->fd);
	t->fd = -1;
	t->engine->close(t);
	if (t->out.data != NULL)	/* a password may be in it */
		explicit_bzero(t->out.data, t->out.len);
	buf_reset(&t->out);
}

static void
notify_talk_undial(struct notify_talk *t)
{
	if (t->dialing)
		dial_stop(&t->dial);
	t->dialing = false;
}

void
notify_talk_close(struct notify_talk *t)
{
	notify_talk_hang_up(t);
	notify_talk_undial(t);
	broker_list_free(&t->servers);
	buf_free(&t->out);
}

/* Until fd is ready; 0 when the deadline comes first. */
static short
notify_talk_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - clock_steady();

	while (left > 0) {
		int n = poll(&p, 1, (int)left);

		if (n > 0)
			return p.revents;
		if (n < 0 && errno != EINTR)
			return POLLERR;
		left = deadline - clock_steady();
	}
	return 0;
}

static bool
notify_talk_dial(struct notify_talk *t, int64_t deadline)
{
	const struct broker *b = &t->servers.at[t->at];
	enum dial_end end = DIAL_WAIT;

	if (!t->dialing)
		end = dial_start(&t->dial, b->host, b->port);
	t->dialing = true;
	while (end == DIAL_WAIT && notify_talk_wait(t->dial.fd,
	    t->dial.events, deadline) != 0)
		end = dial_step(&t->dial);
	if (end == DIAL_WAIT && t->dial.socket < 0) {
		notify_talk_failed(t, "its name is not resolved yet");
		return false;
	}
	if (end == DIAL_DONE)
		t->fd = dial_take(&t->dial);
	else
		notify_talk_failed(t, end == DIAL_FAILED ? t->dial.why :
		    "it does not answer");
	notify_talk_undial(t);
	return t->fd >= 0;
}

static void
notify_talk_write(struct notify_talk *t)
{
	ssize_t n = send(t->fd, t->out.data, t->out.len, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop(&t->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		notify_talk_failed(t, strerror(errno));
}

static void
notify_talk_read(struct notify_talk *t)
{
	char bytes[NOTIFY_TALK_READ];
	ssize_t n = recv(t->fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		t->engine->hear(t, bytes, (size_t)n);
	else if (n == 0)
		notify_talk_failed(t, "it has closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		notify_talk_failed(t, strerror(errno));
}

/* On the connection that is there. False: it is gone, and why. */
static bool
notify_talk_say(struct notify_talk *t, const struct buf *payload,
    int64_t deadline)
{
	short ready;

	t->told = t->done = false;
	t->why[0] = '\0';
	while (!t->done && t->why[0] == '\0') {
		if (t->ready && !t->told)
			t->engine->tell(t, payload);
		if (t->out.failed)
			notify_talk_failed(t, "out of memory");
		if (t->why[0] != '\0')
			break;
		ready = notify_talk_wait(t->fd, t->out.len > 0 ?
		    POLLIN | POLLOUT : POLLIN, deadline);
		if (ready == 0)
			notify_talk_failed(t, "it does not answer");
		if ((ready & POLLOUT) != 0)
			notify_talk_write(t);
		if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0)
			notify_talk_read(t);
	}
	if (t->why[0] != '\0')
		notify_talk_hang_up(t);
	return t->why[0] == '\0';
}

static bool
notify_talk_anew(struct notify_talk *t, const struct buf *payload,
    int64_t deadline)
{
	t->why[0] = '\0';
	if (!notify_talk_dial(t, deadline))
		return false;
	t->ready = false;
	if (!t->engine->greet(t)) {
		notify_talk_failed(t, "out of memory");
		notify_talk_hang_up(t);
		return false;
	}
	return notify_talk_say(t, payload, deadline);
}

bool
notify_talk_tell(struct notify_talk *t, const struct buf *payload,
    int64_t deadline)
{
	size_t left = t->servers.count;

	/* A connection that was kept may have died since. */
	if (t->fd >= 0 && notify_talk_say(t, payload, clock_steady() +
	    (deadline - clock_steady()) / 2))
		return true;
	for (; left > 0; left--) {
		int64_t now = clock_steady();

		if (notify_talk_anew(t, payload, now +
		    (deadline - now) / (int64_t)left))
			return true;
		if (t->servers.count == 1)
			break;
		notify_talk_undial(t);
		t->at = (t->at + 1) % t->servers.count;
	}
	return false;
}
