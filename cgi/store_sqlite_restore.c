/*
 * Back to a backup. What is restored is merged into the database in one
 * transaction, so that nobody who reads or writes meanwhile sees anything
 * but the state before or the state after, and a crash leaves one of them.
 *
 * Versions that the backup has become what they are there; later ones stay,
 * for numbers have no gaps; the content of the backup's newest is published
 * above them all. Agents that registered since stay too, those that were
 * deleted since stay deleted, and generations never fall. The audit stays.
 *
 * A database that is damaged cannot be merged into: it is put aside whole,
 * and responders that have it open notice that another one lies there.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "keep.h"

enum { STORE_RESTORE_TRIES = 100000 };	/* for a lock, 200 µs apart */

/* One restore on its way. */
struct store_restore {
	struct store *store;
	const char *file;		/* the backup */
	char copy[PATH_MAX];		/* of the backup, migrated */
	long long highest;		/* of a database that was put aside */
	struct store_restored *out;
};

/* Rows of the audit with the same number that tell of something else come
 * from another life of the controller: they move behind the backup's. */
#define STORE_RESTORE_OTHER						\
	"EXISTS (SELECT 1 FROM main.audit AS a "			\
	"JOIN restored.audit AS b USING (id) "				\
	"WHERE a.at <> b.at OR a.action <> b.action)"

static const char store_restore_merge[] =
    "DELETE FROM main.version WHERE version <= "
    "(SELECT max(version) FROM restored.version);"
    "INSERT INTO main.version SELECT * FROM restored.version;"
    "UPDATE main.agent SET generation = r.generation "
    "FROM (SELECT id, generation FROM restored.agent UNION ALL "
    "SELECT id, generation FROM restored.tombstone) AS r "
    "WHERE r.id = main.agent.id "
    "AND r.generation > main.agent.generation;"
    "INSERT INTO main.tombstone SELECT * FROM restored.tombstone "
    "WHERE id NOT IN (SELECT id FROM main.agent) ON CONFLICT (id) "
    "DO UPDATE SET generation = max(generation, excluded.generation);"
    "UPDATE main.tombstone SET generation = r.generation + 1 "
    "FROM restored.agent AS r WHERE r.id = main.tombstone.id "
    "AND r.generation >= main.tombstone.generation;"
    "INSERT OR IGNORE INTO main.agent SELECT * FROM restored.agent "
    "WHERE id NOT IN (SELECT id FROM main.tombstone);"
    "UPDATE main.audit SET id = -(id + "
    "(SELECT max(id) FROM restored.audit)) WHERE " STORE_RESTORE_OTHER ";"
    "UPDATE main.audit SET id = -id WHERE id < 0;"
    "INSERT OR IGNORE INTO main.audit SELECT * FROM restored.audit;";

static enum store_end
store_restore_number(struct store_restore *r, const char *sql,
    long long *out)
{
	struct store_file *f = &r->store->truth;
	sqlite3_stmt *row = NULL;
	enum store_end end = STORE_DONE;

	if (sqlite3_prepare_v2(f->db, sql, -1, &row, NULL) != SQLITE_OK ||
	    sqlite3_step(row) != SQLITE_ROW)
		end = store_file_failed(f);
	else
		*out = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return end;
}

/* --- the backup --------------------------------------------------------- */

static enum store_end
store_restore_bad(struct store *s, const char *file, enum migrate_end end,
    const struct migrate_result *result)
{
	if (end == MIGRATE_MISSING)
		return store_say(s, STORE_BROKEN, file, "there is no such "
		    "file");
	return store_say(s, end == MIGRATE_NEWER ? STORE_NEWER :
	    STORE_BROKEN, result->text, "that is no backup of ours");
}

/* A copy of the backup at this program's schema: the file itself is left as
 * it is. */
static enum store_end
store_restore_copy(struct store_restore *r, const char *file)
{
	struct migrate_plan plan = store_file_plan(&r->store->truth);
	struct migrate_result result;
	enum migrate_end looked;
	enum store_end end;
	sqlite3 *db;

	plan.path = file;
	looked = migrate_look(&plan, &db, &result);
	if (looked == MIGRATE_DONE || looked == MIGRATE_OLDER)
		end = store_copy(r->store, db, r->copy);
	else
		end = store_restore_bad(r->store, file, looked, &result);
	sqlite3_close(db);
	if (end != STORE_DONE)
		return end;
	plan.path = r->copy;
	looked = migrate_open(&plan, &db, &result);
	sqlite3_close(db);
	return looked == MIGRATE_DONE ? STORE_DONE :
	    store_restore_bad(r->store, file, looked, &result);
}

/* --- what is replaced --------------------------------------------------- */

static bool
store_restore_keep_name(struct store_restore *r)
{
	const char *path = r->store->truth.path;
	char stamp[32];
	struct tm tm;
	time_t now = time(NULL);

	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ",
	    gmtime_r(&now, &tm));
	for (int i = 0; i < 100; i++) {
		char more[8] = "";

		if (i > 0)
			snprintf(more, sizeof(more), "-%d", i);
		if (snprintf(r->out->kept, sizeof(r->out->kept),
		    "%s.replaced-%s%s", path, stamp, more) >=
		    (int)sizeof(r->out->kept))
			return false;
		if (access(r->out->kept, F_OK) < 0)
			return true;
	}
	return false;
}

/* Whether it can be merged into; reads its highest version, if it can. */
static bool
store_restore_sound(struct store_restore *r, enum migrate_end *looked)
{
	struct migrate_plan plan = store_file_plan(&r->store->truth);
	struct migrate_result result;
	struct buf why = BUF_INIT(512);
	sqlite3_stmt *row = NULL;
	sqlite3 *db;
	bool ok;

	*looked = migrate_look(&plan, &db, &result);
	if (*looked == MIGRATE_FAILED) {
		int code = result.code & 0xff;

		return code != SQLITE_NOTADB && code != SQLITE_CORRUPT;
	}
	if (*looked != MIGRATE_DONE && *looked != MIGRATE_OLDER) {
		sqlite3_close(db);
		return true;	/* not ours to put aside */
	}
	ok = store_integrity(db, &why);
	if (sqlite3_prepare_v2(db, "SELECT max(version) FROM version", -1,
	    &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
		r->highest = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	buf_free(&why);
	sqlite3_close(db);
	return ok;
}

/* An empty file, which is an empty database, of the same owner: root may
 * restore what others serve. */
static bool
store_restore_empty(const char *path, const char *like)
{
	struct stat st;
	bool ok;
	int fd;

	if (stat(like, &st) < 0)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 && (geteuid() != 0 ||
	    fchown(fd, st.st_uid, st.st_gid) == 0);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Renames all its files; the lock keeps others from making a new one until
 * this is done. */
static enum store_end
store_restore_aside(struct store_restore *r)
{
	static const char *const parts[] = { "-shm", "-wal", "-journal" };
	const char *path = r->store->truth.path;
	enum store_end end = STORE_DONE;
	char from[PATH_MAX], to[PATH_MAX];
	int lock;

	migrate_lock_path(from, sizeof(from), path);
	lock = keep_lock(from, 1);
	store_file_close(&r->store->truth);
	if (lock < 0 || !store_restore_keep_name(r) ||
	    rename(path, r->out->kept) < 0)
		end = store_say(r->store, STORE_BROKEN, strerror(errno),
		    "the damaged database cannot be put aside");
	for (size_t i = 0; end == STORE_DONE &&
	    i < sizeof(parts) / sizeof(*parts); i++) {
		snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		snprintf(to, sizeof(to), "%.4080s%s", r->out->kept,
		    parts[i]);
		rename(from, to);
	}
	if (end == STORE_DONE && !store_restore_empty(path, r->out->kept))
		end = store_say(r->store, STORE_BROKEN, strerror(errno),
		    "a new database cannot be made");
	if (lock >= 0)
		close(lock);
	return end;
}

/* A copy of what is there, inside the transaction that replaces it. */
static enum store_end
store_restore_keep(struct store_restore *r, bool fresh)
{
	struct migrate_plan plan = store_file_plan(&r->store->truth);
	struct migrate_result result;
	enum store_end end;
	sqlite3 *db;

	if (fresh)
		return STORE_DONE;
	if (!store_restore_keep_name(r))
		return store_say(r->store, STORE_BROKEN, plan.path,
		    "there is no name left for the replaced database");
	migrate_look(&plan, &db, &result);
	end = db != NULL ? store_copy(r->store, db, r->out->kept) :
	    store_say(r->store, STORE_BROKEN, result.text,
	    "the replaced database cannot be kept");
	sqlite3_close(db);
	return end;
}

/* --- putting it in place ------------------------------------------------ */

static enum store_end
store_restore_publish(struct store_restore *r)
{
	const struct store_deed deed = {
		.action = "restore",
		.who = "command line",
		.address = "",
		.request_id = "",
	};
	struct store *s = r->store;
	struct store_change change = {
		.author = "restore",
		.deed = &deed,
		.content_of = r->out->content_of,
	};
	struct store_version old = { .body = NULL };
	char comment[64];
	enum store_end end;

	snprintf(comment, sizeof(comment), "restored from version %lld",
	    r->out->content_of);
	change.comment = comment;
	end = store_version(s, r->out->content_of, &old);
	if (end == STORE_DONE)
		end = store_version_again(s, &change, &old, r->out->version);
	store_version_free(&old);
	return end;
}

static enum store_end
store_restore_within(struct store_restore *r, bool fresh)
{
	struct store_file *f = &r->store->truth;
	long long here = 0;
	enum store_end end = store_restore_keep(r, fresh);

	if (end == STORE_DONE)
		end = store_restore_number(r, "SELECT coalesce(max(version), "
		    "0) FROM main.version", &here);
	if (end == STORE_DONE && sqlite3_exec(f->db, store_restore_merge,
	    NULL, NULL, NULL) != SQLITE_OK)
		end = store_file_failed(f);
	if (end != STORE_DONE)
		return end;
	r->out->version = r->out->content_of;
	if (r->out->version < here)
		r->out->version = here;
	if (r->out->version < r->highest)
		r->out->version = r->highest;
	r->out->version++;
	return store_restore_publish(r);
}

static enum store_end
store_restore_attached(struct store_restore *r, bool fresh)
{
	struct store_file *f = &r->store->truth;
	enum store_end end;

	end = store_restore_number(r, "SELECT coalesce(max(version), 0) "
	    "FROM restored.version", &r->out->content_of);
	if (end == STORE_DONE && r->out->content_of == 0)
		return store_say(r->store, STORE_NONE, r->file,
		    "nothing was published yet in that backup");
	if (end == STORE_DONE)
		end = store_file_begin(f);
	if (end != STORE_DONE)
		return end;
	end = store_restore_within(r, fresh);
	return store_file_end(f, end);
}

/* SQLite's own waiting grows long between two looks, and others who publish
 * without a pause would always be faster. */
static int
store_restore_wait(void *arg, int tries)
{
	const struct timespec turn = { .tv_nsec = 200000 };

	(void)arg;
	nanosleep(&turn, NULL);
	return tries < STORE_RESTORE_TRIES;
}

static enum store_end
store_restore_merge_in(struct store_restore *r, bool fresh)
{
	struct store_file *f = &r->store->truth;
	enum store_end end = store_file_ready(f);
	char *sql;

	if (end != STORE_DONE)
		return end;
	sqlite3_busy_handler(f->db, store_restore_wait, NULL);
	sql = sqlite3_mprintf("ATTACH %Q AS restored", r->copy);
	if (sql == NULL || sqlite3_exec(f->db, sql, NULL, NULL, NULL) !=
	    SQLITE_OK)
		end = store_file_failed(f);
	sqlite3_free(sql);
	if (end == STORE_DONE)
		end = store_restore_attached(r, fresh);
	store_checkpoint(r->store, false);
	store_file_close(f);	/* and with it what is attached */
	return end;
}

enum store_end
store_restore(struct store *s, const char *file, struct store_restored *out)
{
	struct store_restore r = { .store = s, .file = file, .out = out };
	enum migrate_end looked;
	enum store_end end;
	bool sound;

	memset(out, 0, sizeof(*out));
	if (store_copy_same(&s->truth, file))
		return store_say(s, STORE_BROKEN, file,
		    "that is the database itself");
	if (snprintf(r.copy, sizeof(r.copy), "%s.restoring-%ld",
	    s->truth.path, (long)getpid()) >= (int)sizeof(r.copy))
		return store_say(s, STORE_BROKEN, file,
		    "the name is too long");
	sound = store_restore_sound(&r, &looked);
	end = store_restore_copy(&r, file);
	if (end == STORE_DONE && !sound)
		end = store_restore_aside(&r);
	if (end == STORE_DONE)
		end = store_restore_merge_in(&r, !sound ||
		    looked == MIGRATE_MISSING);
	store_copy_remove(r.copy);
	return end;
}
