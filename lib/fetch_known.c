/*
 * What libcurl asks the system for and the loop knows already.
 *
 * poll(2), of one socket and without waiting: whether a kept connection still
 * is silent, just before a request is sent on it, and whether the answer is
 * there, just after. The loop's own poll(2) has told that of all sockets as
 * the turn began, and will tell in the next turn what came since: of one that
 * was silent then, the kernel is not asked again. Everything else is.
 *
 * The time: libcurl reads it thirty times a request. Here as in all of the
 * program it stands still while something is done, but not for ever: whoever
 * wants to go on at once, as a body does that comes as fast as it is taken,
 * has his turn again and again until libcurl sees that it is later. Only then
 * are the others of the loop let have theirs.
 *
 * What a program defines goes before what libc does (ld.so(8)), for libcurl
 * as well: so these have the names of libc's. Where they do not come to be
 * asked, a request costs more, and nothing is lost.
 */
#include <dlfcn.h>
#include <poll.h>
#include <time.h>

#include "fetch_inner.h"

enum { FETCH_KNOWN_READS = 8 };	/* the time is the same for so many */

/* Whose libcurl is at work in this thread, or NULL. */
static _Thread_local struct fetch_hub *fetch_known_hub;

/* Names of their own here, for the headers may have libc's as inline ones. */
int fetch_known_poll(struct pollfd *, nfds_t, int ms) __asm__("poll");
int fetch_known_time(clockid_t, struct timespec *) __asm__("clock_gettime");

int
fetch_known_poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec most = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L };

	if (fetch_known_hub != NULL && count == 1 && ms == 0 &&
	    (fds->events & POLLOUT) == 0 &&
	    fetch_socket_quiet(fetch_known_hub, fds->fd)) {
		fds->revents = 0;
		return 0;
	}
	return ppoll(fds, count, ms < 0 ? NULL : &most, NULL);
}

static int
fetch_known_clock(clockid_t clock, struct timespec *now)
{
	static _Atomic(void *) libc;

	if (libc == NULL)
		libc = dlsym(RTLD_NEXT, "clock_gettime");
	return ((int (*)(clockid_t, struct timespec *))libc)(clock, now);
}

int
fetch_known_time(clockid_t clock, struct timespec *now)
{
	struct fetch_hub *hub = clock == CLOCK_MONOTONIC ? fetch_known_hub :
	    NULL;

	if (hub == NULL)
		return fetch_known_clock(clock, now);
	if (++hub->reads % FETCH_KNOWN_READS == 0)
		fetch_known_clock(clock, &hub->now);
	*now = hub->now;
	return 0;
}

void
fetch_known_begin(struct fetch_hub *hub)
{
	fetch_known_clock(CLOCK_MONOTONIC, &hub->now);
	hub->reads = 0;
	fetch_known_hub = hub;
}

void
fetch_known_end(void)
{
	fetch_known_hub = NULL;
}
