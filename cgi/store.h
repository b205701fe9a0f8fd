#ifndef STORE_H
#define STORE_H
/*
 * Where versions, agents and their liveness are kept. The committed row is
 * the truth; everything else is a hint or a copy (contract, section 1).
 *
 * Truth and liveness are two databases, so that nothing about liveness can
 * delay or block a publish. Either is opened at its first use, and again
 * after it was broken, replaced or away: a store is never closed for good.
 */
#include <stdbool.h>
#include <stddef.h>

#include "etag.h"
#include "token.h"

struct store;

enum store_end {
	STORE_DONE,
	STORE_SAME,		/* publish: it is what the present one is */
	STORE_STALE,		/* publish: if_match does not name it */
	STORE_NONE,		/* no such row */
	STORE_BUSY,		/* locked for longer than busy_ms */
	STORE_READONLY,
	STORE_FULL,		/* no space left */
	STORE_NEWER,		/* of a newer program; not touched */
	STORE_BROKEN,		/* no database, damaged, cannot be opened */
};

/* Places, and how long to wait for locks of others. Strings are copied. */
struct store_options {
	const char *path;	/* of truth; liveness lies beside it */
	const char *journal;	/* "wal" or "truncate": for new databases */
	long interval;		/* poll interval of version 0, seconds */
	int busy_ms;
	/* Told of each verb that failed, and of each first report of a version
	 * with the time since its publish. Either may be NULL. */
	void (*fault)(void *arg, enum store_end);
	void (*applied)(void *arg, long long ms);
	void *arg;
};

/* NULL when out of memory. Opens nothing yet. */
struct store *store_new(const struct store_options *);
void store_free(struct store *);

/* About the last verb that ended in BUSY or worse: a sentence for strangers,
 * without paths, and one for the log, with them. Borrowed until the next. */
const char *store_why(const struct store *);
const char *store_detail(const struct store *);

/* Makes or migrates both databases if need be. */
enum store_end store_ready(struct store *);
/* Whether truth can be read, a write begun within wait_ms, and there is room
 * for one. */
enum store_end store_probe(struct store *, int wait_ms);

/* --- the audit ---------------------------------------------------------- */

/* Who does something. Its row goes into the same transaction. Borrowed. */
struct store_deed {
	const char *action;	/* "publish", "register" … */
	const char *who;	/* which credential, never the secret */
	const char *address;	/* from where */
	const char *request_id;
};

/* A row. Read: its texts are borrowed while `each` runs. */
struct store_audit {
	long long id;
	long long at;		/* ms since 1970 */
	const char *who, *address, *request_id, *action;
	const char *what;	/* JSON, an object */
	long long count;
};

/* Calls each for at most limit rows with an id below `before` (0: all) that
 * are not older than `since`, the newest first. */
enum store_end store_audit(struct store *, long long before, long long since,
    long limit, void (*each)(void *arg, const struct store_audit *),
    void *arg, bool *more);

/* Adds to the rows of refused credentials, one for each `at` (the start of a
 * minute) and address; action must be "refused". The first *written of them
 * are on disk, whatever the end. */
enum store_end store_refused(struct store *, const struct store_audit *,
    size_t count, size_t *written);

/* Forgets some of what is older than `since`: DONE, there may be more; NONE,
 * there was nothing. */
enum store_end store_audit_purge(struct store *, long long since);

/* --- versions ----------------------------------------------------------- */

/* A version with the body and the tag of its 200. */
struct store_version {
	long long version;	/* 0: before the first publish, data {} */
	long interval;		/* seconds */
	long long created_at;	/* ms since 1970; 0 for version 0 */
	char *body;		/* owned; NUL-terminated */
	size_t len;
	char etag[ETAG_SIZE];
};
void store_version_free(struct store_version *);

/* The present version. Costs a look at PRAGMA data_version when it is known
 * already. Borrowed until the next verb. */
enum store_end store_current(struct store *, const struct store_version **);
/* The same as it was at the last look of store_least or store_current, without
 * another one: for who has looked since his request came. */
enum store_end store_seen(struct store *, const struct store_version **);
/* An older or the present one; NONE. store_version_free in any case. */
enum store_end store_version(struct store *, long long version,
    struct store_version *);

struct store_change {
	const char *data;	/* the document */
	size_t len;
	long interval;		/* 0: the present one stays */
	const char *author;	/* which credential */
	const char *comment;	/* or NULL */
	const char *if_match;	/* an If-Match header, or NULL */
	const struct store_deed *deed;	/* for the audit, or NULL */
	long long content_of;	/* an older version's; 0: of its own */
	bool first;		/* only as version 1: else STALE */
	bool dry;		/* only decide: nothing is written, and DONE
				 * gives the present version */
};

/*
 * Publishes in one transaction that begins with the write lock. DONE means
 * on disk. DONE, SAME and STALE give the present version as store_current
 * does. The order of decision: STALE, SAME, DONE.
 */
enum store_end store_publish(struct store *, const struct store_change *,
    const struct store_version **);

/* What the history says of a version. */
struct store_entry {
	long long version;
	long long created_at;	/* ms since 1970 */
	long interval;		/* seconds */
	long long size;		/* of the document, bytes */
	const char *sha256;	/* of the document, hex; borrowed, as the
				 * rest, while `each` runs */
	const char *author;
	const char *comment;	/* or NULL */
};

/* Calls each for at most limit versions below `before` (0: all), the newest
 * first; `more` says whether some are left. */
enum store_end store_history(struct store *, long long before, long limit,
    void (*each)(void *arg, const struct store_entry *), void *arg,
    bool *more);

/* --- agents ------------------------------------------------------------- */

struct store_agent {
	char id[TOKEN_UUID];
	char *hostname;		/* owned, as the rest; any may be NULL */
	char *ip_address;
	long long port;		/* 0: not said */
	char *metadata;		/* JSON text, a string or an object */
	char *software;		/* JSON text */
	char *address;		/* where it registered from */
	long long registered_at;	/* ms since 1970 */
	long long generation;	/* of its token, 1 or more */
	/* liveness */
	long long last_poll;	/* ms since 1970; 0: never */
	long long applied_version;	/* -1: never said */
	char *state;		/* as shown: "ok", "failed", "no-worker",
				 * "offline", "new"; NULL stands for it */
	char *error;
};
void store_agent_free(struct store_agent *);

/* Writes down what the agent says (id to address; the rest is ignored), as a
 * new row or over the old one, whose generation stays. Gives generation.
 * The deed, for the audit, may be NULL. */
enum store_end store_register(struct store *, const struct store_agent *,
    const struct store_deed *, long long *generation);

/* Calls each for at most limit agents, present or deleted, with the generation
 * below which their tokens are no longer good, where that is not the first;
 * `more` says whether some are left. An id may come twice: the last counts. */
enum store_end store_raised(struct store *, long limit,
    void (*each)(void *arg, const char *id, long long generation), void *arg,
    bool *more);

/* The generation of an agent's token; NONE when it is not known. */
enum store_end store_generation(struct store *, const char *id,
    long long *generation);

/* The generation below which an agent's tokens are no longer good: 1 for one
 * that is not known. A look at PRAGMA data_version, while few are raised. */
enum store_end store_least(struct store *, const char *id,
    long long *generation);

/* One agent; NONE. store_agent_free in any case. */
enum store_end store_agent(struct store *, const char *id,
    struct store_agent *);

/* Raises the generation of an agent's token: NONE, or gives it. A deed may be
 * NULL; now: ms since 1970. */
enum store_end store_rotate(struct store *, const char *id,
    const struct store_deed *, long long now, long long *generation);
/* Raises it to one that a good token has, for truth was restored; an agent
 * that is not known is written down. now: ms since 1970. */
enum store_end store_raise(struct store *, const char *id,
    long long generation, long long now);
/* Deletes an agent, or NONE; its tokens are not good again, not even after it
 * has registered anew. */
enum store_end store_forget(struct store *, const char *id,
    const struct store_deed *, long long now);

/* Calls each for at most limit agents after the id `after` ("" for the
 * first), by id; `total` counts all, `more` says whether some are left. */
enum store_end store_agents(struct store *, const char *after, long limit,
    void (*each)(void *arg, const struct store_agent *), void *arg,
    long long *total, bool *more);

/* Which agents, from where, and how many. */
struct store_filter {
	const char *after;	/* an id, or "" */
	long limit;
	const char *state;	/* as shown, or NULL for any */
	long long version;	/* applied; -1: any */
};

/*
 * store_agents of those that fit; total counts these. One that was deleted,
 * and is in liveness yet, is passed over: last is set to the id that the page
 * has come to, also when that one is not given to each.
 */
enum store_end store_agents_by(struct store *, const struct store_filter *,
    void (*each)(void *arg, const struct store_agent *), void *arg,
    long long *total, char last[TOKEN_UUID], bool *more);

/* How far a version has come. Each agent is in one of the four. */
struct store_rollout {
	long long version, published_at;	/* 0: nothing published */
	long long total;
	long long offline;	/* whatever they have applied */
	long long failed;	/* they have no later version than this one */
	long long up_to_date;	/* they have this one or a later one */
	long long behind;	/* the rest */
	/* ms from the publish to an agent's first report, at most 7 % too
	 * high; -1: nobody has reported it. The last one is exact. */
	long long p50, p95, p99, max;
};

/* version 0: the newest. NONE: there is no such version. */
enum store_end store_rollout(struct store *, long long version,
    struct store_rollout *);

/* How many agents are in a state (NULL: any) with a version (-1: any). */
enum store_end store_count(struct store *, const char *state,
    long long version, long long *count);

/* --- liveness ----------------------------------------------------------- */

/* What one poll said. */
struct store_beat {
	char id[TOKEN_UUID];
	long long at;		/* ms since 1970 */
	long long applied_version;	/* -1: not said */
	const char *state;	/* a string that stays, or NULL */
	const char *error;	/* what went wrong, "": nothing; NULL: it
				 * is not said */
	bool trusted;		/* it came with the agent's own token */
};

/*
 * Folds beats, in any order, into liveness; older ones than are known change
 * nothing, so that folding twice is harmless. What is later than `now` (ms
 * since 1970), a beat or what is known, is of a clock that was set back, and
 * hinders none. An unknown agent is written down when trusted, else ignored.
 * The beats are left in another order.
 */
enum store_end store_fold(struct store *, struct store_beat *, size_t count,
    long long now);

/* Whether folds remember the numbers of the agents they meet, up to 96 bytes
 * each: one that says nothing new costs a quarter then. For the one process
 * that folds most. */
void store_remember(struct store *, bool);

/*
 * Shows agents as offline that were silent for three of the intervals that
 * they were told, and mends what liveness and truth do not agree about. Costs
 * little when it is called often: the longer it takes, the rarer it does
 * anything. What it finds to do and cannot in `budget` ms, it leaves to the
 * next calls.
 */
enum store_end store_sweep(struct store *, long long now, long budget);

/* Puts what a WAL has gathered into its database, if it has grown and nobody
 * else does. Called after verbs that write by whoever has time; who is prompt
 * leaves heartbeats, which may wait long for the disk, to others. */
void store_checkpoint(struct store *, bool prompt);

/* --- looking after ------------------------------------------------------ */

/* Copies truth to a file, consistent while others write. The file appears
 * complete or not at all, and replaces what was there. */
enum store_end store_backup(struct store *, const char *file);

struct store_restored {
	long long version;	/* the new one */
	long long content_of;	/* the backup's newest, that it comes from */
	char kept[4096];	/* the replaced database; "": there was none */
};

/*
 * Restores a backup: in one transaction, above the highest version that
 * either side knows, with the replaced database kept beside. NONE: the
 * backup has no version in it. Nobody need be stopped for it.
 */
enum store_end store_restore(struct store *, const char *file,
    struct store_restored *);

/* PRAGMA integrity_check on both, nothing made or changed. Lines for people
 * to out: "ok …" or "bad …". False: at least one is bad. */
struct buf;
bool store_examine(const struct store_options *, struct buf *out);

#endif
