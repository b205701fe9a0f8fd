#ifndef LOOP_H
#define LOOP_H
/*
 * A poll(2) loop: watches, timers, signals. One thread.
 *
 * Watches and timers are embedded in the thing that waits; LOOP_OF finds it
 * again. Starting what runs and stopping what does not are fine. Stopping
 * inside a callback only empties a slot, so that anything may be stopped,
 * and its memory freed, from any callback.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOP_OF(type, member, pointer) \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

struct loop;

struct loop_watch {
	void (*ready)(struct loop_watch *, short revents); /* POLLIN, … */
	int fd;
	size_t slot;		/* the loop's own; 0 while stopped */
	uint64_t since;		/* the turn in which its events were set */
};

struct loop_timer {
	void (*fire)(struct loop_timer *);	/* already stopped */
	int64_t due;		/* ms, monotonic */
	uint64_t order;		/* the loop's own: equal dues fire in turn */
	size_t slot;		/* the loop's own; 0 while stopped */
};

/* NULL with errno. Signals blocked by loop_signal stay blocked after
 * loop_close. */
struct loop *loop_open(void);
void loop_close(struct loop *);

/* Monotonic milliseconds, read once a turn. */
int64_t loop_now(const struct loop *);

/* events: POLLIN | POLLOUT, or 0 to learn of POLLHUP and POLLERR only.
 * Started again with the same fd: events change. Watch is borrowed until it
 * is stopped. False: out of memory. */
bool loop_watch_start(struct loop *, struct loop_watch *, int fd,
    short events);
void loop_watch_stop(struct loop *, struct loop_watch *);
/* Whether poll(2), as it began this turn, asked for the events that are
 * waited for now, these among them, and found nothing. */
bool loop_watch_quiet(const struct loop *, const struct loop_watch *,
    short events);

/* Once, after ms (0 or more; 0: in the next turn). Started again: moves. */
bool loop_timer_start(struct loop *, struct loop_timer *, int64_t ms);
void loop_timer_stop(struct loop *, struct loop_timer *);
bool loop_timer_runs(const struct loop_timer *);

/* Delivers a signal (SIGTERM, SIGHUP, SIGCHLD …) as a callback, in the loop.
 * At most one callback a signal number. */
bool loop_signal(struct loop *, int number,
    void (*caught)(void *arg, int number), void *arg);

/* Undoes in a child, before exec, what loop_signal did to the mask. */
void loop_child(const struct loop *);

/* Until loop_stop, or nothing is left to wait for but signals. 0, or errno
 * when poll(2) itself fails. */
int loop_run(struct loop *);
void loop_stop(struct loop *);

/* How many times poll(2) has returned: to see busy wake-ups. */
uint64_t loop_turns(const struct loop *);

#endif
