/*
 * Migrations: numbered, forward only, each in a transaction of its own with
 * the number it leads to (PRAGMA user_version), all under one flock(2), so
 * that of twenty processes that start on an empty folder one makes the
 * database and nineteen wait for it.
 *
 * It never touches a database that it does not recognise: one from a newer
 * program, one of another program (PRAGMA application_id), a file that is no
 * database.
 */
#include "migrate.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keep.h"
#include "log.h"

#include "sql.inc"	/* made from sql/ by sql/embed.awk */

enum {
	MIGRATE_TURN_MS = 10,	/* between two looks at the lock */
	MIGRATE_WAIT_MS = 20000,	/* for another's migrations */
};

/* How a database begins, its NUL included (sqlite.org/fileformat.html, 1.3).
 * A WAL's database has it too: no file is in WAL mode before it is. */
static const char migrate_magic[16] = "SQLite format 3";

void
migrate_lock_path(char *out, size_t size, const char *path)
{
	snprintf(out, size, "%s.lock", path);
}

static enum migrate_end
migrate_error(struct migrate_result *result, sqlite3 *db)
{
	result->code = sqlite3_extended_errcode(db);
	snprintf(result->text, sizeof(result->text), "%s",
	    sqlite3_errmsg(db));
	return MIGRATE_FAILED;
}

static enum migrate_end
migrate_errno(struct migrate_result *result, const char *path, int err)
{
	result->code = 0;
	snprintf(result->text, sizeof(result->text), "%.180s: %s", path,
	    strerror(err));
	return MIGRATE_FAILED;
}

static bool
migrate_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* One whole number that a statement answers. */
static bool
migrate_number(sqlite3 *db, const char *sql, int *out)
{
	sqlite3_stmt *statement = NULL;
	bool ok = false;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		*out = sqlite3_column_int(statement, 0);
		ok = true;
	}
	/* finalize repeats a step's failure, so errmsg stays */
	sqlite3_finalize(statement);
	return ok;
}

static int
migrate_known(const struct migrate_plan *plan)
{
	int known = 0;

	while (plan->steps[known] != NULL)
		known++;
	return known;
}

/*
 * Whether the file itself begins as a database does, or is empty. SQLite
 * looks at the first page alone, and takes it from a WAL that has it: with
 * the WAL of another database beside it, any file would do. Read through
 * SQLite's descriptor: closing one of ours would end its locks.
 */
static bool
migrate_file(sqlite3 *db)
{
	char begin[sizeof(migrate_magic)];
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
	    &file) != SQLITE_OK || file->pMethods == NULL)
		return false;
	return file->pMethods->xFileSize(file, &size) == SQLITE_OK &&
	    (size == 0 || (file->pMethods->xRead(file, begin, sizeof(begin),
	    0) == SQLITE_OK && memcmp(begin, migrate_magic,
	    sizeof(begin)) == 0));
}

/* Reads what the file is. */
static enum migrate_end
migrate_judge(const struct migrate_plan *plan, sqlite3 *db,
    struct migrate_result *result)
{
	int id, tables;
	bool ok;

	/* one transaction: another process may be making it right now */
	result->known = migrate_known(plan);
	ok = migrate_run(db, "BEGIN") &&
	    migrate_number(db, "PRAGMA user_version", &result->found) &&
	    migrate_number(db, "PRAGMA application_id", &id) &&
	    migrate_number(db, "SELECT count(*) FROM sqlite_schema",
	    &tables);
	if (!ok) {
		migrate_error(result, db);
	} else if (!migrate_file(db)) {
		ok = false;
		result->code = SQLITE_NOTADB;
		snprintf(result->text, sizeof(result->text),
		    "file is not a database, but has the WAL of one");
	}
	if (!sqlite3_get_autocommit(db))
		migrate_run(db, "ROLLBACK");
	if (!ok)
		return MIGRATE_FAILED;
	if (id != plan->application_id &&
	    (id != 0 || result->found != 0 || tables != 0)) {
		snprintf(result->text, sizeof(result->text),
		    "it is the database of another program");
		return MIGRATE_FOREIGN;
	}
	if (result->found > result->known) {
		snprintf(result->text, sizeof(result->text),
		    "its schema is number %d, this program knows %d",
		    result->found, result->known);
		return MIGRATE_NEWER;
	}
	return result->found < result->known ? MIGRATE_OLDER : MIGRATE_DONE;
}

static enum migrate_end
migrate_attach(const struct migrate_plan *plan, int flags, sqlite3 **db,
    struct migrate_result *result)
{
	int code;

	code = sqlite3_open_v2(plan->path, db, flags | SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK) {
		if (*db == NULL)
			return migrate_errno(result, plan->path, ENOMEM);
		migrate_error(result, *db);
		sqlite3_close(*db);
		*db = NULL;
		return MIGRATE_FAILED;
	}
	sqlite3_busy_timeout(*db, plan->busy_ms);
	sqlite3_wal_autocheckpoint(*db, 0);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return MIGRATE_DONE;
}

/* The journal mode of a file is chosen once: while there is nothing in it. */
static bool
migrate_journal(const struct migrate_plan *plan, sqlite3 *db)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA journal_mode=%s", plan->journal);
	return migrate_run(db, sql);
}

static enum migrate_end
migrate_step(const struct migrate_plan *plan, sqlite3 *db, int number,
    struct migrate_result *result)
{
	char mark[128];

	snprintf(mark, sizeof(mark),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d",
	    plan->application_id, number + 1);
	if (migrate_run(db, "BEGIN IMMEDIATE") &&
	    migrate_run(db, plan->steps[number]) && migrate_run(db, mark) &&
	    migrate_run(db, "COMMIT"))
		return MIGRATE_DONE;
	migrate_error(result, db);
	if (!sqlite3_get_autocommit(db))
		migrate_run(db, "ROLLBACK");
	return MIGRATE_FAILED;
}

static enum migrate_end
migrate_apply(const struct migrate_plan *plan, sqlite3 *db,
    struct migrate_result *result)
{
	enum migrate_end end;

	/* again under the lock: another may have done it meanwhile */
	end = migrate_judge(plan, db, result);
	if (end != MIGRATE_OLDER)
		return end;
	if (result->found == 0 && !migrate_journal(plan, db))
		return migrate_error(result, db);
	for (int number = result->found; number < result->known; number++) {
		end = migrate_step(plan, db, number, result);
		if (end != MIGRATE_DONE)
			return end;
		log_info("store", "%s: schema %d applied", plan->path,
		    number + 1);
	}
	result->found = result->known;
	return MIGRATE_DONE;
}

static enum migrate_end
migrate_folder(const struct migrate_plan *plan, struct migrate_result *result)
{
	char folder[PATH_MAX];
	char *slash;
	int err;

	snprintf(folder, sizeof(folder), "%s", plan->path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return MIGRATE_DONE;
	*slash = '\0';
	err = keep_folder(folder);
	return err == 0 ? MIGRATE_DONE : migrate_errno(result, folder, err);
}

/* Takes the lock, waiting for another's migrations. The descriptor or -1. */
static int
migrate_lock(const struct migrate_plan *plan, enum migrate_end *end,
    struct migrate_result *result)
{
	struct timespec turn = { .tv_nsec = MIGRATE_TURN_MS * 1000000L };
	char path[PATH_MAX];

	migrate_lock_path(path, sizeof(path), plan->path);
	for (int waited = 0;; waited += MIGRATE_TURN_MS) {
		int fd = keep_lock(path, 0);

		if (fd >= 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != EINTR) {
			*end = migrate_errno(result, path, errno);
			return -1;
		}
		if (waited >= MIGRATE_WAIT_MS) {
			migrate_errno(result, path, errno);
			*end = MIGRATE_LOCKED;
			return -1;
		}
		nanosleep(&turn, NULL);
	}
}

static enum migrate_end
migrate_locked(const struct migrate_plan *plan, sqlite3 **db,
    struct migrate_result *result)
{
	enum migrate_end end = migrate_folder(plan, result);
	int lock;

	if (end != MIGRATE_DONE)
		return end;
	lock = migrate_lock(plan, &end, result);
	if (lock < 0)
		return end;
	end = migrate_attach(plan, SQLITE_OPEN_CREATE, db, result);
	if (end == MIGRATE_DONE)
		end = migrate_apply(plan, *db, result);
	if (end != MIGRATE_DONE) {
		sqlite3_close(*db);
		*db = NULL;
	}
	close(lock);
	return end;
}

enum migrate_end
migrate_look(const struct migrate_plan *plan, sqlite3 **db,
    struct migrate_result *result)
{
	enum migrate_end end;
	struct stat st;

	memset(result, 0, sizeof(*result));
	result->known = migrate_known(plan);
	*db = NULL;
	if (stat(plan->path, &st) < 0)
		return errno == ENOENT ? MIGRATE_MISSING :
		    migrate_errno(result, plan->path, errno);
	if (!S_ISREG(st.st_mode))
		return migrate_errno(result, plan->path,
		    S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
	end = migrate_attach(plan, 0, db, result);
	if (end == MIGRATE_DONE)
		end = migrate_judge(plan, *db, result);
	if (end == MIGRATE_FAILED || end == MIGRATE_FOREIGN) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return end;
}

enum migrate_end
migrate_open(const struct migrate_plan *plan, sqlite3 **db,
    struct migrate_result *result)
{
	enum migrate_end end = migrate_look(plan, db, result);

	if (end == MIGRATE_DONE)
		return end;
	sqlite3_close(*db);
	*db = NULL;
	if (end == MIGRATE_MISSING || end == MIGRATE_OLDER)
		end = migrate_locked(plan, db, result);
	return end;
}
