/*
 * Who is held, and whose turn it is. Ten thousand polls may be due at once,
 * because a version has moved or because they came together: so many are
 * answered in a turn of the loop and the rest in the next ones, and between
 * two turns the loop looks at who else wants something. Whatever is done for
 * one poll costs the same however many are held; only the deadlines lie in
 * the loop's heap.
 *
 * It refuses to look at the connections: a web server does not tell that its
 * client has gone, so a dead one is held until its deadline.
 */
#include "watch.h"

static void
watch_turn(struct loop_timer *t)
{
	struct watch *w = LOOP_OF(struct watch, turn, t);
	struct watch_poll *poll;

	for (int i = 0; i < WATCH_TURN &&
	    (poll = TAILQ_FIRST(&w->due)) != NULL; i++) {
		TAILQ_REMOVE(&w->due, poll, entry);
		loop_timer_stop(w->loop, &poll->timer);
		w->count--;
		w->answer(w, poll);
	}
	if (!TAILQ_EMPTY(&w->due))
		loop_timer_start(w->loop, &w->turn, 0);
}

void
watch_open(struct watch *w, struct loop *loop)
{
	w->loop = loop;
	TAILQ_INIT(&w->held);
	TAILQ_INIT(&w->due);
	w->turn = (struct loop_timer){ .fire = watch_turn };
	w->round = 1;
	w->count = 0;
}

static int64_t
watch_next(const struct watch_poll *poll, int64_t now)
{
	int64_t left = poll->deadline - now;

	return poll->sign > 0 && poll->sign < left ? poll->sign : left;
}

static void
watch_fire(struct loop_timer *t)
{
	struct watch_poll *poll = LOOP_OF(struct watch_poll, timer, t);
	struct watch *w = poll->watch;
	int64_t now = loop_now(w->loop);

	if (poll->round != w->round)
		return;		/* it is due already */
	if (now < poll->deadline) {
		w->sign(w, poll);
		/* the place in the heap that it had is free */
		loop_timer_start(w->loop, t, watch_next(poll, now));
		return;
	}
	TAILQ_REMOVE(&w->held, poll, entry);
	TAILQ_INSERT_TAIL(&w->due, poll, entry);
	poll->round = 0;
	if (!loop_timer_runs(&w->turn))
		loop_timer_start(w->loop, &w->turn, 0);
}

bool
watch_hold(struct watch *w, struct watch_poll *poll, int64_t ms, int64_t sign)
{
	int64_t now = loop_now(w->loop);

	poll->timer = (struct loop_timer){ .fire = watch_fire };
	poll->watch = w;
	poll->deadline = now + ms;
	poll->sign = sign;
	poll->round = w->round;
	if (!loop_timer_start(w->loop, &poll->timer, watch_next(poll, now)))
		return false;
	TAILQ_INSERT_TAIL(&w->held, poll, entry);
	w->count++;
	return true;
}

void
watch_moved(struct watch *w)
{
	TAILQ_CONCAT(&w->due, &w->held, entry);
	w->round++;	/* takes all of them off `held` in one step */
	if (!TAILQ_EMPTY(&w->due) && !loop_timer_runs(&w->turn))
		loop_timer_start(w->loop, &w->turn, 0);
}

void
watch_empty(struct watch *w)
{
	watch_moved(w);
	while (!TAILQ_EMPTY(&w->due))
		watch_turn(&w->turn);
	loop_timer_stop(w->loop, &w->turn);
}
