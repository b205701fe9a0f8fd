/*
 * What is held. A request that waits is its variables, its connection and
 * its number, about a kilobyte; it is answered by running it again from the
 * start, so that the answer is made from a fresh read, for a credential that
 * is good now.
 *
 * It refuses to look at connections: whether a client has gone is seen when
 * his answer is written.
 */
#include "gateway_hold.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

enum {
	GATEWAY_LATE_MS = 20,		/* added to each deadline, so that a
					 * 304 never comes early by a turn */
	GATEWAY_SIGNS_MS = 2000,	/* at least between two heartbeats */
	GATEWAY_FULL_MS = 60000,	/* between two lines of the log */
	GATEWAY_SEND_S = 10,		/* that a reply may stand still */
	GATEWAY_FILES_MAX = 65536,	/* a limit above is no limit */
	GATEWAY_FILES_OWN = 64,		/* that are no held polls */
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
gateway_hold_read(void *arg, char *into, size_t n)
{
	(void)arg, (void)into, (void)n;
	return 0;
}

static void
gateway_hold_free(struct gateway_held *held)
{
	if (held == NULL)
		return;
	if (held->fd >= 0)
		close(held->fd);
	gateway_forget(held->variables);
	free(held);
}

static void
gateway_hold_answer(struct watch *w, struct watch_poll *poll)
{
	struct gateway_hold *g = (struct gateway_hold *)(void *)w;
	struct gateway_held *held = (struct gateway_held *)(void *)poll;
	struct gateway_record record = { .id = held->id };
	const struct gateway_stream stream = {
		.read = gateway_hold_read,
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
	gateway_hold_free(held);
}

/* The agent is there as long as its poll is held. */
static void
gateway_hold_sign(struct watch *w, const struct watch_poll *poll)
{
	struct gateway_hold *g = (struct gateway_hold *)(void *)w;
	const struct gateway_held *held = (const void *)poll;
	struct store_beat beat = held->beat;

	beat.at = clock_wall();
	beat_note(&g->c->beat, &beat, 0);
}

/* --- holding ------------------------------------------------------------ */

/* The time between two heartbeats of a held poll: an agent is shown as
 * offline after three intervals. 0: it is nobody's. */
static int64_t
gateway_hold_signs(struct controller *c)
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
gateway_hold_tag(struct gateway_hold *g, const char *etag)
{
	if (strcmp(g->etag, etag) == 0)
		return;
	memcpy(g->etag, etag, sizeof(g->etag));
	watch_moved(&g->watch);
}

static void
gateway_hold_gauge(struct gateway_hold *g)
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

bool
gateway_hold_keep(struct gateway_hold *g, int fd, int id,
    char *const *variables, const struct timespec *since)
{
	const struct timeval patience = { .tv_sec = GATEWAY_SEND_S };
	struct controller_hold *hold = &g->c->hold;
	struct gateway_held *held = calloc(1, sizeof(*held));

	if (held == NULL)
		return false;
	held->fd = -1;
	held->id = (unsigned)id;
	held->since = *since;
	held->beat = hold->beat;
	held->variables = gateway_keep(variables);
	gateway_hold_tag(g, hold->etag);
	if (held->variables == NULL || !watch_hold(&g->watch, &held->poll,
	    hold->seconds * 1000 + GATEWAY_LATE_MS,
	    gateway_hold_signs(g->c))) {
		gateway_hold_free(held);
		return false;
	}
	held->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	gateway_hold_gauge(g);
	return true;
}

void
gateway_hold_look(struct gateway_hold *g)
{
	const struct store_version *v;

	/* there is no store while a setting is wrong */
	if (g->watch.count > 0 && g->c->store != NULL &&
	    store_current(g->c->store, &v) == STORE_DONE)
		gateway_hold_tag(g, v->etag);
}

/* --- how many ----------------------------------------------------------- */

/*
 * How many may be held. The web server, whose limit of open files this
 * process has inherited, needs two for each, takes a third of them for
 * clients where it is not told otherwise, and takes no new ones when it has
 * less than a tenth left. So a quarter, or what run.sh has reckoned, or what
 * is said for a web server of several processes; this one needs one for each.
 */
static size_t
gateway_hold_limit(void)
{
	const char *said = getenv("DCM_HELD");
	struct rlimit files = { .rlim_cur = 1024 };
	size_t room = said != NULL ? strtoul(said, NULL, 10) : 0;

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur > GATEWAY_FILES_MAX)
		files.rlim_cur = GATEWAY_FILES_MAX;
	if (room == 0 || room + GATEWAY_FILES_OWN > files.rlim_cur)
		room = files.rlim_cur / 4;
	return room;
}

bool
gateway_hold_room(struct gateway_hold *g, char *const *variables)
{
	int64_t now = loop_now(g->watch.loop);

	if (!gateway_settled(variables, g->c)) {
		watch_empty(&g->watch);
		held_close(&g->gauge);
	}
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

void
gateway_hold_open(struct gateway_hold *g, struct controller *c,
    struct loop *loop)
{
	g->c = c;
	g->gauge.fd = -1;
	g->room = gateway_hold_limit();
	gateway_table(&g->table, c);
	watch_open(&g->watch, loop);
	g->watch.answer = gateway_hold_answer;
	g->watch.sign = gateway_hold_sign;
}

void
gateway_hold_close(struct gateway_hold *g)
{
	watch_empty(&g->watch);
	held_close(&g->gauge);
}
