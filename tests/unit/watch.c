/*
 * Held polls: deadlines, signs of life, and a version that moves.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../cgi/watch.c"

enum { MANY = 1000 };

struct held {
	struct watch_poll poll;		/* first */
	int number;
};

static struct watch w;
static struct loop *loop;
static int answered[MANY], answers, signs;
static uint64_t turn_of[MANY];
static bool again;

static void
answer(struct watch *watch, struct watch_poll *poll)
{
	struct held *held = (struct held *)(void *)poll;

	CHECK(watch == &w);
	if (answers < MANY) {
		answered[answers] = held->number;
		turn_of[answers] = loop_turns(loop);
	}
	answers++;
	if (again) {
		/* the connection of one may bring the next poll */
		again = false;
		CHECK(watch_hold(&w, &held->poll, 20, 0));
		return;
	}
	free(held);
}

static void
sign(struct watch *watch, const struct watch_poll *poll)
{
	CHECK(watch == &w && poll != NULL);
	signs++;
}

static void
begin(void)
{
	loop = loop_open();
	CHECK(loop != NULL);
	watch_open(&w, loop);
	w.answer = answer;
	w.sign = sign;
	answers = signs = 0;
	again = false;
}

static void
end(void)
{
	CHECK_INT(w.count, 0);
	loop_close(loop);
}

static void
hold(int number, int64_t ms, int64_t every)
{
	struct held *held = calloc(1, sizeof(*held));

	CHECK(held != NULL);
	held->number = number;
	CHECK(watch_hold(&w, &held->poll, ms, every));
}

UNIT("each is answered at its own deadline, not before")
{
	int64_t since;

	begin();
	since = loop_now(loop);
	hold(3, 60, 0);
	hold(1, 20, 0);
	hold(2, 40, 0);
	CHECK_INT(w.count, 3);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, 3);
	CHECK_INT(answered[0], 1);
	CHECK_INT(answered[1], 2);
	CHECK_INT(answered[2], 3);
	CHECK(loop_now(loop) - since >= 60);
	end();
}

UNIT("when the version moves, all are answered, the oldest first")
{
	begin();
	for (int i = 0; i < MANY; i++)
		hold(i, 60000, 0);
	watch_moved(&w);
	CHECK_INT(answers, 0);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(answered[i], i);
	end();
}

static int between;

static void
other(struct loop_timer *t)
{
	if (answers < MANY) {
		between++;
		loop_timer_start(loop, t, 0);
	}
}

UNIT("few of them in one turn, so that others have theirs")
{
	struct loop_timer t = { .fire = other };
	uint64_t turn = 0;
	int in_turn = 0;

	begin();
	between = 0;
	for (int i = 0; i < MANY; i++)
		hold(i, i % 2 == 0 ? 60000 : 5, 0);
	loop_timer_start(loop, &t, 0);
	watch_moved(&w);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, MANY);
	for (int i = 0; i < MANY; i++) {
		in_turn = turn_of[i] == turn ? in_turn + 1 : 1;
		turn = turn_of[i];
		CHECK(in_turn <= WATCH_TURN);
	}
	CHECK(between >= MANY / WATCH_TURN - 1);
	end();
}

UNIT("many deadlines at once are spread as well")
{
	uint64_t turn = 0;
	int in_turn = 0;

	begin();
	for (int i = 0; i < MANY; i++)
		hold(i, 10, 0);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, MANY);
	for (int i = 0; i < MANY; i++) {
		in_turn = turn_of[i] == turn ? in_turn + 1 : 1;
		turn = turn_of[i];
		CHECK(in_turn <= WATCH_TURN);
	}
	end();
}

UNIT("who comes after the version moved waits for the next one")
{
	begin();
	hold(1, 60000, 0);
	watch_moved(&w);
	hold(2, 60000, 0);
	watch_turn(&w.turn);
	CHECK_INT(answers, 1);
	CHECK_INT(answered[0], 1);
	CHECK_INT(w.count, 1);
	watch_moved(&w);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answered[1], 2);
	end();
}

UNIT("an answer may hold its poll again")
{
	begin();
	again = true;
	hold(1, 60000, 0);
	watch_moved(&w);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, 2);
	end();
}

UNIT("signs of life come until the deadline, and none after it")
{
	begin();
	hold(1, 500, 20);
	hold(2, 500, 0);
	hold(3, 500, 600);
	CHECK_INT(loop_run(loop), 0);
	CHECK_INT(answers, 3);
	CHECK(signs >= 1 && signs <= 24);
	end();
}

UNIT("at the end all are answered, whatever they wait for")
{
	begin();
	for (int i = 0; i < 100; i++)
		hold(i, i % 3 == 0 ? 1 : 60000, i % 2 == 0 ? 10 : 0);
	watch_moved(&w);
	for (int i = 100; i < 200; i++)
		hold(i, 60000, 0);
	watch_empty(&w);
	CHECK_INT(answers, 200);
	CHECK_INT(w.count, 0);
	watch_empty(&w);
	CHECK_INT(loop_run(loop), 0);	/* no timer is left */
	CHECK_INT(answers, 200);
	end();
}

UNIT_MAIN
