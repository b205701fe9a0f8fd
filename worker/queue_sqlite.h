#ifndef QUEUE_SQLITE_H
#define QUEUE_SQLITE_H
/*
 * The file of the queue and its statements; for the family of queue_sqlite
 * alone.
 */
#include <sqlite3.h>

#include "queue.h"

enum queue_sqlite_sql {
	QUEUE_SQLITE_BEGIN, QUEUE_SQLITE_COMMIT, QUEUE_SQLITE_ROLLBACK,
	QUEUE_SQLITE_RECOVER,
	QUEUE_SQLITE_CONFIG_ADD, QUEUE_SQLITE_CONFIG_FIND,
	QUEUE_SQLITE_CONFIG_DROP,
	QUEUE_SQLITE_PUSH, QUEUE_SQLITE_DUE, QUEUE_SQLITE_NEXT,
	QUEUE_SQLITE_TAKE,
	QUEUE_SQLITE_AGAIN, QUEUE_SQLITE_END,
	QUEUE_SQLITE_READ, QUEUE_SQLITE_PLACE, QUEUE_SQLITE_LIST,
	QUEUE_SQLITE_LIST_STATE, QUEUE_SQLITE_STATE, QUEUE_SQLITE_REMOVE,
	QUEUE_SQLITE_EXPIRE, QUEUE_SQLITE_COUNT, QUEUE_SQLITE_OLDEST,
	QUEUE_SQLITE_STATEMENTS
};

struct queue_sqlite {
	struct queue base;
	sqlite3 *db;
	sqlite3_stmt *statements[QUEUE_SQLITE_STATEMENTS];
	bool begun;		/* a transaction is open */
	bool pushed;		/* and has tasks that are new */
	bool recovered;		/* what ran when it was opened is due */
	struct queue_call *waiting, **waiting_end;	/* for its commit */
	struct loop_timer commit, feed, expiry;
	long long counts[4];	/* tasks by state, of those not over */
	struct queue_text *config;	/* used last; held */
	long long config_row;
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

/* Opens a transaction when there is none. */
bool queue_sqlite_begin(struct queue_sqlite *);
/* The call (or NULL) is answered after the commit, which is soon, or, lazy,
 * a little later. */
void queue_sqlite_wait(struct queue_sqlite *, struct queue_call *,
    enum queue_end, bool lazy);

/* queue_sqlite_feed.c: gives out while there is room. */
void queue_sqlite_feed(struct loop_timer *);
void queue_sqlite_feed_soon(struct queue_sqlite *);

/* queue_sqlite_read.c: verbs that only look. */
void queue_sqlite_read(struct queue *, const char *id, struct queue_call *);
void queue_sqlite_list(struct queue *, const struct queue_page *,
    struct queue_call *);
void queue_sqlite_facts(struct queue *, struct queue_facts *);

#endif
