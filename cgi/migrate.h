#ifndef MIGRATE_H
#define MIGRATE_H
/*
 * Opens a database file at the schema that this program knows: makes it when
 * it is missing, applies the migrations that it lacks, and refuses one that
 * a newer program has migrated. Many processes may do so at once.
 */
#include <sqlite3.h>
#include <stddef.h>

/* sql/NNN_*.sql and sql/live_NNN_*.sql, in order, each ending with NULL. */
extern const char *const migrate_steps_truth[];
extern const char *const migrate_steps_live[];

struct migrate_plan {
	const char *path;	/* its folder is made when missing */
	const char *const *steps;
	int application_id;	/* PRAGMA application_id, not 0 */
	const char *journal;	/* "wal" or "truncate", for a new file */
	int busy_ms;		/* how long to wait for others */
};

enum migrate_end {
	MIGRATE_DONE,
	MIGRATE_MISSING,	/* migrate_look: no file yet */
	MIGRATE_OLDER,		/* migrate_look: migrations are due */
	MIGRATE_NEWER,		/* found > known: a newer program's */
	MIGRATE_FOREIGN,	/* a database, but not ours */
	MIGRATE_LOCKED,		/* another process migrates for too long */
	MIGRATE_FAILED,		/* code and text say why */
};

struct migrate_result {
	int found, known;	/* schema numbers */
	int code;		/* SQLite's extended code; 0: errno's text */
	char text[256];		/* for the log */
};

/*
 * DONE: gives an open database, with our pragmas but for `synchronous`:
 * no automatic checkpoints, none on close, foreign keys, busy_ms. Otherwise
 * *db is NULL.
 */
enum migrate_end migrate_open(const struct migrate_plan *, sqlite3 **db,
    struct migrate_result *);

/* The same without making or changing anything; gives the database when it
 * could be opened at all (DONE, OLDER, NEWER). */
enum migrate_end migrate_look(const struct migrate_plan *, sqlite3 **db,
    struct migrate_result *);

/* The lock beside the database: taken to migrate and to checkpoint. Writes
 * path + ".lock" to out of size bytes. */
void migrate_lock_path(char *out, size_t size, const char *path);

#endif
