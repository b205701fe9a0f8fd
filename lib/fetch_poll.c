/*
 * What libcurl asks poll(2) for, about one socket and without waiting: whether
 * a kept connection still is silent, just before a request is sent on it, and
 * whether the answer is there, just after. The loop's own poll(2) has told
 * that of all sockets as the turn began, and will tell in the next turn what
 * came since: of one that was silent then, the kernel is not asked again.
 * Everything else is.
 *
 * What a program defines goes before what libc does (ld.so(8)), for libcurl
 * as well: so this has the name of poll(2). Where it does not come to be
 * asked, a request costs two system calls more, and nothing is lost.
 */
#include <poll.h>
#include <time.h>

#include "fetch_inner.h"

_Thread_local const struct fetch_hub *fetch_poll_hub;

/* The header may have made poll(2) a function that is inline. */
int fetch_poll(struct pollfd *, nfds_t, int ms) __asm__("poll");

int
fetch_poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec most = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L };

	if (fetch_poll_hub != NULL && count == 1 && ms == 0 &&
	    (fds->events & POLLOUT) == 0 &&
	    fetch_socket_quiet(fetch_poll_hub, fds->fd)) {
		fds->revents = 0;
		return 0;
	}
	return ppoll(fds, count, ms < 0 ? NULL : &most, NULL);
}
