/*
 * watch.fcgi: FastCGI in one process that holds polls, housekeeps, and
 * answers everything else as every responder does.
 *
 * How it learns that the version moved: while something is held, it looks at
 * SQLite's change counter twenty times a second. A look takes 3 us, and with
 * the waking up it is a five-hundredth of one core. Waking up for a write to
 * the WAL (inotify) would be too early, for a commit is seen only when the WAL
 * is synchronised and its index says so, and would not be told of writes from
 * another host; so it would have to look as well. With nothing held it wakes
 * up for its housekeeping alone.
 *
 * It refuses to wait for anyone but the store: the web server has the whole
 * request before it connects, and takes a reply as fast as it is written.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gateway_hold.h"
#include "housekeep.h"
#include "log.h"

enum {
	GATEWAY_ACCEPTS = 64,		/* requests taken in one turn */
	GATEWAY_LOOK_MS = 50,
	GATEWAY_TIRED_MS = 100,		/* after an accept that failed */
};

/* The process. */
struct gateway_watch {
	struct gateway_hold hold;
	struct controller *c;
	struct loop *loop;
	struct loop_watch listening;
	struct loop_timer look, housekeep, rest;
	FCGX_Request request;
};

/* Whether the present request is held from now on. */
static bool
gateway_watch_keep(struct gateway_watch *g, const struct timespec *since)
{
	if (!gateway_hold_keep(&g->hold, g->request.ipcFd,
	    g->request.requestId, g->request.envp, since))
		return false;
	/* the connection is no longer libfcgi's */
	g->request.ipcFd = -1;
	FCGX_Free(&g->request, 0);
	if (!loop_timer_runs(&g->look))
		loop_timer_start(g->loop, &g->look, GATEWAY_LOOK_MS);
	return true;
}

static void
gateway_watch_request(struct gateway_watch *g)
{
	struct gateway_stream stream = {
		.read = gateway_fcgi_read,
		.write = gateway_fcgi_write,
		.arg = &g->request,
	};
	struct controller *c = g->c;
	struct timespec since;
	bool room;

	room = gateway_hold_room(&g->hold, g->request.envp);
	clock_gettime(CLOCK_MONOTONIC, &since);
	c->hold = (struct controller_hold){ .room = room };
	gateway_answer(&g->hold.table, g->request.envp, &stream);
	if (c->hold.seconds > 0) {
		if (gateway_watch_keep(g, &since))
			return;
		c->hold = (struct controller_hold){ .room = false };
		gateway_answer(&g->hold.table, g->request.envp, &stream);
	}
	gateway_fcgi_finish(&g->request);
}

/* --- the loop ----------------------------------------------------------- */

static void
gateway_watch_looks(struct loop_timer *t)
{
	struct gateway_watch *g = LOOP_OF(struct gateway_watch, look, t);

	gateway_hold_look(&g->hold);
	if (g->hold.watch.count > 0)
		loop_timer_start(g->loop, t, GATEWAY_LOOK_MS);
}

static void
gateway_watch_housekeep(struct loop_timer *t)
{
	struct gateway_watch *g = LOOP_OF(struct gateway_watch, housekeep, t);

	housekeep_turn(g->c);
	/* its clock is a coarse one */
	loop_timer_start(g->loop, t, HOUSEKEEP_MS + 10);
}

static void
gateway_watch_listen(struct loop_timer *t)
{
	struct gateway_watch *g = LOOP_OF(struct gateway_watch, rest, t);

	loop_watch_start(g->loop, &g->listening, STDIN_FILENO, POLLIN);
}

/* An accept that fails now fails again at once; who is held stays so. */
static void
gateway_watch_tired(struct gateway_watch *g, int error)
{
	log_error("http", "accept: %s", strerror(error));
	loop_watch_stop(g->loop, &g->listening);
	loop_timer_start(g->loop, &g->rest, GATEWAY_TIRED_MS);
}

static void
gateway_watch_ready(struct loop_watch *l, short revents)
{
	struct gateway_watch *g = LOOP_OF(struct gateway_watch, listening, l);
	int error = 0;

	(void)revents;
	for (int i = 0; i < GATEWAY_ACCEPTS; i++) {
		error = -FCGX_Accept_r(&g->request);
		if (error != 0)
			break;
		gateway_watch_request(g);
	}
	if (error != 0 && error != EAGAIN && error != EWOULDBLOCK &&
	    error != EINTR && error != ECONNABORTED)
		gateway_watch_tired(g, error);
	/* one of them may have been a publish */
	gateway_hold_look(&g->hold);
	housekeep_turn(g->c);
}

static void
gateway_watch_end(void *arg, int number)
{
	(void)number;
	loop_stop(arg);
}

static bool
gateway_watch_start(struct gateway_watch *g, struct controller *c)
{
	g->c = c;
	g->loop = loop_open();
	if (g->loop == NULL || !gateway_fcgi_nonblocking())
		return false;
	gateway_hold_open(&g->hold, c, g->loop);
	g->listening.ready = gateway_watch_ready;
	g->look.fire = gateway_watch_looks;
	g->housekeep.fire = gateway_watch_housekeep;
	g->rest.fire = gateway_watch_listen;
	FCGX_InitRequest(&g->request, STDIN_FILENO, 0);
	for (const int *end = gateway_fcgi_ends; *end != 0; end++)
		if (!loop_signal(g->loop, *end, gateway_watch_end, g->loop))
			return false;
	return loop_watch_start(g->loop, &g->listening, STDIN_FILENO,
	    POLLIN) && loop_timer_start(g->loop, &g->housekeep, 0);
}

int
gateway_watch(struct controller *c)
{
	struct gateway_watch g = { .c = NULL };
	int error;

	gateway_fcgi_start(c);
	if (!gateway_watch_start(&g, c))
		log_fatal("watch.fcgi cannot be started: %s",
		    strerror(errno));
	error = loop_run(g.loop);
	if (error != 0)
		log_error("http", "poll: %s", strerror(error));
	/* new ones go to whoever comes after this process */
	gateway_hold_close(&g.hold);
	FCGX_Free(&g.request, 1);
	loop_close(g.loop);
	return error != 0;
}
