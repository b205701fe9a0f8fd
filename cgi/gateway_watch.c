/*
 * watch.fcgi: FastCGI in one process that holds polls. A request is answered
 * as everywhere else, unless the handler wants to answer later: then its
 * variables, its connection and its number are kept, about a kilobyte, and
 * it is run again from the start when the version has moved or its time is
 * over. So the late answer is made from a fresh read, for a credential that
 * is good now.
 *
 * How it learns that the version moved: while something is held, it looks at
 * SQLite's change counter forty times a second, 3 us a look. Waking up for a
 * write to the WAL (inotify) would be too early, for a commit is seen only
 * when the WAL is synchronised and its index says so, and would not be told
 * of writes from another host; so it would have to look as well. With
 * nothing held it wakes up for its housekeeping alone.
 *
 * It refuses to wait for anyone but the store: the web server has the whole
 * request before it connects, and takes a reply as fast as it is written.
 */
#include "gateway.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "held.h"
#include "housekeep.h"
#include "log.h"
#include "watch.h"

enum {
	GATEWAY_ACCEPTS = 64,		/* requests taken in one turn */
	GATEWAY_LOOK_MS = 25,
	GATEWAY_TIRED_MS = 100,		/* after an accept that failed */
	GATEWAY_LATE_MS = 20,		/* added to each deadline, so that a
					 * 304 never comes early by a turn */
	GATEWAY_SIGNS_MS = 2000,	/* at least between two heartbeats */
	GATEWAY_FULL_MS = 60000,	/* between two lines of the log */
	GATEWAY_SEND_S = 10,		/* that a reply may stand still */
	GATEWAY_FILES_MAX = 65536,	/* a limit above is no limit */
};

/* The process. */
struct gateway_watch {
	struct watch watch;		/* first */
	struct controller *c;
	struct route_table table;
	struct loop *loop;
	struct loop_watch listening;
	struct loop_timer look, housekeep, rest;
	FCGX_Request request;
	struct held gauge;
	bool uncounted;			/* it could not be opened */
	char etag[ETAG_SIZE];		/* that they wait to be replaced */
	size_t room;			/* for so many held polls */
	int64_t told;			/* when it was said that it is full */
};

/* A held request. */
struct gateway_held {
	struct watch_poll poll;		/* first */
	int fd;				/* the connection */
	unsigned id;			/* FastCGI's number of the request */
	struct timespec since;
	struct store_beat beat;
	char **variables;
};

/* --- answering what was held -------------------------------------------- */

static long
gateway_watch_read(void *arg, char *into, size_t n)
{
	(void)arg, (void)into, (void)n;
	return 0;
}

static void
gateway_watch_free(struct gateway_held *held)
{
	if (held == NULL)
		return;
	if (held->fd >= 0)
		close(held->fd);
	gateway_forget(held->variables);
	free(held);
}

static void
gateway_watch_answer(struct watch *w, struct watch_poll *poll)
{
	struct gateway_watch *g = (struct gateway_watch *)(void *)w;
	struct gateway_held *held = (struct gateway_held *)(void *)poll;
	struct gateway_record record = { .id = held->id };
	const struct gateway_stream stream = {
		.read = gateway_watch_read,
		.write = gateway_record_write,
		.arg = &record,
	};

	buf_init(&record.out, 2 * GATEWAY_REPLY_MAX);
	g->c->hold = (struct controller_hold){
		.again = true, .since = held->since,
	};
	gateway_answer(&g->table, held->variables, &stream);
	held_set(&g->gauge, (long long)w->count);
	if (!gateway_record_end(&record, held->fd))
		log_debug("http", "a held poll was not answered: its "
		    "connection is gone");
	buf_free(&record.out);
	gateway_watch_free(held);
}

/* The agent is there as long as its poll is held. */
static void
gateway_watch_sign(struct watch *w, const struct watch_poll *poll)
{
	struct gateway_watch *g = (struct gateway_watch *)(void *)w;
	const struct gateway_held *held = (const void *)poll;
	struct store_beat beat = held->beat;

	beat.at = controller_clock();
	beat_note(&g->c->beat, &beat);
}

/* --- holding ------------------------------------------------------------ */

/* The time between two heartbeats of a held poll: an agent is shown as
 * offline after three intervals. 0: it is nobody's. */
static int64_t
gateway_watch_signs(struct controller *c)
{
	const struct store_version *v;
	int64_t ms;

	if (c->hold.beat.id[0] == '\0' ||
	    store_current(c->store, &v) != STORE_DONE)
		return 0;
	ms = 2000 * (int64_t)v->interval;
	return ms > GATEWAY_SIGNS_MS ? ms : GATEWAY_SIGNS_MS;
}

/* The version that all wait for: those who wait for another are answered. */
static void
gateway_watch_tag(struct gateway_watch *g, const char *etag)
{
	if (strcmp(g->etag, etag) == 0)
		return;
	memcpy(g->etag, etag, sizeof(g->etag));
	watch_moved(&g->watch);
}

static void
gateway_watch_gauge(struct gateway_watch *g)
{
	int error = 0;

	if (g->gauge.fd == -1 && !g->uncounted)
		error = held_open(&g->gauge, g->c->settings.state_dir);
	if (error != 0) {
		log_warn("metrics", "held polls are not counted: %s",
		    strerror(error));
		g->uncounted = true;
	}
	held_set(&g->gauge, (long long)g->watch.count);
}

/* Takes the connection from libfcgi, with all that answering wants. False:
 * out of memory, the request is as it was. */
static bool
gateway_watch_keep(struct gateway_watch *g, const struct timespec *since)
{
	const struct timeval patience = { .tv_sec = GATEWAY_SEND_S };
	struct controller_hold *hold = &g->c->hold;
	struct gateway_held *held = calloc(1, sizeof(*held));

	if (held == NULL)
		return false;
	held->fd = -1;
	held->id = (unsigned)g->request.requestId;
	held->since = *since;
	held->beat = hold->beat;
	held->variables = gateway_keep(g->request.envp);
	gateway_watch_tag(g, hold->etag);
	if (held->variables == NULL || !watch_hold(&g->watch, &held->poll,
	    hold->seconds * 1000 + GATEWAY_LATE_MS,
	    gateway_watch_signs(g->c))) {
		gateway_watch_free(held);
		return false;
	}
	held->fd = g->request.ipcFd;
	setsockopt(held->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	g->request.ipcFd = -1;
	FCGX_Free(&g->request, 0);
	gateway_watch_gauge(g);
	if (!loop_timer_runs(&g->look))
		loop_timer_start(g->loop, &g->look, GATEWAY_LOOK_MS);
	return true;
}

static bool
gateway_watch_room(struct gateway_watch *g)
{
	int64_t now = loop_now(g->loop);

	if (g->watch.count < g->room)
		return true;
	if (now >= g->told) {
		log_warn("http", "%zu polls are held, and the limit of open "
		    "files allows no more: others are answered at once",
		    g->watch.count);
		g->told = now + GATEWAY_FULL_MS;
	}
	return false;
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

	/* with other settings they would be asked of another store */
	if (!gateway_settled(g->request.envp, c)) {
		watch_empty(&g->watch);
		held_close(&g->gauge);
	}
	clock_gettime(CLOCK_MONOTONIC, &since);
	c->hold = (struct controller_hold){ .room = gateway_watch_room(g) };
	gateway_answer(&g->table, g->request.envp, &stream);
	if (c->hold.seconds > 0) {
		if (gateway_watch_keep(g, &since))
			return;
		c->hold = (struct controller_hold){ .room = false };
		gateway_answer(&g->table, g->request.envp, &stream);
	}
	/* the whole request was read: closing need not wait until the web
	 * server has closed its side */
	FCGX_Detach(&g->request);
	FCGX_Finish_r(&g->request);
}

/* --- the loop ----------------------------------------------------------- */

/* Whether the version moved. */
static void
gateway_watch_look(struct gateway_watch *g)
{
	const struct store_version *v;

	if (g->watch.count > 0 &&
	    store_current(g->c->store, &v) == STORE_DONE)
		gateway_watch_tag(g, v->etag);
}

static void
gateway_watch_looks(struct loop_timer *t)
{
	struct gateway_watch *g = LOOP_OF(struct gateway_watch, look, t);

	gateway_watch_look(g);
	if (g->watch.count > 0)
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
	gateway_watch_look(g);
	housekeep_turn(g->c);
}

static void
gateway_watch_end(void *arg, int number)
{
	(void)number;
	loop_stop(arg);
}

/*
 * How many may be held. The web server, whose limit of open files this
 * process has inherited, needs two for each, takes a third of them for
 * clients where it is not told otherwise, and takes no new ones when it has
 * less than a tenth left. So a quarter, or what run.sh has reckoned.
 */
static size_t
gateway_watch_room_of(void)
{
	const char *said = getenv("DCM_HELD");
	struct rlimit files = { .rlim_cur = 1024 };
	size_t room = said != NULL ? strtoul(said, NULL, 10) : 0;

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur > GATEWAY_FILES_MAX)
		files.rlim_cur = GATEWAY_FILES_MAX;
	if (room == 0 || room > files.rlim_cur / 2)
		room = files.rlim_cur / 4;
	return room;
}

static bool
gateway_watch_start(struct gateway_watch *g, struct controller *c)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	g->c = c;
	g->gauge.fd = -1;
	g->room = gateway_watch_room_of();
	g->loop = loop_open();
	if (g->loop == NULL || flags == -1 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == -1)
		return false;
	watch_open(&g->watch, g->loop);
	g->watch.answer = gateway_watch_answer;
	g->watch.sign = gateway_watch_sign;
	g->listening.ready = gateway_watch_ready;
	g->look.fire = gateway_watch_looks;
	g->housekeep.fire = gateway_watch_housekeep;
	g->rest.fire = gateway_watch_listen;
	gateway_table(&g->table, c);
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
	watch_empty(&g.watch);
	held_close(&g.gauge);
	FCGX_Free(&g.request, 1);
	loop_close(g.loop);
	return error != 0;
}
