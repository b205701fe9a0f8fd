/*
 * What libcurl asks of the kernel about its sockets, and what it need not.
 */
#include <poll.h>
#include <signal.h>

static int poll_counted(struct pollfd *, nfds_t, const struct timespec *,
    const sigset_t *);
#define ppoll poll_counted
#include "../../lib/fetch_poll.c"
#undef ppoll

#include "fetch_trial.h"

static int polls_of_one;	/* that did not wait */

static int
poll_counted(struct pollfd *fds, nfds_t count, const struct timespec *most,
    const sigset_t *mask)
{
	polls_of_one += fetch_poll_hub != NULL && count == 1;
	return ppoll(fds, count, most, mask);
}

static void
poll_get(struct trial *t, const char *path)
{
	struct fetch_request r = { .url = trial_url(t, path) };

	polls_of_one = t->ends = 0;
	trial_run(t, &r);
	CHECK_INT(t->result.end, FETCH_DONE);
	CHECK_INT(t->result.status, 404);
}

UNIT("a request on a connection that was silent asks the kernel for nothing")
{
	struct trial t;

	trial_open(&t);
	poll_get(&t, "/missing");
	CHECK(polls_of_one > 0);
	for (int i = 0; i < 3; i++) {
		poll_get(&t, "/missing");
		CHECK_INT(polls_of_one, 0);
	}
	trial_close(&t);
}

UNIT("of a kept connection that is silent no more the kernel is asked")
{
	struct trial t;
	size_t fd = 0;

	trial_open(&t);
	poll_get(&t, "/missing");
	while (fd < t.hub->sockets_cap && t.hub->sockets[fd] == NULL)
		fd++;
	/* as if the server had closed it, seen in the turn that begins */
	CHECK(shutdown((int)fd, SHUT_RD) == 0);
	poll_get(&t, "/missing");
	CHECK(polls_of_one > 0);
	trial_close(&t);
}

UNIT("below libcurl or not, what is not known is asked of the kernel")
{
	struct trial t;
	struct pollfd one;
	int fd[2];

	trial_open(&t);
	CHECK(pipe(fd) == 0);
	CHECK_INT(write(fd[1], "x", 1), 1);
	for (int below = 0; below < 2; below++) {
		fetch_poll_hub = below ? t.hub : NULL;
		one = (struct pollfd){ .fd = fd[0], .events = POLLIN };
		CHECK_INT(fetch_poll(&one, 1, 0), 1);
		CHECK_INT(one.revents, POLLIN);
		CHECK_INT(poll(&one, 1, -1), 1);
		CHECK_INT(poll(&one, 1, 1500), 1);
		CHECK_INT(poll(NULL, 0, 1), 0);
		one = (struct pollfd){ .fd = fd[1], .events = POLLOUT };
		CHECK_INT(poll(&one, 1, 0), 1);
		one.fd = -1;
		CHECK_INT(poll(&one, 1, 0), 0);
	}
	fetch_poll_hub = NULL;
	close(fd[0]);
	close(fd[1]);
	trial_close(&t);
}

UNIT_MAIN
