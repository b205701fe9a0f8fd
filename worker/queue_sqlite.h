#ifndef QUEUE_SQLITE_H
#define QUEUE_SQLITE_H
/*
 * The file of the queue and its statements; for the family of queue_sqlite
 * alone.
 */
#include <sqlite3.h>
#include <sys/queue.h>

#include "queue.h"

enum queue_sqlite_sql {
	QUEUE_SQLITE_BEGIN, QUEUE_SQLITE_COMMIT, QUEUE_SQLITE_ROLLBACK,
	QUEUE_SQLITE_OPENED,
	QUEUE_SQLITE_CONFIG_ADD, QUEUE_SQLITE_CONFIG_FIND,
	QUEUE_SQLITE_CONFIG_DROP, QUEUE_SQLITE_CONFIG_COUNT,
	QUEUE_SQLITE_ARRIVAL, QUEUE_SQLITE_PUSH,
	QUEUE_SQLITE_DUE, QUEUE_SQLITE_NEXT, QUEUE_SQLITE_TAKE,
	QUEUE_SQLITE_AGAIN, QUEUE_SQLITE_END, QUEUE_SQLITE_RESULT,
	QUEUE_SQLITE_READ, QUEUE_SQLITE_PLACE, QUEUE_SQLITE_LIST,
	QUEUE_SQLITE_LIST_OPEN, QUEUE_SQLITE_LIST_OVER,
	QUEUE_SQLITE_REMOVE, QUEUE_SQLITE_REMOVE_RESULT,
	QUEUE_SQLITE_EXPIRE_RESULTS, QUEUE_SQLITE_EXPIRE,
	QUEUE_SQLITE_COUNT, QUEUE_SQLITE_LOW, QUEUE_SQLITE_OLDEST,
	QUEUE_SQLITE_STATEMENTS
};

/* A task that was given out and is not settled. */
struct queue_sqlite_run {
	struct queue_task task;		/* config: held until it is given */
	long long arrival, due;
	int state;			/* as the file has it */
	TAILQ_ENTRY(queue_sqlite_run) line;
};

TAILQ_HEAD(queue_sqlite_line, queue_sqlite_run);

struct queue_sqlite {
	struct queue base;
	sqlite3 *db;
	sqlite3_stmt *statements[QUEUE_SQLITE_STATEMENTS];
	bool begun;		/* a transaction is open */
	bool spoilt;		/* and is to be undone, for a part failed */
	long long edge;		/* the first due time in it */
	bool opened;		/* it could be written */
	long long arrival;	/* the last one pushed */
	long long safe;		/* the last one that is on disk */
	long long low;		/* none before it is not over */
	struct queue_sqlite_line runs;
	size_t running;		/* of runs */
	/* Given out is what was due before, or then and arrived no later. */
	long long given_due, given_arrival;
	struct queue_call *waiting, **waiting_end;	/* for its commit */
	size_t waits;		/* of them */
	int64_t pause;		/* from when on it may be committed */
	struct loop_timer commit, feed, expiry;
	long long counts[4];	/* tasks by state, of those not over */
	struct queue_text *config;	/* used last; held */
	long long config_row;
	bool leftover;		/* there may be configurations that no task
				 * needs */
	int64_t tidied;		/* when they were last looked for */
	int64_t said;		/* when a failure was last logged */
};

/* Opens or makes the file of the URL and prepares every statement. False:
 * error says why. */
bool queue_sqlite_file_open(struct queue_sqlite *, struct buf *error);
void queue_sqlite_file_close(struct queue_sqlite *);

/* A statement, reset and with nothing bound. */
sqlite3_stmt *queue_sqlite_file_sql(struct queue_sqlite *,
    enum queue_sqlite_sql);
/* Runs one that gives no rows, then resets it. */
bool queue_sqlite_file_run(struct queue_sqlite *, sqlite3_stmt *);

/* queue_sqlite_commit.c: what the file says of itself: how many tasks are
 * not over, and which arrived first and last. */
void queue_sqlite_commit_count(struct queue_sqlite *);
void queue_sqlite_commit_turn(struct loop_timer *);
void queue_sqlite_commit(struct queue_sqlite *);
/* Opens a transaction when there is none. */
bool queue_sqlite_begin(struct queue_sqlite *);
/* What was half written is undone, with all that is in the transaction. */
void queue_sqlite_spoil(struct queue_sqlite *, const char *what);
/* The call (or NULL) is answered after the commit, which is soon, or, lazy,
 * a little later. */
void queue_sqlite_wait(struct queue_sqlite *, struct queue_call *,
    enum queue_end, bool lazy);

/* queue_sqlite_feed.c: gives out while there is room; looks is the timer. */
void queue_sqlite_feed(struct queue_sqlite *);
void queue_sqlite_feed_look(struct loop_timer *);
void queue_sqlite_feed_soon(struct queue_sqlite *);
/* What has this due time is not given out yet, whatever was. */
void queue_sqlite_feed_back(struct queue_sqlite *, long long due,
    long long arrival);
/* A task's arrival; 0: there is none. It runs no more, if it did. */
long long queue_sqlite_feed_end(struct queue_sqlite *, const char *id,
    int *state);
void queue_sqlite_feed_forget(struct queue_sqlite *);	/* all that run */
void queue_sqlite_feed_undone(struct queue_sqlite *);

/* queue_sqlite_tidy.c: what is over for its time goes. */
void queue_sqlite_tidy(struct loop_timer *);

/* queue_sqlite_read.c: verbs that only look. */
void queue_sqlite_read(struct queue *, const char *id, struct queue_call *);
void queue_sqlite_list(struct queue *, const struct queue_page *,
    struct queue_call *);
void queue_sqlite_facts(struct queue *, struct queue_facts *);

#endif
