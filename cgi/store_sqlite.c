/*
 * The store as a whole: its two databases, the statements of truth, and what
 * keeps them in order. Those of liveness are in store_sqlite_liveness.c, those
 * of a restore in store_sqlite_restore.c.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "keep.h"
#include "log.h"

enum {
	STORE_ROOM = 131072,	/* bytes: a large publish and its frames */
	STORE_PAGE = 4096,	/* bytes, as SQLite chooses */
	STORE_FINISH_MS = 200,	/* for the lock of whoever writes */
	STORE_PROMPT_TIMES = 4,	/* more than enough: then it is not left to
				 * others */
};

static const char *const store_sql_truth[STORE_SQL_TRUTH] = {
	STORE_SQL_BOTH,
	[STORE_SQL_NEWEST] =
	    "SELECT version, data, poll_interval, created_at FROM version "
	    "ORDER BY version DESC LIMIT 1",
	[STORE_SQL_NEWEST_NUMBER] = "SELECT max(version) FROM version",
	[STORE_SQL_VERSION] =
	    "SELECT version, data, poll_interval, created_at FROM version "
	    "WHERE version = ?1",
	[STORE_SQL_PUBLISH] =
	    "INSERT INTO version (version, data, size, sha256, "
	    "poll_interval, created_at, author, comment) "
	    "VALUES (?1, ?2, length(?2), ?3, ?4, ?5, ?6, ?7)",
	[STORE_SQL_HISTORY] =
	    "SELECT version, created_at, poll_interval, size, sha256, "
	    "author, comment FROM version WHERE version < ?1 "
	    "ORDER BY version DESC LIMIT ?2",
	[STORE_SQL_REGISTER] =
	    "INSERT INTO agent (id, hostname, ip_address, port, metadata, "
	    "software, address, registered_at, first_version, generation) "
	    "VALUES (?1, ?2, ?3, nullif(?4, 0), ?5, ?6, ?7, ?8, "
	    "coalesce((SELECT max(version) FROM version), 0), coalesce("
	    "(SELECT generation FROM tombstone WHERE id = ?1), 1)) "
	    "ON CONFLICT (id) DO UPDATE SET hostname = excluded.hostname, "
	    "ip_address = excluded.ip_address, port = excluded.port, "
	    "metadata = excluded.metadata, software = excluded.software, "
	    "address = excluded.address, "
	    "registered_at = excluded.registered_at "
	    "RETURNING generation",
	[STORE_SQL_ADOPT] =
	    "INSERT INTO agent (id, address, registered_at, first_version) "
	    "SELECT ?1, '', ?2, "
	    "coalesce((SELECT max(version) FROM version), 0) "
	    "WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE id = ?1) "
	    "ON CONFLICT DO NOTHING",
	[STORE_SQL_GENERATION] =
	    "SELECT generation FROM agent WHERE id = ?1 UNION ALL "
	    "SELECT generation FROM tombstone WHERE id = ?1 LIMIT 1",
	[STORE_SQL_AGENT] =
	    "SELECT id, hostname, ip_address, port, metadata, software, "
	    "address, registered_at, generation FROM agent WHERE id = ?1",
	[STORE_SQL_KNOWN] = "SELECT 1 FROM agent WHERE id = ?1",
	[STORE_SQL_PUBLISHED] =
	    "SELECT created_at FROM version WHERE version = ?1",
	[STORE_SQL_INTERVALS] =
	    "SELECT version, created_at, poll_interval FROM version "
	    "ORDER BY version DESC LIMIT ?1",
	[STORE_SQL_IDS] =
	    "SELECT id FROM agent WHERE id > ?1 ORDER BY id LIMIT ?2",
	[STORE_SQL_ROTATE] =
	    "UPDATE agent SET generation = generation + 1 WHERE id = ?1 "
	    "RETURNING generation",
	[STORE_SQL_RAISE] =
	    "INSERT INTO agent (id, address, registered_at, first_version, "
	    "generation) VALUES (?1, '', ?3, "
	    "coalesce((SELECT max(version) FROM version), 0), ?2) "
	    "ON CONFLICT (id) DO UPDATE "
	    "SET generation = max(generation, excluded.generation)",
	[STORE_SQL_RAISED] =
	    "SELECT id, generation FROM tombstone UNION ALL "
	    "SELECT id, generation FROM agent WHERE generation > 1 "
	    "LIMIT ?1",
	[STORE_SQL_BURY] =
	    "INSERT INTO tombstone SELECT id, generation + 1, ?2 FROM agent "
	    "WHERE id = ?1 ON CONFLICT (id) DO UPDATE "
	    "SET generation = max(generation, excluded.generation)",
	[STORE_SQL_FORGET] = "DELETE FROM agent WHERE id = ?1",
	[STORE_SQL_DIG] = "DELETE FROM tombstone WHERE id = ?1",
	[STORE_SQL_AGENTS] =
	    "SELECT id, hostname, ip_address, port, metadata, software, "
	    "address, registered_at, generation FROM agent "
	    "WHERE id > ?1 ORDER BY id LIMIT ?2",
	[STORE_SQL_TOTAL] = "SELECT total FROM agent_total",
	[STORE_SQL_ADDRESS] = "SELECT address FROM agent WHERE id = ?1",
	[STORE_SQL_AUDIT] =
	    "INSERT INTO audit (at, who, address, request_id, action, what) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[STORE_SQL_REFUSED] =
	    "INSERT INTO audit (at, who, address, request_id, action, what, "
	    "count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
	    "ON CONFLICT (at, address) WHERE action = 'refused' DO UPDATE "
	    "SET who = excluded.who, request_id = excluded.request_id, "
	    "what = excluded.what, count = count + excluded.count",
	[STORE_SQL_AUDITED] =
	    "SELECT id, at, who, address, request_id, action, what, count "
	    "FROM audit WHERE id < ?1 AND at >= ?2 "
	    "ORDER BY id DESC LIMIT ?3",
	[STORE_SQL_AUDIT_OLD] =
	    "SELECT 1 FROM audit WHERE at < ?1 LIMIT 1",
	[STORE_SQL_AUDIT_PURGE] =
	    "DELETE FROM audit WHERE id IN (SELECT id FROM audit "
	    "WHERE at < ?1 ORDER BY at LIMIT ?2)",
};

const struct store_kind store_truth = {
	.name = "the database",
	.sql = store_sql_truth,
	.count = STORE_SQL_TRUTH,
	.steps = migrate_steps_truth,
	.open = "PRAGMA synchronous=FULL",
	.frames = 256,
};

/* "controller.db" has its liveness in "controller-live.db". */
static char *
store_live_path(const char *path)
{
	size_t stem = strlen(path);
	char *out;

	if (stem > 3 && strcmp(path + stem - 3, ".db") == 0)
		stem -= 3;
	if (asprintf(&out, "%.*s-live.db", (int)stem, path) < 0)
		return NULL;
	return out;
}

struct store *
store_new(const struct store_options *options)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	/* what nobody asks for costs a lock at each malloc(3); heeded before
	 * SQLite's first use only */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->truth = (struct store_file){ .kind = &store_truth, .store = s };
	s->live = (struct store_file){ .kind = &store_liveness, .store = s };
	s->truth.path = strdup(options->path);
	s->live.path = store_live_path(options->path);
	s->journal = strdup(options->journal);
	s->interval = options->interval;
	s->busy_ms = options->busy_ms;
	s->told = (struct store_options){
		.fault = options->fault,
		.applied = options->applied,
		.arg = options->arg,
	};
	s->seen = -1;
	if (s->truth.path == NULL || s->live.path == NULL ||
	    s->journal == NULL) {
		store_free(s);
		return NULL;
	}
	return s;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	store_file_close(&s->truth);
	store_file_close(&s->live);
	store_version_free(&s->current);
	free(s->truth.path);
	free(s->live.path);
	free(s->journal);
	free(s);
}

bool
store_column(sqlite3_stmt *statement, int column, char **out)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	*out = text != NULL ? strdup((const char *)text) : NULL;
	return *out != NULL ||
	    sqlite3_column_type(statement, column) == SQLITE_NULL;
}

const char *
store_why(const struct store *s)
{
	return s->why;
}

const char *
store_detail(const struct store *s)
{
	return s->detail;
}

enum store_end
store_ready(struct store *s)
{
	enum store_end end = store_file_ready(&s->truth);

	return end == STORE_DONE ? store_live_ready(s) : end;
}

/* A write that is begun does not ask for room yet: a commit would. */
static enum store_end
store_room(struct store_file *f)
{
	int err = keep_room(f->path, STORE_ROOM);
	char detail[400];

	if (err != ENOSPC && err != EDQUOT && err != EFBIG)
		return STORE_DONE;
	snprintf(detail, sizeof(detail), "%.300s: %s", f->path,
	    strerror(err));
	return store_say(f->store, STORE_FULL, detail,
	    "there is no space left for %s", f->kind->name);
}

/*
 * A write is begun and taken back. The header is read through a connection
 * of its own, for ours may answer from its cache what the file has lost.
 */
enum store_end
store_probe(struct store *s, int wait_ms)
{
	struct store_file *f = &s->truth;
	enum store_end end = store_file_look(f);

	if (end == STORE_DONE)
		end = store_file_ready(f);
	if (end != STORE_DONE)
		return end;
	sqlite3_busy_timeout(f->db, wait_ms);
	end = store_file_begin(f);
	store_file_rollback(f);
	if (f->db != NULL)
		sqlite3_busy_timeout(f->db, s->busy_ms);
	return end == STORE_DONE ? store_room(f) : end;
}

/* How many frames in the WAL are worth a checkpoint. */
static int
store_file_enough(const struct store_file *f)
{
	int pages = 0;
	struct stat st;

	if (f->kind->patient && stat(f->path, &st) == 0)
		pages = (int)(st.st_size / STORE_PAGE);
	return pages > f->kind->frames ? pages : f->kind->frames;
}

/*
 * What came during a checkpoint, which may wait long for the disk. A WAL begins
 * anew only when there is nothing left, and to that one that others write to
 * all the time never came. They wait for this one, which is short.
 */
static void
store_file_finish(struct store_file *f)
{
	sqlite3_busy_timeout(f->db, STORE_FINISH_MS);
	if (sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_FULL,
	    NULL, NULL) != SQLITE_OK)
		log_debug("store", "%s: checkpoint: %s", f->path,
		    sqlite3_errmsg(f->db));
	sqlite3_busy_timeout(f->db, f->store->busy_ms);
}

/* times: how much more than enough there has to be. */
static void
store_file_checkpoint(struct store_file *f, int times)
{
	char path[PATH_MAX];
	int lock, left = 0;

	if (f->db == NULL || f->frames / times < store_file_enough(f))
		return;
	migrate_lock_path(path, sizeof(path), f->path);
	lock = keep_lock(path, 0);
	if (lock < 0)
		return;
	if (sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	    &left, NULL) != SQLITE_OK)
		log_warn("store", "%s: checkpoint: %s", f->path,
		    sqlite3_errmsg(f->db));
	else
		log_debug("store", "%s: checkpoint of %d pages", f->path,
		    left);
	if (f->kind->patient)
		store_file_finish(f);
	f->frames = 0;
	close(lock);
}

void
store_checkpoint(struct store *s, bool prompt)
{
	store_file_checkpoint(&s->truth, 1);
	store_file_checkpoint(&s->live, prompt ? STORE_PROMPT_TIMES : 1);
}

/* --- looking after ------------------------------------------------------ */

static bool
store_examine_file(struct store_file *f, struct buf *out)
{
	struct migrate_plan plan = store_file_plan(f);
	struct migrate_result result;
	struct buf why = BUF_INIT(512);
	sqlite3 *db;
	enum migrate_end end = migrate_look(&plan, &db, &result);
	bool ok = false;

	if (end == MIGRATE_MISSING) {
		buf_printf(out, "ok   %s: not there yet, it will be made\n",
		    f->path);
		return true;
	}
	if (end != MIGRATE_DONE && end != MIGRATE_OLDER) {
		buf_printf(out, "bad  %s: %s\n", f->path, result.text);
	} else if (!store_integrity(db, &why)) {
		buf_printf(out, "bad  %s: %s\n", f->path, buf_text(&why));
	} else {
		ok = true;
		buf_printf(out, "ok   %s: schema %d%s, sound\n", f->path,
		    result.found, end == MIGRATE_OLDER ?
		    " (migrations are due)" : "");
	}
	buf_free(&why);
	sqlite3_close(db);
	return ok;
}

bool
store_examine(const struct store_options *options, struct buf *out)
{
	struct store *s = store_new(options);
	bool ok;

	if (s == NULL)
		return false;
	ok = store_examine_file(&s->truth, out);
	ok = store_examine_file(&s->live, out) && ok;
	store_free(s);
	return ok;
}
