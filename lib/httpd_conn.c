/*
 * A connection on the loop: one request after the other, one at a time.
 * While a request is being answered nothing is read, so that a client that
 * sends ahead waits in its own buffers.
 *
 * A connection is closed from the loop only, in its own callbacks: what a
 * handler does to a request can never free what is still in use.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd_conn.h"
#include "log.h"

enum {
	HTTPD_IN = 1024,	/* bytes of memory an idle one may hold */
	HTTPD_LINGER = 1000,	/* ms */
	HTTPD_HELD = 5,		/* ms that a head waits for its body */
};

static void
httpd_conn_drop(struct httpd_conn *c)
{
	struct httpd_request *r = c->request;

	if (r == NULL)
		return;
	c->request = NULL;
	c->server->later -= r->later;
	if (log_wants(LOG_DEBUG))
		log_debug("http", "%s \"%s %s%s%s\" %d, %llu bytes, %lld ms, "
		    "id %s", c->remote, r->route.method, r->route.path,
		    r->route.query[0] != '\0' ? "?" : "", r->route.query,
		    r->status, r->bytes,
		    (long long)(loop_now(c->server->loop) - r->since),
		    r->route.id);
	route_request_free(&r->route);
	httpd_head_free(&r->head);
	buf_free(&r->body);
	free(r);
}

void
httpd_conn_answered(struct httpd_conn *c)
{
	httpd_conn_drop(c);
	c->state = CONN_FLUSH;
	c->moved = true;
	c->halved = false;
	c->held = false;
	if (c->busy)
		return;
	/* the usual case needs no turn of its own */
	if (httpd_pending(c) == 0 && !c->close && !c->eof &&
	    c->in.len == 0 && !c->server->draining)
		c->state = CONN_HEAD;
	else
		c->more = true;
	httpd_conn_settle(c);
}

/* To the end of one request at most: who has sent ahead queues up for the
 * next, behind the others. The connection may be freed. */
static void
httpd_conn_work(struct httpd_conn *c)
{
	enum httpd_step step;

	c->busy = true;
	do
		step = httpd_step(c);
	while (step == STEP_ON && c->state != CONN_HEAD);
	c->busy = false;
	c->more = step == STEP_ON && (c->in.len > 0 || c->eof);
	if (step == STEP_END)
		httpd_conn_close(c);
	else
		httpd_conn_settle(c);
}

static void
httpd_conn_read(struct httpd_conn *c)
{
	char bytes[HTTPD_READ];
	ssize_t n = recv(c->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n == 0)
		c->eof = true;
	else if (n < 0)
		c->broken |= errno != EAGAIN && errno != EINTR;
	else if (c->state != CONN_LINGER) {
		c->used = true;
		c->broken |= !buf_add(&c->in, bytes, (size_t)n);
	}
}

static void
httpd_conn_writable(struct httpd_conn *c)
{
	struct httpd_request *r;

	httpd_send(c, NULL, 0);
	r = c->request;
	if (r != NULL && r->streams && r->drained != NULL && !c->broken &&
	    httpd_pending(c) == 0)
		r->drained(r->arg);
}

static void
httpd_conn_ready(struct loop_watch *w, short revents)
{
	struct httpd_conn *c = LOOP_OF(struct httpd_conn, watch, w);

	if (revents & (POLLERR | POLLHUP | POLLNVAL)) {
		httpd_conn_close(c);
		return;
	}
	if (revents & POLLOUT)
		httpd_conn_writable(c);
	if (revents & POLLRDHUP && c->request != NULL && !c->halved) {
		c->halved = true;
		httpd_stream_probe(c->request);
	}
	if (revents & POLLIN)
		httpd_conn_read(c);
	httpd_conn_work(c);
}

/* Whether the reader took enough in the time it had. */
static bool
httpd_conn_reads(const struct httpd_conn *c)
{
	return httpd_send_taken(c) - c->taken >=
	    c->server->config.write_least;
}

static void
httpd_conn_fire(struct loop_timer *t)
{
	struct httpd_conn *c = LOOP_OF(struct httpd_conn, timer, t);
	enum httpd_wait wait = c->wait;

	c->wait = WAIT_NONE;
	if (wait == WAIT_HELD) {
		c->held = false;
		httpd_conn_writable(c);
	} else if (wait == WAIT_BODY ||
	    (wait == WAIT_HEADER && c->in.len > 0)) {
		c->busy = true;
		httpd_step_refuse(c, 408, wait == WAIT_BODY ?
		    "the body did not come in time" :
		    "the headers did not come in time");
		c->busy = false;
	} else if (wait != WAIT_SOON &&
	    (wait != WAIT_WRITE || !httpd_conn_reads(c))) {
		httpd_conn_close(c);
		return;
	}
	httpd_conn_work(c);
}

static enum httpd_wait
httpd_conn_waits(const struct httpd_conn *c)
{
	if (c->broken)
		return WAIT_SOON;
	if (c->more)
		return WAIT_NONE;
	if (httpd_pending(c) > 0)
		return c->held ? WAIT_HELD : WAIT_WRITE;
	switch (c->state) {
	case CONN_HEAD:
		return c->in.len > 0 || !c->used ? WAIT_HEADER : WAIT_IDLE;
	case CONN_BODY:
		return WAIT_BODY;
	case CONN_LINGER:
		return WAIT_LINGER;
	default:
		return WAIT_NONE;
	}
}

static void
httpd_conn_timer(struct httpd_conn *c)
{
	const struct httpd_config *config = &c->server->config;
	const int64_t ms[] = { [WAIT_SOON] = 0,
		[WAIT_IDLE] = config->idle_ms,
		[WAIT_HEADER] = config->header_ms,
		[WAIT_BODY] = config->body_ms,
		[WAIT_HELD] = HTTPD_HELD,
		[WAIT_WRITE] = config->write_ms,
		[WAIT_LINGER] = HTTPD_LINGER };
	enum httpd_wait wait = httpd_conn_waits(c);

	if (wait == WAIT_NONE)
		loop_timer_stop(c->server->loop, &c->timer);
	else if (wait != c->wait || (c->moved && wait != WAIT_WRITE))
		loop_timer_start(c->server->loop, &c->timer, ms[wait]);
	if (wait == WAIT_WRITE && c->wait != wait)
		c->taken = httpd_send_taken(c);
	c->wait = wait;
	c->moved = false;
}

static short
httpd_conn_events(const struct httpd_conn *c)
{
	short events = 0;

	if (c->more)
		return 0;
	if (httpd_pending(c) > 0 && !c->held)
		events |= POLLOUT;
	if (c->state == CONN_ANSWER)
		events |= c->halved ? 0 : POLLRDHUP;
	else if (c->state != CONN_FLUSH && !c->eof)
		events |= POLLIN;
	return events;
}

/* Where it waits to be closed when room is needed. */
static void
httpd_conn_line(struct httpd_conn *c)
{
	struct httpd_list *list = NULL;

	if (c->state == CONN_HEAD && c->in.len == 0)
		list = &c->server->idle;
	else if (c->state == CONN_HEAD || c->state == CONN_BODY ||
	    c->state == CONN_LINGER)
		list = &c->server->begun;
	if (list == c->list)
		return;
	if (c->list != NULL)
		TAILQ_REMOVE(c->list, c, line);
	c->list = list;
	if (list != NULL) {
		TAILQ_INSERT_TAIL(list, c, line);
		httpd_resume(c->server);
	}
}

static void
httpd_conn_queue(struct httpd_conn *c)
{
	struct httpd *h = c->server;

	if (c->queued == c->more)
		return;
	c->queued = c->more;
	if (!c->more) {
		TAILQ_REMOVE(&h->ahead, c, turn);
		return;
	}
	TAILQ_INSERT_TAIL(&h->ahead, c, turn);
	if (!loop_timer_runs(&h->turn))
		loop_timer_start(h->loop, &h->turn, 0);
}

/*
 * However many have sent ahead, and however much: what they all get done in a
 * turn is bounded, so that whoever asks now need not wait for them.
 */
void
httpd_conn_turn(struct loop_timer *t)
{
	struct httpd *h = LOOP_OF(struct httpd, turn, t);
	struct httpd_conn *c;
	bool last = false;

	for (int i = 0; i < HTTPD_TURN && !last &&
	    (c = TAILQ_FIRST(&h->ahead)) != NULL; i++) {
		/* with the last one that is drained the server may go */
		last = h->draining && h->count == 1;
		c->more = false;
		httpd_conn_queue(c);
		if (httpd_pending(c) > 0)
			httpd_send(c, NULL, 0);	/* an answer's end */
		httpd_conn_work(c);
	}
	if (!last && !TAILQ_EMPTY(&h->ahead))
		loop_timer_start(h->loop, &h->turn, 0);
}

void
httpd_conn_settle(struct httpd_conn *c)
{
	if (c->busy)
		return;
	if (c->in.len == 0 && c->in.cap > HTTPD_IN)
		buf_free(&c->in);
	httpd_conn_line(c);
	httpd_conn_queue(c);
	httpd_conn_timer(c);
	loop_watch_start(c->server->loop, &c->watch, c->watch.fd,
	    httpd_conn_events(c));
}

void
httpd_conn_open(struct httpd *server, int fd, const char *remote,
    bool loopback)
{
	struct httpd_conn *c = calloc(1, sizeof(*c));

	if (c == NULL || !loop_watch_start(server->loop, &c->watch, fd,
	    POLLIN)) {
		free(c);
		close(fd);
		return;
	}
	c->server = server;
	c->loopback = loopback;
	c->watch.ready = httpd_conn_ready;
	c->timer.fire = httpd_conn_fire;
	memcpy(c->remote, remote, strlen(remote) + 1);
	buf_init(&c->in, server->config.max_header + HTTPD_READ);
	buf_init(&c->out, SIZE_MAX / 4);
	TAILQ_INSERT_TAIL(&server->conns, c, all);
	server->count++;
	/* the request is often there already */
	httpd_conn_ready(&c->watch, POLLIN);
}

void
httpd_conn_close(struct httpd_conn *c)
{
	struct httpd_request *r = c->request;

	if (r != NULL && r->later && r->gone != NULL)
		r->gone(r->arg);
	httpd_conn_drop(c);
	c->more = false;
	httpd_conn_queue(c);
	loop_watch_stop(c->server->loop, &c->watch);
	loop_timer_stop(c->server->loop, &c->timer);
	close(c->watch.fd);
	buf_free(&c->in);
	buf_free(&c->out);
	httpd_forget(c);
}
