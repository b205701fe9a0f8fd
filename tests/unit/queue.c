#include "unit.h"

#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../worker/queue.c"

/* One queue under test at a time, and what it gave out. */
static struct loop *loop;
static struct queue *queue;
static char folder[64], url[128];
static struct queue_task taken[64];
static char configs[64][64];
static int given;
static struct queue_setup setup;

static struct queue_call answer;
static struct queue_record record;	/* the first one of the answer */
static char result[256], error[256];
static size_t records;
static bool answered;

static void
on_taken(void *arg, const struct queue_task *task)
{
	(void)arg;
	if (given < 64) {
		taken[given] = *task;
		snprintf(configs[given], sizeof(configs[0]), "%s",
		    task->config->text);
	}
	given++;
}

static void
on_done(struct queue_call *call)
{
	answered = true;
	records = call->count;
	result[0] = error[0] = '\0';
	if (records > 0) {
		record = call->records[0];
		snprintf(result, sizeof(result), "%s", record.result != NULL ?
		    record.result : "");
		snprintf(error, sizeof(error), "%s", record.error != NULL ?
		    record.error : "");
	}
}

/* Turns the loop until the condition holds, or for ms. */
static struct loop_timer bound;
static bool over;

static void
on_bound(struct loop_timer *timer)
{
	(void)timer;
	over = true;
	loop_stop(loop);
}

static void
turn(int64_t ms)
{
	over = false;
	bound.fire = on_bound;
	loop_timer_start(loop, &bound, ms);
	loop_run(loop);
	loop_timer_stop(loop, &bound);
}

#define UNTIL(truth)							\
	do {								\
		for (int i_ = 0; i_ < 4000 && !(truth); i_++)		\
			turn(5);					\
		CHECK(truth);						\
	} while (0)

static enum queue_end
finish(void)
{
	UNTIL(answered);
	return answer.end;
}

static struct queue_call *
call(void)
{
	answered = false;
	answer.done = on_done;
	return &answer;
}

/* --- engines ------------------------------------------------------------ */

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static pid_t redis;
static int redis_port;

static void
redis_start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char port[16];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(fd, (struct sockaddr *)&a, len);
	getsockname(fd, (struct sockaddr *)&a, &len);
	close(fd);
	redis_port = ntohs(a.sin_port);
	snprintf(port, sizeof(port), "%d", redis_port);
	redis = fork();
	if (redis == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDOUT_FILENO);
		execlp("redis-server", "redis-server", "--port", port,
		    "--bind", "127.0.0.1", "--save", "", (char *)NULL);
		_exit(127);
	}
}

static void
redis_stop(void)
{
	kill(redis, SIGKILL);
	waitpid(redis, NULL, 0);
}

static void
open_again(void)
{
	struct buf why = BUF_INIT(256);
	struct queue_facts facts;

	queue = queue_open(&setup, &why);
	if (queue == NULL)
		UNIT_FAIL("%s", buf_text(&why));
	given = 0;
	for (int i = 0; i < 2000; i++) {
		queue_facts(queue, &facts);
		if (facts.up)
			return;
		turn(5);
	}
	UNIT_FAIL("%s is not there", setup.url);
}

static void
open_fresh(const char *engine)
{
	strcpy(folder, "/tmp/queue.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	loop = loop_open();
	snprintf(url, sizeof(url), "%s", engine);
	if (strcmp(engine, "redis") == 0) {
		redis_start();
		snprintf(url, sizeof(url), "redis://127.0.0.1:%d",
		    redis_port);
	}
	setup = (struct queue_setup){
		.loop = loop, .url = url, .folder = folder, .name = "unit",
		.instance = "one", .max = 20, .ttl_ms = 60000,
		.taken = on_taken,
	};
	open_again();
}

static void
close_all(void)
{
	queue_close(queue);
	loop_close(loop);
	if (url[0] == 'r')
		redis_stop();
	nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

#ifdef WITH_REDIS
#define REDIS "redis"
#else
#define REDIS "memory:"
#endif

#define EACH(test)							\
	for (int e_ = 0; e_ < 3; e_++) {				\
		open_fresh(((const char *[]){ "memory:", "sqlite:",	\
		    REDIS })[e_]);					\
		test();							\
		close_all();						\
	}

static void
push(int number, const char *config)
{
	struct queue_text *text = queue_text_new(config, strlen(config));
	struct queue_task task = { .created_at = queue_now(),
		.config = text };

	snprintf(task.id, sizeof(task.id),
	    "00000000-0000-4000-8000-%012d", number);
	queue_push(queue, &task, call());
	queue_text_drop(text);
}

static void
settle(const char *id, enum queue_state state, const char *why,
    const char *json, int64_t delay)
{
	struct queue_settled settled = { .state = state, .error = why,
		.result = json, .delay_ms = delay };

	memcpy(settled.id, id, TOKEN_UUID);
	queue_settle(queue, &settled, call());
}

/* --- tests -------------------------------------------------------------- */

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
