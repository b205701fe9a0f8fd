#ifndef QUEUE_H
#define QUEUE_H
/*
 * Tasks that wait to be done, and the results of those that were. An engine
 * is picked by the URL's scheme: memory:, sqlite:, redis://.
 *
 * At least once: what was acknowledged to be queued is given out until it is
 * settled, also after a worker died over it. A verb is one transaction; its
 * answer comes later through a call, never inside the verb.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "loop.h"
#include "token.h"

struct queue;

/* A text that many tasks share: the configuration they run with. */
struct queue_text {
	unsigned refs;
	size_t len;
	char text[];		/* with a NUL */
};

/* NULL: out of memory. Gives one reference. */
struct queue_text *queue_text_new(const void *, size_t);
struct queue_text *queue_text_hold(struct queue_text *);
void queue_text_drop(struct queue_text *);	/* or NULL */

enum queue_state {
	QUEUE_QUEUED,		/* not begun */
	QUEUE_PENDING,		/* running, or waiting to be tried again */
	QUEUE_COMPLETED,
	QUEUE_FAILED,
	QUEUE_ANY,		/* of a page: whatever its state */
};

/* "queued", "pending", "completed", "failed". */
const char *queue_state_name(enum queue_state);

/* What is pushed, and what is given out. Times are ms since 1970. */
struct queue_task {
	char id[TOKEN_UUID];
	long long created_at;
	long long attempts;	/* begun so far, with this one */
	long long failures;	/* of these, how many were settled so */
	struct queue_text *config;	/* borrowed */
};

/* What became of an attempt. It is borrowed, with its texts, until the call
 * that settles it is done. */
struct queue_settled {
	char id[TOKEN_UUID];
	enum queue_state state;	/* PENDING: again, after delay_ms */
	int64_t delay_ms;
	long long failures;	/* PENDING: as the task was given out */
	const char *error;	/* a sentence, or NULL */
	const char *result;	/* JSON, when it is over; else NULL */
};

/* What is known of a task. */
struct queue_record {
	char id[TOKEN_UUID];
	enum queue_state state;
	long long attempts, created_at, ended_at;	/* 0: not yet */
	char *error;		/* NULL: none */
	char *result;		/* JSON; NULL while it is not over, and in a
				 * list */
};

struct queue_page {
	enum queue_state state;
	char after[TOKEN_UUID];	/* "": from the oldest on */
	size_t limit;		/* 1..1000 */
};

enum queue_end {
	QUEUE_DONE,
	QUEUE_FULL,		/* push: QUEUE_MAX are not over */
	QUEUE_ABSENT,		/* there is no such task (any more) */
	QUEUE_DOWN,		/* nothing is known to have happened */
};

/* An answer to come; embedded in what waits for it, which lives until done
 * was called, once. The records are freed after it. */
struct queue_call {
	void (*done)(struct queue_call *);
	enum queue_end end;
	struct queue_record *records;
	size_t count;
	struct queue_call *next;	/* the queue's own */
};

/* How it stands. */
struct queue_facts {
	bool up;
	long long queued, pending;
	long long oldest;	/* of those not over; 0: none */
};

struct queue_setup {
	struct loop *loop;
	const char *url;	/* borrowed, with the rest, until the end */
	const char *folder;	/* STATE_DIR */
	const char *name;	/* of this worker's file: "queue-8082" */
	const char *instance;	/* who takes: another one every start */
	long long max;		/* tasks that are not over */
	long long ttl_ms;	/* how long results live */
	/* A task to run; not inside a verb. False: it is not begun, as one
	 * that is here already and came again; a shared queue gives it out
	 * once more after a while, if it is not over by then. */
	bool (*taken)(void *arg, const struct queue_task *);
	void *arg;
};

struct queue_engine {
	const char *scheme;	/* with the colon: "memory:" */
	bool shared;		/* others may settle our tasks */
	struct queue *(*open)(const struct queue_setup *, struct buf *error);
	void (*close)(struct queue *);
	void (*push)(struct queue *, const struct queue_task *,
	    struct queue_call *);
	/* How many more tasks may be given out from now on. */
	void (*take)(struct queue *, size_t room);
	void (*settle)(struct queue *, const struct queue_settled *,
	    struct queue_call *);
	void (*read)(struct queue *, const char *id, struct queue_call *);
	void (*list)(struct queue *, const struct queue_page *,
	    struct queue_call *);
	void (*remove)(struct queue *, const char *id, struct queue_call *);
	void (*facts)(struct queue *, struct queue_facts *);
};

/* Every engine's struct begins with it. */
struct queue {
	const struct queue_engine *engine;
	struct queue_setup setup;
	size_t room;
	struct queue_call *ready, **ready_end;	/* answers to give */
	struct loop_timer turn;
};

/* NULL: error says why in one line, without a password. What a server that
 * is down may heal is no error. */
struct queue *queue_open(const struct queue_setup *, struct buf *error);
/* What was acknowledged is safe. Calls that wait are answered with DOWN. */
void queue_close(struct queue *);		/* or NULL */

void queue_push(struct queue *, const struct queue_task *,
    struct queue_call *);
void queue_take(struct queue *, size_t room);
void queue_settle(struct queue *, const struct queue_settled *,
    struct queue_call *);
void queue_read(struct queue *, const char *id, struct queue_call *);
void queue_list(struct queue *, const struct queue_page *,
    struct queue_call *);
void queue_remove(struct queue *, const char *id, struct queue_call *);
void queue_facts(struct queue *, struct queue_facts *);
bool queue_shared(const struct queue *);

/* --- for engines -------------------------------------------------------- */

void queue_begin(struct queue *, const struct queue_engine *,
    const struct queue_setup *);
/* Answers in the next turn of the loop. */
void queue_answer(struct queue *, struct queue_call *, enum queue_end);
/* A zeroed record more in the call, or NULL. */
struct queue_record *queue_record_add(struct queue_call *);
/* Gives the answers that are ready. */
void queue_deliver(struct queue *);

extern const struct queue_engine queue_memory, queue_sqlite, queue_redis;

#endif
