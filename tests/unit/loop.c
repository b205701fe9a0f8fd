#include "unit.h"

#include "../../lib/loop.c"

struct seen {
	struct loop *loop;
	struct loop_watch a, b;
	struct loop_timer timers[200];
	int fd[2];
	char trace[64];
	int fired, last;
	size_t expect;
};

static struct seen s;

static void
seen_open(void)
{
	memset(&s, 0, sizeof(s));
	s.loop = loop_open();
	CHECK(s.loop != NULL);
	CHECK(pipe(s.fd) == 0);
}

static void
seen_close(void)
{
	loop_close(s.loop);
	close(s.fd[0]);
	close(s.fd[1]);
}

static void
seen_mark(char c)
{
	size_t n = strlen(s.trace);

	if (n + 1 < sizeof(s.trace))
		s.trace[n] = c;
}

static void
seen_a(struct loop_watch *w, short revents)
{
	seen_mark(revents & POLLIN ? 'a' : 'h');
	loop_watch_stop(s.loop, &s.b);
	loop_watch_stop(s.loop, w);
}

static void
seen_b(struct loop_watch *w, short revents)
{
	(void)revents;
	seen_mark('b');
	loop_watch_stop(s.loop, w);
}

UNIT("a watch is called when its descriptor is ready, and not once stopped")
{
	seen_open();
	s.a.ready = seen_a;
	s.b.ready = seen_b;
	CHECK(write(s.fd[1], "x", 1) == 1);
	CHECK(loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN));
	CHECK(loop_watch_start(s.loop, &s.b, s.fd[0], POLLIN));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "a");
	CHECK_INT(loop_turns(s.loop), 1);
	seen_close();
}

UNIT("a watch without events learns of the hang-up only")
{
	seen_open();
	s.a.ready = seen_a;
	close(s.fd[1]);
	CHECK(loop_watch_start(s.loop, &s.a, s.fd[0], 0));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "h");
	s.fd[1] = dup(s.fd[0]);
	seen_close();
}

static void
seen_quiet(struct loop_watch *w, short revents)
{
	(void)w, (void)revents;
	seen_mark('q');
	CHECK(loop_watch_start(s.loop, &s.b, s.fd[0], 0));
	loop_watch_stop(s.loop, &s.a);
	close(s.fd[1]);
	s.fd[1] = dup(s.fd[0]);
}

UNIT("events changed by a callback count at once in the same sweep")
{
	seen_open();
	s.a.ready = seen_quiet;
	s.b.ready = seen_b;
	CHECK(write(s.fd[1], "x", 1) == 1);
	CHECK(loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN));
	CHECK(loop_watch_start(s.loop, &s.b, s.fd[0], POLLIN));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "qb");
	CHECK_INT(loop_turns(s.loop), 2);
	seen_close();
}

static void
seen_new(struct loop_watch *w, short revents)
{
	(void)revents;
	seen_mark('n');
	loop_watch_stop(s.loop, w);
	/* the same memory and descriptor again, as accept(2) would do */
	if (s.fired++ < 3)
		CHECK(loop_watch_start(s.loop, w, s.fd[0], POLLIN));
}

UNIT("what a callback starts waits for the next turn")
{
	seen_open();
	s.a.ready = seen_new;
	CHECK(write(s.fd[1], "x", 1) == 1);
	CHECK(loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "nnnn");
	CHECK_INT(loop_turns(s.loop), 4);
	seen_close();
}

static void
seen_fire(struct loop_timer *t)
{
	int i = (int)(t - s.timers);

	CHECK(!loop_timer_runs(t));
	CHECK(t->due >= s.timers[s.last].due);
	CHECK(t->due <= loop_now(s.loop));
	s.last = i;
	s.fired++;
}

UNIT("timers fire once, in the order they are due, less those stopped")
{
	unsigned chance = 7;

	seen_open();
	for (int i = 0; i < 200; i++) {
		chance = chance * 1103515245 + 12345;
		s.timers[i].fire = seen_fire;
		CHECK(loop_timer_start(s.loop, &s.timers[i],
		    (chance >> 16) % 40));
	}
	for (int i = 0; i < 200; i += 3)
		loop_timer_stop(s.loop, &s.timers[i]);
	for (int i = 1; i < 200; i += 10) {
		loop_timer_start(s.loop, &s.timers[i], 30);
		CHECK(loop_timer_runs(&s.timers[i]));
	}
	loop_timer_stop(s.loop, &s.timers[0]);
	s.expect = s.loop->timers;
	s.last = 2;
	for (int i = 0; i < 200; i++)
		if (loop_timer_runs(&s.timers[i]) &&
		    s.timers[i].due < s.timers[s.last].due)
			s.last = i;
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_INT(s.fired, s.expect);
	seen_close();
}

static void
seen_again(struct loop_timer *t)
{
	seen_mark((char)('0' + (t - s.timers)));
	if (++s.fired < 6)
		loop_timer_start(s.loop, t, 0);
}

UNIT("timers of 0 ms take turns and never keep the loop in one turn")
{
	seen_open();
	for (int i = 0; i < 3; i++) {
		s.timers[i].fire = seen_again;
		CHECK(loop_timer_start(s.loop, &s.timers[i], 0));
	}
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "01201201");
	CHECK_INT(loop_turns(s.loop), 3);
	seen_close();
}

static void
seen_stop(struct loop_timer *t)
{
	(void)t;
	loop_stop(s.loop);
}

UNIT("waiting for one timer takes one turn")
{
	seen_open();
	s.a.ready = seen_a;
	s.timers[0].fire = seen_stop;
	CHECK(loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN));
	CHECK(loop_timer_start(s.loop, &s.timers[0], 30));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "");
	CHECK_INT(loop_turns(s.loop), 1);
	seen_close();
}

static void
seen_caught(void *arg, int number)
{
	CHECK(arg == &s);
	seen_mark(number == SIGUSR1 ? '1' : '2');
	if (++s.fired == 2)
		loop_timer_stop(s.loop, &s.timers[0]);
}

static void
seen_raise(struct loop_timer *t)
{
	seen_mark('t');
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	loop_timer_start(s.loop, t, 60000);
}

UNIT("signals arrive in the loop, and alone do not keep it running")
{
	sigset_t mask;

	seen_open();
	CHECK(loop_signal(s.loop, SIGUSR1, seen_caught, &s));
	CHECK(loop_signal(s.loop, SIGUSR2, seen_caught, &s));
	CHECK(!loop_signal(s.loop, NSIG, seen_caught, &s));
	s.timers[0].fire = seen_raise;
	CHECK(loop_timer_start(s.loop, &s.timers[0], 0));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_TEXT(s.trace, "t12");
	loop_child(s.loop);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK_INT(sigismember(&mask, SIGUSR1), 0);
	seen_close();
}

static bool
seen_nothing(const struct loop_watch *w)
{
	CHECK(!loop_watch_quiet(s.loop, w, POLLOUT));	/* nobody asked */
	return loop_watch_quiet(s.loop, w, POLLIN);
}

static void
seen_silent(struct loop_timer *t)
{
	int turn = ++s.fired;

	CHECK(seen_nothing(&s.a) == (turn == 2 || turn == 3));
	CHECK(!seen_nothing(&s.b));
	if (turn == 1)
		loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN);
	if (turn == 2)	/* said twice, it is no other */
		loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN);
	if (turn == 3)	/* which poll(2) will tell in the next one */
		CHECK_INT(write(s.fd[1], "x", 1), 1);
	CHECK(seen_nothing(&s.a) == (turn == 2 || turn == 3));
	if (turn == 2) {
		loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN | POLLOUT);
		CHECK(!seen_nothing(&s.a));
		loop_watch_start(s.loop, &s.a, s.fd[0], POLLIN);
		CHECK(!seen_nothing(&s.a));
	}
	if (turn < 4)
		loop_timer_start(s.loop, t, 0);
}

UNIT("quiet is what poll(2) has asked about, and found nothing, this turn")
{
	seen_open();
	s.a.ready = seen_a;
	s.timers[0].fire = seen_silent;
	CHECK(loop_timer_start(s.loop, &s.timers[0], 0));
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_INT(s.fired, 4);
	CHECK_TEXT(s.trace, "a");
	CHECK(!seen_nothing(&s.a));
	seen_close();
}

UNIT("loop_stop before loop_run ends the run at once")
{
	seen_open();
	s.timers[0].fire = seen_fire;
	CHECK(loop_timer_start(s.loop, &s.timers[0], 60000));
	loop_stop(s.loop);
	CHECK_INT(loop_run(s.loop), 0);
	CHECK_INT(loop_turns(s.loop), 0);
	loop_close(s.loop);
	CHECK(!loop_timer_runs(&s.timers[0]));
	s.loop = NULL;
	seen_close();
}

UNIT_MAIN
