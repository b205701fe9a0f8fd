#include "unit.h"

#include "../../worker/queue.c"

#include "queue_stage.h"

/* Many calls in one turn of the loop, with each engine. */
enum { MANY = 300 };

static struct queue_call calls[MANY];
static struct queue_settled settled[MANY];
static int answers;

static void
on_one(struct queue_call *call)
{
	(void)call;
	answers++;
}

static struct queue_call *
nth(int n)
{
	calls[n].done = on_one;
	return &calls[n];
}

static void
push_nth(int n, struct queue_text *text)
{
	struct queue_task task = { .created_at = 1, .config = text };

	snprintf(task.id, sizeof(task.id),
	    "00000000-0000-4000-8000-%012d", n);
	queue_push(queue, &task, nth(n));
}

static void
crowd(void)
{
	struct queue_text *texts[2] = { queue_text_new("{\"a\":1}", 7),
		queue_text_new("{\"b\":1}", 7) };

	answers = 0;
	for (int i = 0; i < MANY; i++)
		push_nth(i, texts[i / 3 % 2]);
	CHECK_INT(answers, 0);
	UNTIL(answers == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(calls[i].end, i < 20 ? QUEUE_DONE : QUEUE_FULL);
	queue_take(queue, 64);
	UNTIL(given == 20);
	for (int i = 0; i < 20; i++) {
		CHECK_INT(atoi(taken[i].id + 24), i);
		CHECK_INT(taken[i].attempts, 1);
		CHECK_TEXT(configs[i], texts[i / 3 % 2]->text);
	}
	queue_text_drop(texts[0]);
	queue_text_drop(texts[1]);
}

UNIT("pushes of one turn have an answer each: those that fit, in their order")
{
	EACH(crowd)
}

static void
crowd_full(void)
{
	struct queue_text *text = queue_text_new("{}", 2);

	queue_close(queue);
	setup.max = MANY;
	open_again();
	answers = 0;
	for (int i = 0; i < MANY; i++)
		push_nth(i, text);
	UNTIL(answers == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(calls[i].end, QUEUE_DONE);
	queue_take(queue, MANY);
	UNTIL(given == MANY);
	queue_text_drop(text);
}

enum { EVER = 20000 };

static struct queue_call chain[2];
static struct queue_text *ever;
static int pushed;

/* Each answer is a push more. */
static void
on_ever(struct queue_call *done)
{
	struct queue_task task = { .created_at = clock_wall(),
		.config = ever };

	if (given == 5 || pushed == EVER)
		return;
	snprintf(task.id, sizeof(task.id),
	    "00000000-0000-4000-8000-%012d", ++pushed);
	queue_push(queue, &task, done);
}

static void
crowd_fed(void)
{
	queue_close(queue);
	setup.max = EVER;
	open_again();
	ever = queue_text_new("{}", 2);
	pushed = 0;
	queue_take(queue, 5);
	for (int i = 0; i < 2; i++) {
		chain[i].done = on_ever;
		on_ever(&chain[i]);
	}
	UNTIL(given == 5);
	CHECK(pushed < EVER);
	turn(100);
	queue_text_drop(ever);
}

UNIT("tasks are given out while others are pushed all the time")
{
	EACH(crowd_fed)
}

static void
crowd_settled(void)
{
	char json[16];

	crowd_full();
	queue_remove(queue, "00000000-0000-4000-8000-000000000007", call());
	CHECK_INT(finish(), QUEUE_DONE);
	answers = 0;
	for (int i = 0; i < MANY; i++) {
		settled[i] = (struct queue_settled){ .state = i % 2 ?
		    QUEUE_FAILED : QUEUE_COMPLETED, .result = i % 3 ? "{}" :
		    "[]", .error = i % 2 ? "no luck" : NULL };
		snprintf(settled[i].id, TOKEN_UUID,
		    "00000000-0000-4000-8000-%012d", i == 9 ? 8 : i);
		queue_settle(queue, &settled[i], nth(i));
	}
	UNTIL(answers == MANY);
	for (int i = 0; i < MANY; i++) {
		CHECK_INT(calls[i].end, i == 7 || i == 9 ? QUEUE_ABSENT :
		    QUEUE_DONE);
		if (i == 7 || i == 9 || (i > 12 && i % 11 > 0))
			continue;
		snprintf(json, sizeof(json), "%s", i % 3 ? "{}" : "[]");
		queue_read(queue, settled[i].id, call());
		CHECK_INT(finish(), QUEUE_DONE);
		CHECK_INT(record.state, settled[i].state);
		CHECK_INT(record.attempts, 1);
		CHECK_INT(record.created_at, 1);
		CHECK(record.ended_at > 1);
		CHECK_TEXT(result, json);
		CHECK_TEXT(error, i % 2 ? "no luck" : "");
	}
}

UNIT("what is settled in one turn has an answer and a result each")
{
	EACH(crowd_settled)
}

static void
crowd_closed(void)
{
	crowd_full();
	answers = 0;
	for (int i = 0; i < MANY; i++) {
		settled[i] = (struct queue_settled){ .result = "{}",
			.state = QUEUE_COMPLETED };
		snprintf(settled[i].id, TOKEN_UUID,
		    "00000000-0000-4000-8000-%012d", i);
		queue_settle(queue, &settled[i], nth(i));
	}
	queue_close(queue);
	CHECK_INT(answers, MANY);
	open_again();
	if (url[0] != 'm') {
		queue_read(queue, settled[MANY - 1].id, call());
		CHECK_INT(finish(), QUEUE_DONE);
		CHECK_INT(record.state, QUEUE_COMPLETED);
	}
}

UNIT("what was settled right before the end is settled")
{
	EACH(crowd_closed)
}

UNIT_MAIN

#ifdef WITH_REDIS

UNIT("what came again and was not begun is given out once more")
{
	open_fresh("redis");
	refused = 1;
	push(1, "{}");
	CHECK_INT(finish(), QUEUE_DONE);
	queue_take(queue, 1);
	UNTIL(given == 1);
	queue_take(queue, 1);
	UNTIL(given == 2);
	CHECK_TEXT(taken[1].id, taken[0].id);
	settle(taken[1].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
	close_all();
}

UNIT("a failure that is told twice is counted once, and stops nothing")
{
	open_fresh("redis");
	push(1, "{}");
	CHECK_INT(finish(), QUEUE_DONE);
	queue_take(queue, 1);
	UNTIL(given == 1);
	settle(taken[0].id, QUEUE_PENDING, "no", NULL, 3600000);
	CHECK_INT(finish(), QUEUE_DONE);
	settle(taken[0].id, QUEUE_PENDING, "no", NULL, 1);
	CHECK_INT(finish(), QUEUE_ABSENT);
	queue_read(queue, taken[0].id, call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(record.state, QUEUE_PENDING);
	CHECK_INT(record.attempts, 1);
	turn(1500);
	CHECK_INT(given, 1);
	close_all();
}

#endif
