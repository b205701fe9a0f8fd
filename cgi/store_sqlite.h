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
#include "roster.h"
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
	STORE_SQL_AGENT,
	STORE_SQL_KNOWN,
	STORE_SQL_PUBLISHED,
	STORE_SQL_INTERVALS,
	STORE_SQL_IDS,
	STORE_SQL_ROTATE,
	STORE_SQL_RAISE,
	STORE_SQL_RAISED,
	STORE_SQL_BURY,
	STORE_SQL_FORGET,
	STORE_SQL_DIG,
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
	STORE_SQL_BEFORE = STORE_SQL_COMMON,
	STORE_SQL_NUMBER,
	STORE_SQL_SAY,
	STORE_SQL_RECKON,
	STORE_SQL_SPREAD,
	STORE_SQL_ADD,
	STORE_SQL_LIVE,
	STORE_SQL_LIVE_IDS,
	STORE_SQL_LIVE_FORGET,
	STORE_SQL_BY_STATE,
	STORE_SQL_HEARD,
	STORE_SQL_TALLY,
	STORE_SQL_COUNT,
	STORE_SQL_ODD,
	STORE_SQL_NOBODY,
	STORE_SQL_UNCOUNT,
	STORE_SQL_ALL,
	STORE_SQL_BY_NUMBER,
	STORE_SQL_SHOW,
	STORE_SQL_APART,
	STORE_SQL_PULSE,
	STORE_SQL_PULSES,
	STORE_SQL_PULSE_WRITE,
	STORE_SQL_PULSE_FORGET,
	STORE_SQL_NUMBERS,
	STORE_SQL_NUMBERED,
	STORE_SQL_SWEEP,
	STORE_SQL_SWEEP_SILENT,
	STORE_SQL_SWEEP_JOINED,
	STORE_SQL_SPREADS,
	STORE_SQL_LIVENESS,	/* how many of liveness */
	STORE_SQL_MAX = 64,
};

_Static_assert((int)STORE_SQL_TRUTH <= (int)STORE_SQL_MAX &&
    (int)STORE_SQL_LIVENESS <= (int)STORE_SQL_MAX, "room for statements");

#define STORE_SQL_BOTH							\
	[STORE_SQL_BEGIN] = "BEGIN IMMEDIATE",				\
	[STORE_SQL_COMMIT] = "COMMIT",					\
	[STORE_SQL_ROLLBACK] = "ROLLBACK",				\
	[STORE_SQL_SCHEMA] = "PRAGMA user_version",			\
	[STORE_SQL_CHANGED] = "PRAGMA data_version"

struct store_kind {
	const char *name;	/* "the database", for sentences */
	const char *const *sql;	/* by enum store_sql */
	int count;
	const char *const *steps;
	const char *open;	/* pragmas of each connection, */
	const char *unwalled;	/* and where there is no WAL; NULL: none */
	int frames;		/* of the WAL: more is worth a checkpoint, */
	bool patient;		/* once it is as large as the database, too */
};

extern const struct store_kind store_truth, store_liveness;

enum {
	STORE_RAISED_MAX = 512,		/* more are looked up one by one */
	STORE_TALLIES = 32,		/* counted between two writes */
	STORE_SPREADS = 45 * 16,	/* buckets of store_sqlite_rollout.c */
	STORE_SPREAD_VERSIONS = 4,
};

struct store_file {
	const struct store_kind *kind;
	struct store *store;
	char *path;
	sqlite3 *db;			/* NULL while closed */
	sqlite3_stmt *statements[STORE_SQL_MAX];
	bool walled;			/* it has a WAL and its index, */
	ino_t wal, shm;			/* which are these; 0: is gone */
	int schema;			/* its number, when it was opened */
	bool doubtful;			/* it failed: to be opened anew */
	bool damaged;			/* SQLite found it so */
	int frames;			/* in the WAL after our last commit */
	unsigned char key[16];		/* that store_live_sql has bound */
};

struct store {
	struct store_file truth, live;
	char *journal;
	long interval;
	int busy_ms;
	struct store_options told;	/* its hooks alone */
	struct store_version current;	/* of data version `seen` */
	int64_t seen;			/* -1: read it anew */
	/* the generations above 1, of `seen` as well */
	struct store_raised {
		bool known, crowded;	/* crowded: these are not all */
		int64_t changes;	/* our own before they were read */
		int count;
		struct store_raised_row {
			char id[TOKEN_UUID];
			long long generation;
		} rows[STORE_RAISED_MAX];	/* by both */
	} raised;
	/* what a transaction of liveness has not written yet */
	struct store_tally {
		char state[12];
		long long version, change;
	} tally[STORE_TALLIES];
	int tallies;
	/* what it has looked at in the pages of pulse */
	struct store_pulses {
		struct store_pulse_page **pages;
		size_t count, room;
		bool numbered, given;	/* numbers is known; is more now */
		long long numbers;	/* how many were given */
	} pulses;
	struct roster roster;	/* empty unless agents are remembered */
	bool remembers;
	long long remembered;	/* ms on clock_steady, of the first one */
	struct store_spread {
		long long version;	/* 0: none */
		long long since;	/* when it was published; 0: never */
		long long count[STORE_SPREADS], longest[STORE_SPREADS];
		int from, to;		/* the buckets that are not empty */
	} spread[STORE_SPREAD_VERSIONS];
	/* what told.applied is told of when it is committed, by bucket */
	struct {
		long long count[STORE_SPREADS], sum[STORE_SPREADS];
		bool any;
	} applied;
	/* where a walk through all agents goes on, see store_sweep */
	struct {
		bool live;
		bool owed;	/* see store_sweep_owed */
		char after[TOKEN_UUID];
	} walk;
	char why[160], detail[640];
};

struct migrate_plan store_file_plan(const struct store_file *);
/* Looks at the file through a connection of its own; makes nothing. A
 * missing file and an older schema are fine. */
enum store_end store_file_look(struct store_file *);
/* Whether another file than the open one lies at its path now, or its WAL is
 * not the one that is there. */
bool store_file_moved(struct store_file *);
/* An open database, the one that lies at its path now. */
enum store_end store_file_ready(struct store_file *);
void store_file_close(struct store_file *);

/* The statement, reset and without bindings; NULL: store_file_failed. */
sqlite3_stmt *store_file_sql(struct store_file *, enum store_sql);
/* Steps a statement that answers no rows, and resets it. */
enum store_end store_file_run(struct store_file *, sqlite3_stmt *);
/* Steps to a statement's row: DONE, or NONE when there is none; whoever
 * called resets it. store_file_failed for a statement of NULL. */
enum store_end store_file_row(struct store_file *, sqlite3_stmt *);
/* The whole numbers of a statement's only row, which is reset. second may be
 * NULL. NONE when there is no row. */
enum store_end store_file_whole(struct store_file *, sqlite3_stmt *,
    long long *first, long long *second);
/* Calls take for at most limit rows of a statement that asks for one more,
 * which `more` tells of, while it answers DONE; resets it. */
enum store_end store_file_page(struct store_file *, sqlite3_stmt *,
    long limit, enum store_end (*take)(void *arg, sqlite3_stmt *),
    void *arg, bool *more);
/* What SQLite's last error on the file means; sets why and detail. */
enum store_end store_file_failed(struct store_file *);

/* NEWER (and nothing said) when another process has migrated it. */
enum store_end store_file_schema(struct store_file *);
/* BEGIN IMMEDIATE, in a schema that is still ours. */
enum store_end store_file_begin(struct store_file *);
void store_file_rollback(struct store_file *);
/* Ends a transaction: commits it when end is DONE, else takes it back and
 * returns end. */
enum store_end store_file_end(struct store_file *, enum store_end end);

/* Adds a deed's row to the audit, inside the transaction of the deed. what:
 * a JSON object; a buf that failed fails here. */
struct buf;
enum store_end store_audit_add(struct store *, const struct store_deed *,
    long long at, const struct buf *what);

/* A whole copy of an open database as a file. */
enum store_end store_copy(struct store *, sqlite3 *from, const char *file);
/* Removes a database with what belongs to it. */
void store_copy_remove(const char *path);
/* Whether the file is the database itself. */
bool store_copy_same(const struct store_file *, const char *file);
/* Whether PRAGMA integrity_check finds it sound; why: what it says. */
bool store_integrity(sqlite3 *, struct buf *why);

/* Looks whether another process has committed, and reads the present version
 * again when it has; `moved`: it has, or nothing was known. */
enum store_end store_look(struct store *, bool *moved);

/* Inside a transaction: the content of an older version under a number that
 * the caller has chosen. */
enum store_end store_version_again(struct store *,
    const struct store_change *, const struct store_version *old,
    long long number);

/* Sets why and detail, returns end. */
enum store_end store_say(struct store *, enum store_end, const char *detail,
    const char *why, ...) __attribute__((format(printf, 4, 5)));

/* A copy of a column's text, NULL for NULL. False: out of memory. */
bool store_column(sqlite3_stmt *, int column, char **out);

/* store_file_ready for liveness: what is damaged is put aside, made anew. */
enum store_end store_live_ready(struct store *);
/* The 16 bytes of a UUID; token_uuid_print is the way back. */
void store_live_key(unsigned char out[16], const char *id);
/* store_file_sql of truth, its first parameter an agent's id, which is
 * borrowed until the statement is reset. */
sqlite3_stmt *store_agent_sql(struct store *, enum store_sql,
    const char *id);
/* Who polled from `from` on, and before the part that stands before this one,
 * was told this interval. The newest is the first, the last is for ever. */
enum { STORE_TOLD_PARTS = 8 };
struct store_told {
	struct store_told_part {
		long long from;		/* ms since 1970 */
		long interval;		/* seconds */
	} part[STORE_TOLD_PARTS];
	int count;			/* 1 or more */
};
enum store_end store_told(struct store *, struct store_told *);
/* How many agents truth has. */
enum store_end store_total(struct store *, long long *total);
/* DONE when truth, which is open, has a row of the agent, else NONE. */
enum store_end store_known(struct store *, const char *id);
/* Forgets an agent's liveness: in a transaction of its own; inside of
 * store_pulse_begin. */
enum store_end store_live_forget(struct store *, const char *id);
enum store_end store_live_drop(struct store *, const char *id);
/* Adds an agent to liveness, unless it is there; inside of
 * store_pulse_begin. */
enum store_end store_live_new(struct store *, const char *id);
/* What an agent's last poll said, in pulse: see store_sqlite_pulse.c. */
enum store_pulse_state {
	STORE_PULSE_UNKNOWN,	/* see the row */
	STORE_PULSE_NEW,
	STORE_PULSE_OK,
	STORE_PULSE_FAILED,
	STORE_PULSE_NO_WORKER,
	STORE_PULSE_OFFLINE,
};
struct store_pulse {
	long long at;		/* ms since 1970; 0: never */
	long long version;	/* -1: see the row */
	bool highest;		/* the agent had no higher one before */
	enum store_pulse_state state;	/* as shown */
};
enum { STORE_PULSE_AGENTS = 333 };	/* to a page */
/* Versions that find room in an entry are below it. */
#define STORE_PULSE_VERSIONS (1LL << 43)
/* That of a word; UNKNOWN for any other. And the other way round; NULL. */
enum store_pulse_state store_pulse_state(const char *word);
const char *store_pulse_word(enum store_pulse_state);
/* An entry of a page as it is read from the file. False: there is none. */
bool store_pulse_decode(const void *said, int len, long long number,
    struct store_pulse *);
/* An agent's version: what its entry says, else what its row has; -1: it
 * never said one. */
long long store_pulse_version(const struct store_pulse *, long long of_row);
/* A transaction of liveness in which entries are read and written, and numbers
 * given, as store_file_begin and store_file_end. */
enum store_end store_pulse_begin(struct store *);
enum store_end store_pulse_end(struct store *, enum store_end end);
/* Inside of it. at 0: the entry is free. */
enum store_end store_pulse_get(struct store *, long long number,
    struct store_pulse *);
enum store_end store_pulse_set(struct store *, long long number,
    const struct store_pulse *);
/* A number that no agent had. */
enum store_end store_pulse_number(struct store *, long long *number);
/* Inside of it: that there are so many more shown with a state and a version,
 * or fewer. It is written at its end. */
enum store_end store_tally(struct store *, const char *state,
    long long version, long long change);
/* One less of what was shown, and one more of what is. */
enum store_end store_tally_move(struct store *, const char *old_state,
    long long old, const char *state, long long version);
enum store_end store_tally_write(struct store *);
/* Counts all again, in a transaction of its own. */
enum store_end store_tally_anew(struct store *);
/* A transaction of liveness that folds beats, as store_file_begin and
 * store_file_end. */
enum store_end store_fold_begin(struct store *);
enum store_end store_fold_end(struct store *, enum store_end end);
/* Writes one beat of an agent that is remembered, if its entry has room for
 * what it says. *known: that was all, or it is too late to count. Else it is
 * for store_fold_one, as is whatever the agent says behind it. */
enum store_end store_fold_known(struct store *, const struct store_beat *,
    long long now, bool *known);
/* Writes one beat into its agent's entry or row, unless more is known: *found
 * says whether there is one. */
enum store_end store_fold_one(struct store *, const struct store_beat *,
    long long now, bool *found);
/* Gives an agent a number and an entry that has none, see APART. */
enum store_end store_fold_apart(struct store *, const char *id);
/* What is shown of an agent that is not silent, by what it said ("": nothing)
 * and its version. */
const char *store_shown(const char *said, long long version);
/* What a look took, in ms: of a processor, and by the clock. What is between
 * begin and end is added. */
struct store_spent {
	long long busy, steady;
};
void store_spent_begin(struct store_spent *);
void store_spent_end(struct store_spent *);
/* Shows who fell silent as offline, and who is not any more as he was. looked:
 * what it took to find them; *left: the time (clock_steady) was over before
 * all were shown. */
enum store_end store_silent(struct store *, const struct store_told *,
    long long now, long long until, struct store_spent *looked, bool *left);
/* Inside of it: whether a version, from 1 on, was ever published; counts that
 * an agent reported such a one for the first time; writes what was counted;
 * forgets it. When it is committed, tells of it. */
enum store_end store_spread_known(struct store *, long long version,
    bool *known);
enum store_end store_spread(struct store *, long long version, long long at);
enum store_end store_spread_write(struct store *);
void store_spread_forget(struct store *);
void store_spread_tell(struct store *);
/* Truth and liveness may have as many agents, but others: the next store_sweep
 * walks through all of them, from the first one on. */
void store_sweep_owed(struct store *);
/* Fills an agent's liveness; leaves it "never" where it is not known. */
enum store_end store_live(struct store *, struct store_agent *);

#endif
