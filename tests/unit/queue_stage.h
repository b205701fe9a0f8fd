#ifndef QUEUE_STAGE_H
#define QUEUE_STAGE_H
/*
 * A queue on a loop of its own, for the tests of its engines.
 */
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../worker/queue.h"
#include "clock.h"
#include "unit.h"

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

static int refused;	/* how many, from the next on, are not begun */

static inline bool
on_taken(void *arg, const struct queue_task *task)
{
	(void)arg;
	if (given < 64) {
		taken[given] = *task;
		snprintf(configs[given], sizeof(configs[0]), "%s",
		    task->config->text);
	}
	given++;
	if (refused == 0)
		return true;
	refused--;
	return false;
}

static inline void
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

static inline void
on_bound(struct loop_timer *timer)
{
	(void)timer;
	over = true;
	loop_stop(loop);
}

static inline void
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
		for (int i_ = 0; i_ < 12000 && !(truth); i_++)		\
			turn(5);					\
		CHECK(truth);						\
	} while (0)

static inline enum queue_end
finish(void)
{
	UNTIL(answered);
	return answer.end;
}

static inline struct queue_call *
call(void)
{
	answered = false;
	answer.done = on_done;
	return &answer;
}

/* --- engines ------------------------------------------------------------ */

static inline int
drop(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static pid_t redis;
static int redis_port;

static inline void
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

static inline void
redis_stop(void)
{
	kill(redis, SIGKILL);
	waitpid(redis, NULL, 0);
}

static inline void
open_again(void)
{
	struct buf why = BUF_INIT(256);
	struct queue_facts facts;

	queue = queue_open(&setup, &why);
	if (queue == NULL)
		UNIT_FAIL("%s", buf_text(&why));
	given = 0;
	for (int i = 0; i < 12000; i++) {
		queue_facts(queue, &facts);
		if (facts.up)
			return;
		turn(5);
	}
	UNIT_FAIL("%s is not there", setup.url);
}

static inline void
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

static inline void
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

static inline void
push(int number, const char *config)
{
	struct queue_text *text = queue_text_new(config, strlen(config));
	struct queue_task task = { .created_at = clock_wall(),
		.config = text };

	snprintf(task.id, sizeof(task.id),
	    "00000000-0000-4000-8000-%012d", number);
	queue_push(queue, &task, call());
	queue_text_drop(text);
}

static inline void
settle(const char *id, enum queue_state state, const char *why,
    const char *json, int64_t delay)
{
	static struct queue_settled settled;

	settled = (struct queue_settled){ .state = state, .error = why,
		.result = json, .delay_ms = delay };
	memcpy(settled.id, id, TOKEN_UUID);
	for (int i = 0; i < given && i < 64; i++)
		if (strcmp(taken[i].id, id) == 0)
			settled.failures = taken[i].failures;
	queue_settle(queue, &settled, call());
}

#endif
