/*
 * What libcurl asks of the kernel about its sockets, and what it need not.
 */
#include <poll.h>
#include <signal.h>

static int known_counted(struct pollfd *, nfds_t, const struct timespec *,
    const sigset_t *);
#define ppoll known_counted
#include "../../lib/fetch_known.c"
#undef ppoll

#include "fetch_trial.h"

static int known_polls;	/* below libcurl, of one socket */

static int
known_counted(struct pollfd *fds, nfds_t count, const struct timespec *most,
    const sigset_t *mask)
{
	known_polls += fetch_known_hub != NULL && count == 1;
	return ppoll(fds, count, most, mask);
}

static void
known_get(struct trial *t, const char *path)
{
	struct fetch_request r = { .url = trial_url(t, path) };

	known_polls = t->ends = 0;
	trial_run(t, &r);
	CHECK_INT(t->result.end, FETCH_DONE);
	CHECK_INT(t->result.status, 404);
}

UNIT("a request on a connection that was silent asks the kernel for nothing")
{
	struct trial t;

	trial_open(&t);
	known_get(&t, "/missing");
	CHECK(known_polls > 0);
	for (int i = 0; i < 3; i++) {
		known_get(&t, "/missing");
		CHECK_INT(known_polls, 0);
	}
	trial_close(&t);
}

/* The socket of the only connection there is. */
static int
known_kept(const struct trial *t)
{
	size_t fd = 0;

	while (fd < t->hub->sockets_cap && t->hub->sockets[fd] == NULL)
		fd++;
	return (int)fd;
}

UNIT("of a kept connection that is silent no more the kernel is asked")
{
	struct trial t;

	trial_open(&t);
	known_get(&t, "/missing");
	/* as if the server had closed it, seen in the turn that begins */
	CHECK(shutdown(known_kept(&t), SHUT_RD) == 0);
	known_get(&t, "/missing");
	CHECK(known_polls > 0);
	trial_close(&t);
}

struct known_end {
	struct loop_timer timer;
	int fd;
};

static void
known_shut(struct loop_timer *timer)
{
	CHECK(shutdown(LOOP_OF(struct known_end, timer, timer)->fd,
	    SHUT_RD) == 0);
}

UNIT("of one that ends in the very turn, it is found out by sending")
{
	struct known_end end = { .timer.fire = known_shut };
	struct trial t;

	trial_open(&t);
	known_get(&t, "/missing");
	for (int i = 0; i < 2; i++) {	/* the loop has seen it silent */
		known_get(&t, "/missing");
		CHECK_INT(known_polls, 0);
	}
	end.fd = known_kept(&t);
	t.ends = 0;
	/* just before the timer that libcurl is going to ask for */
	loop_timer_start(t.loop, &end.timer, 0);
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/echo"), .body = "once", .body_len = 4 });
	CHECK_INT(t.result.end, FETCH_DONE);
	CHECK_INT(t.result.status, 200);
	CHECK(!loop_timer_runs(&end.timer));
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
		fetch_known_hub = below ? t.hub : NULL;
		one = (struct pollfd){ .fd = fd[0], .events = POLLIN };
		CHECK_INT(fetch_known_poll(&one, 1, 0), 1);
		CHECK_INT(one.revents, POLLIN);
		CHECK_INT(poll(&one, 1, -1), 1);
		CHECK_INT(poll(&one, 1, 1500), 1);
		CHECK_INT(poll(NULL, 0, 1), 0);
		one = (struct pollfd){ .fd = fd[1], .events = POLLOUT };
		CHECK_INT(poll(&one, 1, 0), 1);
		one.fd = -1;
		CHECK_INT(poll(&one, 1, 0), 0);
	}
	fetch_known_hub = NULL;
	close(fd[0]);
	close(fd[1]);
	trial_close(&t);
}

static bool
known_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec :
	    a->tv_nsec > b->tv_nsec;
}

UNIT("time stands still for libcurl while it works, and goes on after it")
{
	struct timespec first, then, boot, real;
	struct trial t;

	/* that it is asked */
	CHECK(dlsym(RTLD_DEFAULT, "clock_gettime") ==
	    (void *)fetch_known_time);
	trial_open(&t);
	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &first), 0);
	fetch_known_begin(t.hub);
	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &then), 0);
	CHECK(!known_later(&first, &then));
	first = then;
	CHECK_INT(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	usleep(2000);
	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &then), 0);
	CHECK(!known_later(&then, &first));
	CHECK_INT(clock_gettime(CLOCK_BOOTTIME, &real), 0);
	CHECK(known_later(&real, &boot));
	fetch_known_end();
	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &then), 0);
	CHECK(known_later(&then, &first));
	CHECK_INT(clock_gettime((clockid_t)-1, &then), -1);
	trial_close(&t);
}

static bool
known_slow(void *arg, const void *piece, size_t len)
{
	struct trial *t = arg;

	(void)piece;
	t->length += (long long)len;
	usleep(100);		/* the next one will be there */
	return true;
}

UNIT("a body that comes as fast as it is taken leaves others their turn")
{
	struct fetch_request r = { .data = known_slow };
	struct trial t;

	trial_open(&t);
	r.url = trial_url(&t, "/big?200000000");
	trial_run(&t, &r);
	CHECK_INT(t.result.end, FETCH_DONE);
	CHECK_INT(t.length, 200000000);
	CHECK(loop_turns(t.loop) > 6);
	trial_close(&t);
}

UNIT_MAIN
