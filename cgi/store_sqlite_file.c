/*
 * One SQLite database file: opened at its first use, watched for being
 * replaced, its statements prepared once, its errors put into sentences.
 *
 * A WAL is never checkpointed by SQLite itself: two processes that do it at
 * once can corrupt the database before 3.51.3 (sqlite.org/wal.html,
 * section "The WAL-reset bug"). store_checkpoint does it under a lock.
 */
#include "store_sqlite.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

enum { STORE_APPLICATION = 0x64636d31 };	/* "dcm1" */

enum store_end
store_say(struct store *s, enum store_end end, const char *detail,
    const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	vsnprintf(s->why, sizeof(s->why), why, ap);
	va_end(ap);
	snprintf(s->detail, sizeof(s->detail), "%s", detail);
	if (s->told.fault != NULL)
		s->told.fault(s->told.arg, end);
	return end;
}

static enum store_end
store_file_judge(struct store_file *f, int code, const char *text)
{
	struct store *s = f->store;
	const char *name = f->kind->name;
	char detail[sizeof(s->detail)];

	snprintf(detail, sizeof(detail), "%.300s: %.200s (%d)", f->path, text,
	    code);
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return store_say(s, STORE_BUSY, detail,
		    "%s is locked by another process", name);
	case SQLITE_READONLY:
		return store_say(s, STORE_READONLY, detail,
		    "%s is read-only", name);
	case SQLITE_FULL:
		return store_say(s, STORE_FULL, detail,
		    "there is no space left for %s", name);
	case SQLITE_NOTADB:
		return store_say(s, STORE_BROKEN, detail,
		    "%s is not a database", name);
	case SQLITE_CORRUPT:
		return store_say(s, STORE_BROKEN, detail,
		    "%s is damaged", name);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return store_say(s, STORE_BROKEN, detail,
		    "%s cannot be opened", name);
	case SQLITE_NOMEM:
		return store_say(s, STORE_BROKEN, detail, "out of memory");
	}
	return store_say(s, STORE_BROKEN, detail,
	    "%s cannot be read or written", name);
}

enum store_end
store_file_failed(struct store_file *f)
{
	enum store_end end = store_file_judge(f,
	    sqlite3_extended_errcode(f->db), sqlite3_errmsg(f->db));

	/* whatever it was may be mended: the next verb opens it anew */
	f->doubtful = end != STORE_BUSY && end != STORE_FULL;
	f->damaged = (sqlite3_errcode(f->db) & 0xff) == SQLITE_CORRUPT;
	return end;
}

static enum store_end
store_file_unopened(struct store_file *f, enum migrate_end end,
    const struct migrate_result *result)
{
	struct store *s = f->store;
	const char *name = f->kind->name;
	char detail[sizeof(s->detail)];

	snprintf(detail, sizeof(detail), "%.300s: %s", f->path, result->text);
	switch (end) {
	case MIGRATE_NEWER:
		return store_say(s, STORE_NEWER, detail,
		    "%s was made by a newer version of this program: its "
		    "schema is number %d, this one knows %d", name,
		    result->found, result->known);
	case MIGRATE_FOREIGN:
		return store_say(s, STORE_BROKEN, detail,
		    "%s belongs to another program", name);
	case MIGRATE_LOCKED:
		return store_say(s, STORE_BUSY, detail,
		    "%s is being migrated by another process", name);
	default:
		if (result->code != 0)
			return store_file_judge(f, result->code,
			    result->text);
		return store_say(s, STORE_BROKEN, detail,
		    "%s cannot be opened", name);
	}
}

void
store_file_close(struct store_file *f)
{
	for (int i = 0; i < STORE_SQL_MAX; i++) {
		sqlite3_finalize(f->statements[i]);
		f->statements[i] = NULL;
	}
	sqlite3_close(f->db);
	f->db = NULL;
	f->doubtful = f->damaged = false;
	f->frames = 0;
	roster_clear(&f->store->roster);
	f->store->seen = -1;	/* data versions are a connection's own */
	f->store->raised.known = false;
}

static int
store_file_grown(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct store_file *f = arg;

	(void)db, (void)name;
	f->frames = frames;
	return SQLITE_OK;
}

struct migrate_plan
store_file_plan(const struct store_file *f)
{
	return (struct migrate_plan){
		.path = f->path,
		.steps = f->kind->steps,
		.application_id = STORE_APPLICATION,
		.journal = f->store->journal,
		.busy_ms = f->store->busy_ms,
	};
}

enum store_end
store_file_look(struct store_file *f)
{
	struct migrate_plan plan = store_file_plan(f);
	struct migrate_result result;
	enum migrate_end end;
	sqlite3 *db;

	end = migrate_look(&plan, &db, &result);
	sqlite3_close(db);
	if (end == MIGRATE_DONE || end == MIGRATE_OLDER ||
	    end == MIGRATE_MISSING)
		return STORE_DONE;
	return store_file_unopened(f, end, &result);
}

/* The inode of a file that lies beside it, "-wal" say; 0: there is none. */
static ino_t
store_file_beside(const struct store_file *f, const char *what)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s",
	    sqlite3_db_filename(f->db, "main"), what);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool
store_file_pragma(struct store_file *f, const char *text)
{
	return sqlite3_exec(f->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/*
 * The journal mode of a file was chosen when it was made. A WAL stays in the
 * file; of the others SQLite remembers none, and takes "delete".
 */
static bool
store_file_journal(struct store_file *f)
{
	sqlite3_stmt *statement = NULL;
	const char *mode = "";
	bool other, ok = sqlite3_prepare_v2(f->db, "PRAGMA journal_mode", -1,
	    &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW;

	if (ok)
		mode = (const char *)sqlite3_column_text(statement, 0);
	other = strcmp(mode, "delete") == 0;
	f->walled = strcmp(mode, "wal") == 0;
	f->wal = store_file_beside(f, "-wal");
	f->shm = store_file_beside(f, "-shm");
	sqlite3_finalize(statement);
	if (ok && other)
		ok = store_file_pragma(f, "PRAGMA journal_mode=truncate");
	return ok && (f->walled || store_file_pragma(f, f->kind->unwalled));
}

static enum store_end
store_file_open(struct store_file *f)
{
	struct migrate_plan plan = store_file_plan(f);
	struct migrate_result result;
	enum migrate_end end;

	end = migrate_open(&plan, &f->db, &result);
	if (end != MIGRATE_DONE)
		return store_file_unopened(f, end, &result);
	if (!store_file_pragma(f, f->kind->open) || !store_file_journal(f)) {
		enum store_end failed = store_file_failed(f);

		store_file_close(f);
		return failed;
	}
	f->schema = result.known;
	sqlite3_wal_hook(f->db, store_file_grown, f);
	return STORE_DONE;
}

/*
 * SQLite knows which file it opened; what lies at the path by the time a
 * stat of our own looks may be another one already. Of its WAL it does not
 * know: what is committed into one that was removed is lost. Nor of the index
 * of that: whoever has another one writes over our commits.
 */
bool
store_file_moved(struct store_file *f)
{
	int moved = 1;

	return sqlite3_file_control(f->db, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved) != SQLITE_OK || moved != 0 ||
	    (f->walled && (f->wal == 0 || f->shm == 0 ||
	    store_file_beside(f, "-wal") != f->wal ||
	    store_file_beside(f, "-shm") != f->shm));
}

enum store_end
store_file_ready(struct store_file *f)
{
	if (f->db != NULL && !f->doubtful && !store_file_moved(f))
		return STORE_DONE;
	if (f->db != NULL && !f->doubtful) {
		log_warn("store", "%s was replaced: opened again", f->path);
		store_sweep_owed(f->store);
	}
	store_file_close(f);
	return store_file_open(f);
}

sqlite3_stmt *
store_file_sql(struct store_file *f, enum store_sql which)
{
	sqlite3_stmt **statement = &f->statements[which];

	if (*statement == NULL)
		sqlite3_prepare_v3(f->db, f->kind->sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, statement, NULL);
	else
		sqlite3_clear_bindings(*statement);
	return *statement;
}

enum store_end
store_file_run(struct store_file *f, sqlite3_stmt *statement)
{
	enum store_end end = STORE_DONE;

	if (statement == NULL)
		return store_file_failed(f);
	if (sqlite3_step(statement) != SQLITE_DONE)
		end = store_file_failed(f);
	sqlite3_reset(statement);
	return end;
}

enum store_end
store_file_row(struct store_file *f, sqlite3_stmt *row)
{
	switch (row != NULL ? sqlite3_step(row) : SQLITE_ERROR) {
	case SQLITE_ROW:
		return STORE_DONE;
	case SQLITE_DONE:
		return STORE_NONE;
	}
	return store_file_failed(f);
}

enum store_end
store_file_whole(struct store_file *f, sqlite3_stmt *row, long long *first,
    long long *second)
{
	enum store_end end = store_file_row(f, row);

	if (end == STORE_DONE) {
		*first = sqlite3_column_int64(row, 0);
		if (second != NULL)
			*second = sqlite3_column_int64(row, 1);
	}
	sqlite3_reset(row);
	return end;
}

enum store_end
store_file_page(struct store_file *f, sqlite3_stmt *row, long limit,
    enum store_end (*take)(void *arg, sqlite3_stmt *), void *arg, bool *more)
{
	enum store_end end;

	while ((end = store_file_row(f, row)) == STORE_DONE && limit-- > 0) {
		end = take(arg, row);
		if (end != STORE_DONE)
			break;
	}
	*more = end == STORE_DONE;
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

void
store_file_rollback(struct store_file *f)
{
	sqlite3_stmt *statement;

	if (f->db == NULL || sqlite3_get_autocommit(f->db))
		return;
	statement = store_file_sql(f, STORE_SQL_ROLLBACK);
	sqlite3_step(statement);
	sqlite3_reset(statement);
}

/* Whether a newer program has migrated the database under our feet. */
enum store_end
store_file_schema(struct store_file *f)
{
	long long schema = 0;
	enum store_end end = store_file_whole(f,
	    store_file_sql(f, STORE_SQL_SCHEMA), &schema, NULL);

	return end == STORE_DONE && schema != f->schema ? STORE_NEWER : end;
}

enum store_end
store_file_begin(struct store_file *f)
{
	enum store_end end = store_file_ready(f);

	if (end != STORE_DONE)
		return end;
	/* a file without write permission is opened for reading, silently,
	 * and then BEGIN IMMEDIATE is BEGIN; only opening it again tells
	 * whether it may be written by now */
	if (sqlite3_db_readonly(f->db, "main") == 1) {
		store_file_close(f);
		end = store_file_open(f);
		if (end != STORE_DONE)
			return end;
		if (sqlite3_db_readonly(f->db, "main") == 1)
			return store_file_judge(f, SQLITE_READONLY,
			    "opened for reading only");
	}
	end = store_file_run(f, store_file_sql(f, STORE_SQL_BEGIN));
	if (end == STORE_DONE)
		end = store_file_schema(f);
	if (end != STORE_DONE)
		store_file_rollback(f);
	if (end == STORE_NEWER) {
		store_file_close(f);
		end = store_file_open(f);	/* says what it found */
		if (end == STORE_DONE)
			end = STORE_BUSY;	/* it is ours again: later */
	}
	return end;
}

enum store_end
store_file_end(struct store_file *f, enum store_end end)
{
	if (end == STORE_DONE)
		end = store_file_run(f, store_file_sql(f, STORE_SQL_COMMIT));
	if (end != STORE_DONE)
		store_file_rollback(f);
	return end;
}
