#include "unit.h"

#include "../../worker/queue.c"

#include "queue_stage.h"

static void
life(void)
{
	push(1, "{\"a\":1}");
	CHECK(!answered);
	CHECK_INT(finish(), QUEUE_DONE);
	queue_read(queue, "00000000-0000-4000-8000-000000000001", call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(record.state, QUEUE_QUEUED);
	CHECK_INT(record.attempts, 0);
	CHECK_INT(given, 0);
	queue_take(queue, 5);
	UNTIL(given == 1);
	CHECK_TEXT(configs[0], "{\"a\":1}");
	CHECK_INT(taken[0].attempts, 1);
	queue_read(queue, taken[0].id, call());
	finish();
	CHECK_INT(record.state, QUEUE_PENDING);
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{\"x\":\"y\"}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
	queue_read(queue, taken[0].id, call());
	finish();
	CHECK_INT(record.state, QUEUE_COMPLETED);
	CHECK_TEXT(result, "{\"x\":\"y\"}");
	CHECK(record.ended_at >= record.created_at);
	settle(taken[0].id, QUEUE_FAILED, "late", "{}", 0);
	CHECK_INT(finish(), QUEUE_ABSENT);
	queue_remove(queue, taken[0].id, call());
	CHECK_INT(finish(), QUEUE_DONE);
	queue_read(queue, taken[0].id, call());
	CHECK_INT(finish(), QUEUE_ABSENT);
	queue_remove(queue, taken[0].id, call());
	CHECK_INT(finish(), QUEUE_ABSENT);
}

UNIT("a task is pushed, given out, settled, read and removed")
{
	EACH(life)
}

static void
again(void)
{
	push(1, "{}");
	finish();
	queue_take(queue, 1);
	UNTIL(given == 1);
	settle(taken[0].id, QUEUE_PENDING, "no luck", NULL, 50);
	CHECK_INT(finish(), QUEUE_DONE);
	queue_read(queue, taken[0].id, call());
	finish();
	CHECK_INT(record.state, QUEUE_PENDING);
	CHECK_TEXT(error, "no luck");
	queue_take(queue, 1);
	UNTIL(given == 2);
	CHECK_TEXT(taken[1].id, taken[0].id);
	CHECK_INT(taken[1].attempts, 2);
	CHECK_INT(taken[1].failures, 1);
	CHECK_TEXT(configs[1], "{}");
	settle(taken[0].id, QUEUE_FAILED, "no luck", "{}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
}

UNIT("a task that is to be tried again comes again, with what it had")
{
	EACH(again)
}

static void
room(void)
{
	for (int i = 1; i <= 20; i++) {
		push(i, i % 2 ? "{\"odd\":1}" : "{\"even\":1}");
		CHECK_INT(finish(), QUEUE_DONE);
	}
	push(21, "{}");
	CHECK_INT(finish(), QUEUE_FULL);
	queue_take(queue, 7);
	UNTIL(given == 7);
	turn(50);
	CHECK_INT(given, 7);
	for (int i = 0; i < 7; i++) {
		CHECK_INT(atoi(taken[i].id + 24), i + 1);
		CHECK_TEXT(configs[i], i % 2 ? "{\"even\":1}" :
		    "{\"odd\":1}");
	}
	push(21, "{}");
	CHECK_INT(finish(), QUEUE_FULL);
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
	push(21, "{}");
	CHECK_INT(finish(), QUEUE_DONE);
	queue_take(queue, 100);
	UNTIL(given == 21 - 0);
}

UNIT("no more is given out than there is room for, and no more taken in")
{
	EACH(room)
}

static void
push_at(int number, long long created_at)
{
	struct queue_text *text = queue_text_new("{}", 2);
	struct queue_task task = { .created_at = created_at,
		.config = text };

	snprintf(task.id, sizeof(task.id),
	    "00000000-0000-4000-8000-%012d", number);
	queue_push(queue, &task, call());
	queue_text_drop(text);
	CHECK_INT(finish(), QUEUE_DONE);
}

static void
set_back(void)
{
	queue_take(queue, 10);
	for (int i = 1; i <= 3; i++)
		push_at(i, clock_wall());
	UNTIL(given == 3);
	push_at(4, clock_wall() - 3600000);
	UNTIL(given == 4);
	CHECK_INT(atoi(taken[3].id + 24), 4);
	turn(50);
	CHECK_INT(given, 4);
}

UNIT("a clock that is set back keeps no task waiting, and none runs twice")
{
	EACH(set_back)
}

static void
at_once(void)
{
	queue_take(queue, 10);
	for (int i = 1; i <= 3; i++)
		push_at(i, clock_wall());
	UNTIL(given == 3);
	settle(taken[0].id, QUEUE_PENDING, "no luck", NULL, 0);
	CHECK_INT(finish(), QUEUE_DONE);
	UNTIL(given == 4);
	CHECK_TEXT(taken[3].id, taken[0].id);
	CHECK_INT(taken[3].attempts, 2);
	turn(50);
	CHECK_INT(given, 4);
}

UNIT("a task that is to be tried again at once is, and no other")
{
	EACH(at_once)
}

static void
pages(void)
{
	struct queue_page page = { .state = QUEUE_ANY, .limit = 3 };

	for (int i = 1; i <= 5; i++) {
		push(i, "{}");
		finish();
	}
	queue_list(queue, &page, call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(records, 3);
	CHECK_INT(atoi(record.id + 24), 1);
	strcpy(page.after, "00000000-0000-4000-8000-000000000003");
	queue_list(queue, &page, call());
	finish();
	CHECK_INT(records, 2);
	CHECK_INT(atoi(record.id + 24), 4);
	strcpy(page.after, "00000000-0000-4000-8000-000000000005");
	queue_list(queue, &page, call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(records, 0);
	strcpy(page.after, "00000000-0000-4000-8000-000000000006");
	queue_list(queue, &page, call());
	CHECK_INT(finish(), QUEUE_ABSENT);
	page.after[0] = '\0';
	page.state = QUEUE_COMPLETED;
	queue_list(queue, &page, call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(records, 0);
}

UNIT("pages follow one another in the order of arrival")
{
	EACH(pages)
}

static void
removed(void)
{
	push(1, "{}");
	finish();
	push(2, "{}");
	finish();
	queue_remove(queue, "00000000-0000-4000-8000-000000000001", call());
	CHECK_INT(finish(), QUEUE_DONE);
	queue_take(queue, 5);
	UNTIL(given == 1);
	CHECK_INT(atoi(taken[0].id + 24), 2);
	queue_remove(queue, taken[0].id, call());
	CHECK_INT(finish(), QUEUE_DONE);
	settle(taken[0].id, QUEUE_PENDING, "x", NULL, 0);
	CHECK_INT(finish(), QUEUE_ABSENT);
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_ABSENT);
	turn(50);
	CHECK_INT(given, 1);
}

UNIT("a removed task is not given out, and cannot be settled")
{
	EACH(removed)
}

static void
expired(void)
{
	queue_close(queue);
	setup.ttl_ms = 100;
	open_again();
	push(1, "{}");
	finish();
	queue_take(queue, 1);
	UNTIL(given == 1);
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	finish();
	do {
		queue_read(queue, taken[0].id, call());
		turn(20);
	} while (finish() == QUEUE_DONE);
	CHECK_INT(answer.end, QUEUE_ABSENT);
}

UNIT("a result is gone when its time is over")
{
	EACH(expired)
}

UNIT("a URL that is none is told without its password")
{
	static const char *const bad[] = { "", "redis", "tcp://u:secret@h",
		"memory:x", "sqlite",
#ifdef WITH_REDIS
		"redis://", "redis://:secret@", "redis://u@h",
		"redis://:secret@h:0", "redis://:secret@h:99999",
		"redis://:secret@h/x", "redis://:%zz@h", "redis://:%00@h",
#endif
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct queue_setup s = { .loop = NULL, .url = bad[i] };
		struct buf why = BUF_INIT(256);

		if (queue_open(&s, &why) != NULL)
			UNIT_FAIL("%s was opened", bad[i]);
		CHECK(why.len > 0);
		CHECK(strstr(why.data, "secret") == NULL);
		CHECK(strstr(why.data, "QUEUE_URL") != NULL);
		buf_free(&why);
	}
}

UNIT_MAIN
