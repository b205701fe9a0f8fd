/*
 * Running tasks. Each runs with the configuration of the moment of its 202,
 * which came with it. An answer of the target completes it, whatever its
 * status; where there is none, it is tried again with backoff.
 *
 * An attempt that cannot be settled, for the queue is away, waits for it.
 */
#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "measure.h"
#include "target.h"
#include "task_result.h"

enum {
	TASK_ERROR = 512,	/* bytes of a sentence */
	TASK_BASE = 1000,	/* ms, backoff of a task */
	TASK_MOST = 60000,
	TASK_SETTLE_BASE = 200,	/* ms, backoff of settling */
	TASK_SETTLE_MOST = 5000,
	TASK_DEATHS = 20,	/* workers that may die over one task */
};

/* --- room --------------------------------------------------------------- */

static void
task_hungry(struct tasks *tasks)
{
	size_t most = (size_t)tasks->worker->settings.concurrency;
	size_t room = 0;

	if (!tasks->draining && tasks->running < most &&
	    tasks->settling < 2 * most)
		room = most - tasks->running;
	if (tasks->queue->room != room)
		queue_take(tasks->queue, room);
}

static void
task_free(struct task *t)
{
	struct tasks *tasks = t->tasks;

	TAILQ_REMOVE(&tasks->all, t, line);
	loop_timer_stop(tasks->worker->loop, &t->again);
	if (t->fetch != NULL)
		fetch_cancel(t->fetch);
	current_drop(t->current);
	buf_free(&t->error);
	buf_free(&t->result);
	free(t);
}

static void
task_left(struct tasks *tasks)
{
	void (*idle)(void *) = tasks->idle;

	if (!tasks->draining || !TAILQ_EMPTY(&tasks->all) || idle == NULL)
		return;
	tasks->idle = NULL;
	idle(tasks->idle_arg);
}

/* --- settling ----------------------------------------------------------- */

static void
task_settle_again(struct loop_timer *timer)
{
	struct task *t = LOOP_OF(struct task, again, timer);

	queue_settle(t->tasks->queue, &t->settled, &t->call);
}

static void
task_settle_done(struct queue_call *call)
{
	struct task *t = LOOP_OF(struct task, call, call);
	struct tasks *tasks = t->tasks;
	char id[TOKEN_UUID];

	if (call->end == QUEUE_DOWN && !(tasks->draining &&
	    queue_shared(tasks->queue))) {
		loop_timer_start(tasks->worker->loop, &t->again,
		    retry_next(&t->retry, TASK_SETTLE_BASE, TASK_SETTLE_MOST,
		    token_chance()));
		return;
	}
	memcpy(id, t->id, TOKEN_UUID);
	tasks->settling--;
	task_free(t);
	if (tasks->settled != NULL)
		tasks->settled(tasks->settled_arg, id);
	task_hungry(tasks);
	task_left(tasks);
}

static void
task_log(const struct task *t)
{
	if (t->settled.state == QUEUE_COMPLETED)
		log_debug("task", "%s completed, attempt %lld", t->id,
		    t->attempts);
	else
		log_info("task", "%s %s, attempt %lld: %s", t->id,
		    t->settled.state == QUEUE_FAILED ? "failed" :
		    "is tried again", t->attempts, buf_text(&t->error));
}

/* The attempt is over: settled says how. */
static void
task_over(struct task *t)
{
	struct tasks *tasks = t->tasks;
	enum queue_state state = t->settled.state;

	memcpy(t->settled.id, t->id, TOKEN_UUID);
	t->settled.failures = t->failures;
	t->settled.error = t->error.len > 0 ? buf_text(&t->error) : NULL;
	t->settled.result = state != QUEUE_PENDING ?
	    buf_text(&t->result) : NULL;
	measure_task(tasks->worker, state,
	    loop_now(tasks->worker->loop) - t->began);
	task_log(t);
	tasks->running--;
	tasks->settling++;
	queue_settle(tasks->queue, &t->settled, &t->call);
	task_hungry(tasks);
}

static void
task_fail(struct task *t)
{
	struct task_result result = {
		.id = t->id, .state = QUEUE_FAILED, .attempts = t->attempts,
		.error = buf_text(&t->error),
	};

	t->settled.state = QUEUE_FAILED;
	task_result_write(&result, &t->result);
	task_over(t);
}

static void
task_complete(struct task *t, const struct fetch_result *got)
{
	struct task_result result = {
		.id = t->id, .state = QUEUE_COMPLETED,
		.attempts = t->attempts, .status_code = got->status,
		.content_type = got->header(got->fetch, "Content-Type"),
		.body = buf_text(got->body), .body_len = got->body->len,
	};

	t->settled.state = QUEUE_COMPLETED;
	task_result_write(&result, &t->result);
	if (t->result.failed) {
		buf_free(&t->result);
		buf_str(&t->error, "out of memory for its result");
		task_fail(t);
	} else {
		task_over(t);
	}
}

static void
task_retry(struct task *t)
{
	struct retry retry = { (unsigned)t->failures };

	t->settled.state = QUEUE_PENDING;
	t->settled.delay_ms = retry_next(&retry, TASK_BASE, TASK_MOST,
	    token_chance());
	task_over(t);
}

/* --- fetching ----------------------------------------------------------- */

/* Tried again where another attempt may end better. */
static void
task_ends(struct task *t, enum fetch_end end)
{
	if ((end == FETCH_UNREACHABLE || end == FETCH_TIMEOUT ||
	    end == FETCH_BROKEN) &&
	    t->failures < t->tasks->worker->settings.retry_max)
		task_retry(t);
	else
		task_fail(t);
}

static void
task_done(void *arg, const struct fetch_result *got)
{
	struct task *t = arg;
	struct worker *w = t->tasks->worker;

	t->fetch = NULL;
	if (got->end == FETCH_DONE) {
		task_complete(t, got);
		return;
	}
	if (got->end == FETCH_TOO_BIG)
		buf_printf(&t->error, "the body is longer than "
		    "MAX_RESULT_BYTES, %ld, or MAX_RESPONSE_BYTES",
		    w->settings.max_result);
	else
		target_failure(w, got, &t->error);
	task_ends(t, got->end);
}

static bool
task_allow(void *arg, const struct sockaddr *address)
{
	const struct task *t = arg;

	return target_allows(t->tasks->worker, address);
}

static void
task_start(struct task *t)
{
	struct worker *w = t->tasks->worker;
	size_t most = (size_t)w->settings.max_result;
	struct fetch_request request;

	target_request(w, t->current, &request);
	if (request.max_body == 0 || request.max_body > most)
		request.max_body = most;
	request.allow = task_allow;
	request.done = task_done;
	request.arg = t;
	t->fetch = fetch_start(w->hub, &request);
	if (t->fetch == NULL) {
		buf_str(&t->error, "out of memory");
		task_ends(t, FETCH_BROKEN);
	}
}

/* --- taking ------------------------------------------------------------- */

static void
task_refuse(void *arg, const char *name, const char *message)
{
	(void)arg;
	log_warn("task", "a configuration in the queue: %s %s", name,
	    message);
}

/* What the text says; the one read last is kept. NULL: it is malformed. */
static struct current *
task_current(struct tasks *tasks, struct queue_text *text)
{
	struct buf why = BUF_INIT(TASK_ERROR);
	struct current_offer offer = {
		.body = text->text, .len = text->len,
		.via = tasks->worker->via,
	};

	if (tasks->text == NULL || tasks->text->len != text->len ||
	    memcmp(tasks->text->text, text->text, text->len) != 0) {
		current_drop(tasks->current);
		queue_text_drop(tasks->text);
		tasks->text = queue_text_hold(text);
		tasks->current = current_read(&offer, task_refuse, NULL, &why);
		if (why.len > 0)
			log_warn("task", "%s", buf_text(&why));
	}
	buf_free(&why);
	return tasks->current != NULL ? current_hold(tasks->current) : NULL;
}

static struct task *
task_find(struct tasks *tasks, const char *id)
{
	struct task *t;

	TAILQ_FOREACH(t, &tasks->all, line)
		if (strcmp(t->id, id) == 0)
			return t;
	return NULL;
}

static struct task *
task_new(struct tasks *tasks, const struct queue_task *taken)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		log_error("task", "%s: out of memory", taken->id);
		return NULL;
	}
	t->tasks = tasks;
	memcpy(t->id, taken->id, TOKEN_UUID);
	t->created_at = taken->created_at;
	t->attempts = taken->attempts;
	t->failures = taken->failures;
	t->began = loop_now(tasks->worker->loop);
	t->current = task_current(tasks, taken->config);
	buf_init(&t->error, TASK_ERROR);
	buf_init(&t->result, task_result_max(
	    (size_t)tasks->worker->settings.max_result));
	t->call.done = task_settle_done;
	t->again.fire = task_settle_again;
	TAILQ_INSERT_TAIL(&tasks->all, t, line);
	tasks->running++;
	return t;
}

static bool
task_taken(void *arg, const struct queue_task *taken)
{
	struct tasks *tasks = arg;
	struct task *t = task_find(tasks, taken->id) == NULL ?
	    task_new(tasks, taken) : NULL;

	if (t == NULL)
		return false;
	if (taken->attempts == 1)
		measure_wait(tasks->worker, clock_wall() - taken->created_at);
	if (t->current == NULL) {
		buf_str(&t->error, "its configuration cannot be read");
		task_fail(t);
	} else if (t->attempts > t->failures + TASK_DEATHS) {
		buf_str(&t->error, "too many workers ended while it ran");
		task_fail(t);
	} else {
		task_start(t);
	}
	return true;
}

void
task_cancel(struct tasks *tasks, const char *id)
{
	struct task *t = task_find(tasks, id);

	if (t == NULL || t->fetch == NULL)
		return;
	tasks->running--;
	task_free(t);
	task_hungry(tasks);
	task_left(tasks);
}

/* --- begin and end ------------------------------------------------------ */

bool
task_open(struct tasks *tasks, struct worker *w, struct buf *error)
{
	struct queue_setup setup = {
		.loop = w->loop, .url = w->settings.queue_url,
		.folder = w->settings.state_dir, .name = w->queue_name,
		.instance = w->instance, .max = w->settings.queue_max,
		.ttl_ms = w->settings.result_ttl * 1000LL,
		.taken = task_taken, .arg = tasks,
	};

	tasks->worker = w;
	TAILQ_INIT(&tasks->all);
	tasks->queue = queue_open(&setup, error);
	if (tasks->queue != NULL)
		task_hungry(tasks);
	return tasks->queue != NULL;
}

void
task_drain(struct tasks *tasks, void (*idle)(void *arg), void *arg)
{
	tasks->draining = true;
	tasks->idle = idle;
	tasks->idle_arg = arg;
	task_hungry(tasks);
	task_left(tasks);
}

void
task_close(struct tasks *tasks)
{
	struct task *t, *next;

	tasks->draining = true;
	tasks->idle = NULL;
	tasks->settled = NULL;
	/* What waits to be settled is owed to the queue's answer. */
	for (t = TAILQ_FIRST(&tasks->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, line);
		if (t->fetch != NULL)
			task_free(t);
	}
	queue_close(tasks->queue);
	while ((t = TAILQ_FIRST(&tasks->all)) != NULL)
		task_free(t);
	tasks->queue = NULL;
	current_drop(tasks->current);
	queue_text_drop(tasks->text);
}
