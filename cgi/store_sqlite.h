#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H
/*
 * What the files of store_sqlite share: one database file each for truth and
 * liveness, with its statements prepared once.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "migrate.h"
#include "store.h"

enum store_sql {
	STORE_SQL_BEGIN,
	STORE_SQL_COMMIT,
	STORE_SQL_ROLLBACK,
	STORE_SQL_SCHEMA,
	STORE_SQL_CHANGED,
	STORE_SQL_COMMON,	/* how many both databases have */
	/* truth */
	STORE_SQL_NEWEST = STORE_SQL_COMMON,
	STORE_SQL_NEWEST_NUMBER,
	STORE_SQL_VERSION,
	STORE_SQL_PUBLISH,
	STORE_SQL_HISTORY,
	STORE_SQL_REGISTER,
	STORE_SQL_ADOPT,
	STORE_SQL_GENERATION,
	STORE_SQL_AGENTS,
	STORE_SQL_TOTAL,
	STORE_SQL_ADDRESS,
	STORE_SQL_AUDIT,
	STORE_SQL_REFUSED,
	STORE_SQL_AUDITED,
	STORE_SQL_AUDIT_OLD,
	STORE_SQL_AUDIT_PURGE,
	STORE_SQL_TRUTH,	/* how many of truth */
	/* liveness */
	STORE_SQL_BEAT = STORE_SQL_COMMON,
	STORE_SQL_ADD,
	STORE_SQL_LIVE,
	STORE_SQL_LIVENESS,	/* how many of liveness */
	STORE_SQL_MAX = STORE_SQL_TRUTH,
};

struct store_kind {
	const char *name;	/* "the database", for sentences */
	const char *const *sql;	/* by enum store_sql */
	int count;
	const char *const *steps;
	const char *open;	/* pragmas of each connection */
	int frames;		/* of the WAL: more is worth a checkpoint */
};

extern const struct store_kind store_truth, store_liveness;

struct store_file {
	const struct store_kind *kind;
	struct store *store;
	char *path;
	sqlite3 *db;			/* NULL while closed */
	sqlite3_stmt *statements[STORE_SQL_MAX];
	dev_t dev;
	ino_t ino;
	int schema;			/* its number, when it was opened */
	bool doubtful;			/* it failed: to be opened anew */
	int frames;			/* in the WAL after our last commit */
};

struct store {
	struct store_file truth, live;
	char *journal;
	long interval;
	int busy_ms;
	struct store_version current;	/* of data version `seen` */
	int64_t seen;			/* -1: read it anew */
	char why[160], detail[640];
};

struct migrate_plan store_file_plan(const struct store_file *);
/* Looks at the file through a connection of its own; makes nothing. A
 * missing file and an older schema are fine. */
enum store_end store_file_look(struct store_file *);
/* An open database, the one that lies at its path now. */
enum store_end store_file_ready(struct store_file *);
void store_file_close(struct store_file *);

/* The statement, reset and without bindings; NULL: store_file_failed. */
sqlite3_stmt *store_file_sql(struct store_file *, enum store_sql);
/* Steps a statement that answers no rows, and resets it. */
enum store_end store_file_run(struct store_file *, sqlite3_stmt *);
/* What SQLite's last error on the file means; sets why and detail. */
enum store_end store_file_failed(struct store_file *);

/* NEWER (and nothing said) when another process has migrated it. */
enum store_end store_file_schema(struct store_file *);
/* BEGIN IMMEDIATE, in a schema that is still ours. */
enum store_end store_file_begin(struct store_file *);
enum store_end store_file_commit(struct store_file *);
void store_file_rollback(struct store_file *);

/* Adds a deed's row to the audit, inside the transaction of the deed. what:
 * a JSON object; a buf that failed fails here. */
struct buf;
enum store_end store_audit_add(struct store *, const struct store_deed *,
    long long at, const struct buf *what);

/* Sets why and detail, returns end. */
enum store_end store_say(struct store *, enum store_end, const char *detail,
    const char *why, ...) __attribute__((format(printf, 4, 5)));

/* A copy of a column's text, NULL for NULL. False: out of memory. */
bool store_column(sqlite3_stmt *, int column, char **out);

/* store_file_ready for liveness: what is damaged is put aside, made anew. */
enum store_end store_live_ready(struct store *);
/* Fills an agent's liveness; leaves it "never" where it is not known. */
enum store_end store_live(struct store *, struct store_agent *);

#endif
