/*
 * The loop: an array for poll(2), a heap of timers, one signalfd(2).
 *
 * One turn is: wait, read the clock, call the watches that are ready, fire
 * the timers that are due. What a callback starts is looked at in the next
 * turn, so that nobody can keep the others from their turn. There is no tick:
 * with nothing to wait for, the process sleeps. Threads are refused; so is
 * closing a descriptor whose watch still runs.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"

enum { LOOP_FIRST = 16 };

struct loop_caught {
	void (*call)(void *arg, int number);
	void *arg;
};

struct loop {
	struct pollfd *fds;		/* fd -1: an empty slot */
	struct loop_watch **watches;	/* beside fds */
	size_t count, cap;
	size_t empty;			/* of count */
	struct loop_timer **heap;	/* [0] is due first */
	size_t timers, timers_cap;
	uint64_t order;
	int64_t now;
	uint64_t turns;
	bool stop;
	bool swept;			/* poll(2) has filled in revents */
	int signals;			/* signalfd, -1 until needed */
	struct loop_watch signal_watch;
	sigset_t caught;
	sigset_t added;			/* to the mask, by us */
	struct loop_caught handlers[NSIG];
};

struct loop *
loop_open(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->signals = -1;
	sigemptyset(&l->caught);
	sigemptyset(&l->added);
	l->now = clock_steady();
	return l;
}

void
loop_close(struct loop *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->watches[i] != NULL)
			l->watches[i]->slot = 0;
	for (size_t i = 0; i < l->timers; i++)
		l->heap[i]->slot = 0;
	if (l->signals != -1)
		close(l->signals);
	free(l->fds);
	free(l->watches);
	free(l->heap);
	free(l);
}

int64_t
loop_now(const struct loop *l)
{
	return l->now;
}

uint64_t
loop_turns(const struct loop *l)
{
	return l->turns;
}

/* --- watches ------------------------------------------------------------ */

static bool
loop_grow(struct loop *l)
{
	size_t cap = l->cap > 0 ? l->cap * 2 : LOOP_FIRST;
	struct loop_watch **watches;
	struct pollfd *fds;

	if (l->count < l->cap)
		return true;
	fds = reallocarray(l->fds, cap, sizeof(*fds));
	if (fds == NULL)
		return false;
	l->fds = fds;
	watches = reallocarray(l->watches, cap, sizeof(*watches));
	if (watches == NULL)
		return false;
	l->watches = watches;
	l->cap = cap;
	return true;
}

bool
loop_watch_start(struct loop *l, struct loop_watch *w, int fd, short events)
{
	if (w->slot != 0 && w->fd == fd) {
		if (l->fds[w->slot - 1].events != events)
			w->since = l->turns;
		l->fds[w->slot - 1].events = events;
		return true;
	}
	loop_watch_stop(l, w);
	if (!loop_grow(l))
		return false;
	/* always at the end: an empty slot may lie before the sweep, and
	 * would be called with what was found out about another */
	l->fds[l->count] = (struct pollfd){ .fd = fd, .events = events };
	l->watches[l->count] = w;
	w->fd = fd;
	w->slot = ++l->count;
	w->since = l->turns;
	return true;
}

void
loop_watch_stop(struct loop *l, struct loop_watch *w)
{
	if (w->slot == 0)
		return;
	l->fds[w->slot - 1] = (struct pollfd){ .fd = -1 };
	l->watches[w->slot - 1] = NULL;
	l->empty++;
	w->slot = 0;
}

bool
loop_watch_quiet(const struct loop *l, const struct loop_watch *w,
    short events)
{
	return w->slot != 0 && w->since != l->turns && l->swept &&
	    (l->fds[w->slot - 1].events & events) == events &&
	    l->fds[w->slot - 1].revents == 0;
}

/* Only between sweeps. */
static void
loop_pack(struct loop *l)
{
	size_t to = 0;

	if (l->empty == 0)
		return;
	for (size_t i = 0; i < l->count; i++) {
		if (l->watches[i] == NULL)
			continue;
		l->fds[to] = l->fds[i];
		l->watches[to] = l->watches[i];
		l->watches[to]->slot = to + 1;
		to++;
	}
	l->count = to;
	l->empty = 0;
}

static void
loop_sweep(struct loop *l, int ready)
{
	size_t count = l->count;

	for (size_t i = 0; i < count && ready > 0; i++) {
		short found = l->fds[i].revents;

		if (found == 0)
			continue;
		ready--;
		/* an earlier callback may have changed its mind */
		found = (short)(found & (l->fds[i].events | POLLERR |
		    POLLHUP | POLLNVAL));
		if (found != 0)
			l->watches[i]->ready(l->watches[i], found);
	}
}

/* --- timers ------------------------------------------------------------- */

static bool
loop_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
loop_place(struct loop *l, size_t i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->slot = i + 1;
}

static void
loop_rise(struct loop *l, size_t i, struct loop_timer *t)
{
	while (i > 0 && loop_before(t, l->heap[(i - 1) / 2])) {
		loop_place(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	loop_place(l, i, t);
}

static void
loop_sink(struct loop *l, size_t i, struct loop_timer *t)
{
	size_t child;

	while ((child = 2 * i + 1) < l->timers) {
		if (child + 1 < l->timers &&
		    loop_before(l->heap[child + 1], l->heap[child]))
			child++;
		if (!loop_before(l->heap[child], t))
			break;
		loop_place(l, i, l->heap[child]);
		i = child;
	}
	loop_place(l, i, t);
}

bool
loop_timer_start(struct loop *l, struct loop_timer *t, int64_t ms)
{
	struct loop_timer **heap;
	size_t cap;

	loop_timer_stop(l, t);
	if (l->timers == l->timers_cap) {
		cap = l->timers_cap > 0 ? l->timers_cap * 2 : LOOP_FIRST;
		heap = reallocarray(l->heap, cap, sizeof(struct loop_timer *));
		if (heap == NULL)
			return false;
		l->heap = heap;
		l->timers_cap = cap;
	}
	t->due = ms > INT64_MAX - l->now ? INT64_MAX : l->now + ms;
	t->order = ++l->order;
	l->timers++;
	loop_rise(l, l->timers - 1, t);
	return true;
}

void
loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	struct loop_timer *last;
	size_t i;

	if (t->slot == 0)
		return;
	i = t->slot - 1;
	t->slot = 0;
	last = l->heap[--l->timers];
	if (last == t)
		return;
	if (i > 0 && loop_before(last, l->heap[(i - 1) / 2]))
		loop_rise(l, i, last);
	else
		loop_sink(l, i, last);
}

bool
loop_timer_runs(const struct loop_timer *t)
{
	return t->slot != 0;
}

static void
loop_fire(struct loop *l)
{
	uint64_t order = l->order;

	while (l->timers > 0 && l->heap[0]->due <= l->now &&
	    l->heap[0]->order <= order) {
		struct loop_timer *t = l->heap[0];

		loop_timer_stop(l, t);
		t->fire(t);
	}
}

/* --- signals ------------------------------------------------------------ */

static void
loop_signal_ready(struct loop_watch *w, short revents)
{
	struct loop *l = LOOP_OF(struct loop, signal_watch, w);
	struct signalfd_siginfo info;

	(void)revents;
	while (read(l->signals, &info, sizeof(info)) == sizeof(info)) {
		const struct loop_caught *h = &l->handlers[info.ssi_signo];

		if (h->call != NULL)
			h->call(h->arg, (int)info.ssi_signo);
	}
}

bool
loop_signal(struct loop *l, int number,
    void (*caught)(void *arg, int number), void *arg)
{
	sigset_t one, before;
	int fd;

	if (number <= 0 || number >= NSIG)
		return false;
	sigaddset(&l->caught, number);
	fd = signalfd(l->signals, &l->caught, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return false;
	l->signals = fd;
	l->signal_watch.ready = loop_signal_ready;
	if (!loop_watch_start(l, &l->signal_watch, fd, POLLIN))
		return false;
	l->handlers[number] = (struct loop_caught){ caught, arg };
	sigemptyset(&one);
	sigaddset(&one, number);
	if (sigprocmask(SIG_BLOCK, &one, &before) == -1)
		return false;
	if (sigismember(&before, number) == 0)
		sigaddset(&l->added, number);
	return true;
}

void
loop_child(const struct loop *l)
{
	sigprocmask(SIG_UNBLOCK, &l->added, NULL);
}

/* --- turns -------------------------------------------------------------- */

static bool
loop_waits(const struct loop *l)
{
	size_t running = l->count - l->empty;

	return l->timers > 0 || running > (l->signal_watch.slot != 0);
}

static int
loop_patience(const struct loop *l)
{
	int64_t left;

	if (l->timers == 0)
		return -1;
	left = l->heap[0]->due - l->now;
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int
loop_run(struct loop *l)
{
	int ready, error = 0;

	while (!l->stop && loop_waits(l)) {
		loop_pack(l);
		l->now = clock_steady();
		ready = poll(l->fds, (nfds_t)l->count, loop_patience(l));
		if (ready == -1 && errno != EINTR) {
			error = errno;
			break;
		}
		l->turns++;
		l->swept = ready != -1;
		l->now = clock_steady();
		if (ready > 0)
			loop_sweep(l, ready);
		loop_fire(l);
	}
	l->stop = false;
	return error;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}
