#ifndef TASK_H
#define TASK_H
/*
 * Tasks that run here: taken from the queue, fetched with the configuration
 * they came with, settled.
 */
#include <sys/queue.h>

#include "queue.h"
#include "retry.h"
#include "worker.h"

struct task {
	struct tasks *tasks;
	struct current *current;	/* held; NULL: it cannot be read */
	char id[TOKEN_UUID];
	long long created_at, attempts, failures;
	int64_t began;			/* of the loop's clock */
	struct fetch *fetch;		/* NULL: not under way */
	struct queue_settled settled;
	struct buf error, result;
	struct queue_call call;
	struct loop_timer again;	/* settling, after it failed */
	struct retry retry;
	TAILQ_ENTRY(task) line;
};

/* Called whenever a task was settled here. */
typedef void task_settled(void *arg, const char *id);

struct tasks {
	struct worker *worker;
	struct queue *queue;
	TAILQ_HEAD(task_line, task) all;
	size_t running, settling;
	struct queue_text *text;	/* what `current` was read from */
	struct current *current;	/* the one read last; held */
	bool draining;
	void (*idle)(void *arg);	/* when draining and none is left */
	void *idle_arg;
	task_settled *settled;
	void *settled_arg;
};

/* Opens the queue and begins to take. False: error says why. */
bool task_open(struct tasks *, struct worker *, struct buf *error);
/* Takes no more; idle is called (maybe at once) when none runs. */
void task_drain(struct tasks *, void (*idle)(void *arg), void *arg);
/* What still runs is left to the queue. After httpd_close, before
 * fetch_close. */
void task_close(struct tasks *);

/* Ends the attempt of a task that was removed, if it runs here. */
void task_cancel(struct tasks *, const char *id);

#endif
