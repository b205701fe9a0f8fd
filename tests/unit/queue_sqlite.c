#include "unit.h"

#include "../../worker/queue_sqlite.c"

#include <sys/resource.h>

#include "queue_stage.h"

UNIT("the file has after a close what was in it, also what was running")
{
	open_fresh("sqlite:");
	push(1, "{\"kept\":1}");
	finish();
	push(2, "{}");
	finish();
	queue_take(queue, 1);
	UNTIL(given == 1);
	queue_close(queue);
	open_again();
	queue_take(queue, 5);
	UNTIL(given == 2);
	CHECK_TEXT(configs[0], "{\"kept\":1}");
	CHECK_INT(taken[0].attempts, 2);
	CHECK_INT(taken[1].attempts, 1);
	close_all();
}

UNIT("a push is answered after the commit, and many share one")
{
	static struct queue_call calls[15];
	struct queue_text *text;

	open_fresh("sqlite:");
	text = queue_text_new("{}", 2);
	for (int i = 0; i < 15; i++) {
		struct queue_task task = { .created_at = 1, .config = text };

		snprintf(task.id, sizeof(task.id),
		    "00000000-0000-4000-8000-%012d", i);
		calls[i].done = on_done;
		answered = false;
		queue_push(queue, &task, &calls[i]);
		CHECK(!answered);
	}
	queue_text_drop(text);
	UNTIL(answered);
	for (int i = 0; i < 15; i++)
		CHECK_INT(calls[i].end, QUEUE_DONE);
	close_all();
}

static struct rlimit disk_was;

/* No file may grow beyond so many bytes, until disk_free. */
static void
disk_full(rlim_t bytes)
{
	struct rlimit full;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &disk_was), 0);
	full = (struct rlimit){ bytes, disk_was.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &full), 0);
}

static void
disk_free(void)
{
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &disk_was), 0);
}

UNIT("a task that does not come to the disk is refused, and never begun")
{
	open_fresh("sqlite:");
	turn(50);		/* what is done at the start is done */
	disk_full(4096);
	for (int i = 1; i < 4; i++) {
		queue_take(queue, 5);
		push(i, "{}");
		CHECK_INT(finish(), QUEUE_DOWN);
		CHECK_INT(given, 0);
	}
	disk_free();
	push(4, "{}");
	CHECK_INT(finish(), QUEUE_DONE);
	UNTIL(given == 1);
	CHECK_INT(taken[0].id[35], '4');
	close_all();
}

static long long
count(const char *sql)
{
	struct queue_sqlite *s = queue_sqlite_of(queue);
	sqlite3_stmt *statement = NULL;
	long long number = -1;

	CHECK_INT(sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL),
	    SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

UNIT("what cannot be settled on a full disk can be later, and is done once")
{
	struct queue_facts facts;

	open_fresh("sqlite:");
	push(1, "{}");
	finish();
	queue_take(queue, 5);
	UNTIL(given == 1);
	turn(50);
	disk_full(4096);
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_DOWN);
	queue_facts(queue, &facts);
	CHECK_INT(facts.pending, 1);
	CHECK_INT(facts.oldest, taken[0].created_at);
	disk_free();
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
	turn(50);
	CHECK_INT(given, 1);
	queue_facts(queue, &facts);
	CHECK_INT(facts.pending, 0);
	CHECK_INT(facts.oldest, 0);
	CHECK_INT(count("SELECT count(*) FROM result"), 1);
	close_all();
}

UNIT("what is over for its time leaves nothing in the file")
{
	open_fresh("sqlite:");
	queue_close(queue);
	setup.ttl_ms = 200;
	open_again();
	queue_sqlite_of(queue)->tidied = loop_now(loop);	/* not yet */
	queue_take(queue, 5);
	for (int i = 1; i <= 4; i++) {
		push(i, i < 3 ? "{\"a\":1}" : "{\"b\":1}");
		finish();
		UNTIL(given == i);
		settle(taken[i - 1].id, i % 2 ? QUEUE_COMPLETED :
		    QUEUE_FAILED, NULL, "{}", 0);
		finish();
	}
	push(5, "{\"b\":1}");
	finish();
	CHECK_INT(count("SELECT count(*) FROM config"), 2);
	queue_sqlite_of(queue)->tidied = 0;
	UNTIL(count("SELECT count(*) FROM task") == 1);
	CHECK_INT(count("SELECT count(*) FROM result"), 0);
	queue_sqlite_of(queue)->tidied = 0;
	UNTIL(count("SELECT count(*) FROM config") == 1);
	CHECK_INT(count("SELECT count(*) FROM config WHERE body = "
	    "'{\"b\":1}'"), 1);
	close_all();
}

UNIT("what is due is found by its index, and in its order")
{
	struct queue_sqlite *s;
	sqlite3_stmt *plan;
	char sql[600];

	open_fresh("sqlite:");
	s = queue_sqlite_of(queue);
	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
	    sqlite3_sql(s->statements[QUEUE_SQLITE_NEXT]));
	CHECK_INT(sqlite3_prepare_v2(s->db, sql, -1, &plan, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_step(plan), SQLITE_ROW);
	CHECK(strstr((const char *)sqlite3_column_text(plan, 3),
	    "task_due") != NULL);
	while (sqlite3_step(plan) == SQLITE_ROW)
		CHECK(strstr((const char *)sqlite3_column_text(plan, 3),
		    "B-TREE") == NULL);
	sqlite3_finalize(plan);
	close_all();
}

/* Ends by SIGKILL while task 1 runs. */
static void
killed(void)
{
	pid_t child = fork();

	if (child == 0) {
		loop = loop_open();
		setup.loop = loop;
		open_again();
		push(1, "{}");
		finish();
		queue_take(queue, 1);
		UNTIL(given == 1);
		turn(50);		/* that it was taken is written */
		raise(SIGKILL);
	}
	CHECK_INT(waitpid(child, NULL, 0), child);
}

UNIT("a full disk after a kill is waited for: then what ran is given out again")
{
	struct queue_facts facts;

	open_fresh("sqlite:");
	queue_close(queue);
	killed();
	disk_full(4096);
	queue = queue_open(&setup, &(struct buf)BUF_INIT(256));
	CHECK(queue != NULL);
	given = 0;
	queue_take(queue, 5);
	turn(50);
	push(2, "{}");
	CHECK_INT(finish(), QUEUE_DOWN);
	queue_read(queue, "00000000-0000-4000-8000-000000000001", call());
	CHECK_INT(finish(), QUEUE_DONE);
	CHECK_INT(record.state, QUEUE_PENDING);
	queue_facts(queue, &facts);
	CHECK(!facts.up);
	CHECK_INT(given, 0);
	disk_free();
	UNTIL(given == 1);
	CHECK_INT(taken[0].id[35], '1');
	CHECK_INT(taken[0].attempts, 2);
	queue_facts(queue, &facts);
	CHECK(facts.up);
	close_all();
}

UNIT("what is pushed is given out, whatever is due before its commit")
{
	int64_t due;

	open_fresh("sqlite:");
	queue_take(queue, 10);
	push(1, "{}");
	finish();
	UNTIL(given == 1);
	settle(taken[0].id, QUEUE_PENDING, "no luck", NULL, 1500);
	due = loop_now(loop) + 1500;
	CHECK_INT(finish(), QUEUE_DONE);
	/* no other commit, by the clock, is what they wait for */
	loop_timer_stop(loop, &queue_sqlite_of(queue)->expiry);
	/* as after a commit that many shared */
	queue_sqlite_of(queue)->pause = due + 50;
	push(2, "{}");
	CHECK_INT(finish(), QUEUE_DONE);
	UNTIL(given == 3);
	close_all();
}

static int given_then;

static void
on_settled(struct queue_call *done)
{
	(void)done;
	given_then = given;
	answered = true;
}

UNIT("what is tried again comes after its settling was answered")
{
	static struct queue_settled again = { .state = QUEUE_PENDING,
		.error = "no luck", .delay_ms = 2 };

	open_fresh("sqlite:");
	queue_take(queue, 10);
	push(1, "{}");
	finish();
	UNTIL(given == 1);
	turn(50);
	memcpy(again.id, taken[0].id, TOKEN_UUID);
	answered = false;
	answer.done = on_settled;
	queue_settle(queue, &again, &answer);
	queue_take(queue, 10);
	UNTIL(answered);
	CHECK_INT(given_then, 1);
	UNTIL(given == 2);
	close_all();
}

UNIT("a result that does not fit on the disk ends nothing without it")
{
	static struct queue_settled big[2];
	static struct queue_call calls[2];
	static char body[4 << 20];

	open_fresh("sqlite:");
	push(1, "{}");
	finish();
	push(2, "{}");
	finish();
	queue_take(queue, 5);
	UNTIL(given == 2);
	turn(50);
	memset(body, 'x', sizeof(body) - 1);
	disk_full(1 << 20);
	for (int i = 0; i < 2; i++) {
		big[i] = (struct queue_settled){ .state = QUEUE_COMPLETED,
			.result = body };
		memcpy(big[i].id, taken[i].id, TOKEN_UUID);
		calls[i].done = on_done;
		answered = false;
		queue_settle(queue, &big[i], &calls[i]);
	}
	turn(100);
	CHECK_INT(calls[0].end, QUEUE_DOWN);
	CHECK_INT(calls[1].end, QUEUE_DOWN);
	disk_free();
	CHECK_INT(count("SELECT count(*) FROM task WHERE state = 2"),
	    count("SELECT count(*) FROM result"));
	for (int i = 0; i < 2; i++) {
		answered = false;
		queue_settle(queue, &big[i], &calls[i]);
		UNTIL(answered);
		CHECK_INT(calls[i].end, QUEUE_DONE);
	}
	CHECK_INT(count("SELECT count(*) FROM result"), 2);
	close_all();
}

UNIT("what was taken on a full disk is counted once")
{
	struct queue_facts facts;

	open_fresh("sqlite:");
	push(1, "{}");
	finish();
	turn(50);
	disk_full(4096);
	queue_take(queue, 5);
	UNTIL(given == 1);
	turn(100);
	disk_free();
	settle(taken[0].id, QUEUE_COMPLETED, NULL, "{}", 0);
	CHECK_INT(finish(), QUEUE_DONE);
	queue_facts(queue, &facts);
	CHECK_INT(facts.queued, 0);
	CHECK_INT(facts.pending, 0);
	close_all();
}

UNIT_MAIN
