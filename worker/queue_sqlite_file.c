/*
 * The file of the queue: opening it at the schema that this program knows,
 * and its statements.
 *
 * One process has it, by SQLite's own lock, which ends with the process: so
 * what ran when it was opened runs no more, and checkpoints, which two
 * processes must not make at once (SQLite before 3.51.3), have one maker.
 * Which tasks run stands nowhere in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "queue_sqlite.h"

#include "queue_sql.inc"

enum { QUEUE_SQLITE_ID = 0x64637175 };	/* "dcqu", application_id */

#define STATE	"iif(state = 0 AND attempts > 0, 1, state)"
#define ROW	"id, " STATE ", attempts, created_at, ended_at, error"
#define EXPIRED	"SELECT arrival FROM task WHERE ended_at <= ?1 "	\
		"ORDER BY ended_at, arrival LIMIT 1000"

static const char *const queue_sqlite_file_texts[] = {
	[QUEUE_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
	[QUEUE_SQLITE_COMMIT] = "COMMIT",
	[QUEUE_SQLITE_ROLLBACK] = "ROLLBACK",
	[QUEUE_SQLITE_OPENED] =
	    "INSERT OR REPLACE INTO opened VALUES (1, ?1)",
	[QUEUE_SQLITE_CONFIG_ADD] =
	    "INSERT INTO config (sha256, body) VALUES (?1, ?2) "
	    "ON CONFLICT DO NOTHING",
	[QUEUE_SQLITE_CONFIG_FIND] =
	    "SELECT config FROM config WHERE sha256 = ?1",
	[QUEUE_SQLITE_CONFIG_DROP] =
	    "DELETE FROM config WHERE config <> ?1 AND config NOT IN "
	    "(SELECT config FROM task WHERE due_at IS NOT NULL)",
	[QUEUE_SQLITE_CONFIG_COUNT] = "SELECT count(*) FROM config",
	[QUEUE_SQLITE_ARRIVAL] = "SELECT max(arrival) FROM task",
	[QUEUE_SQLITE_PUSH] =
	    "INSERT INTO task (arrival, id, state, config, created_at, "
	    "due_at) VALUES (?1, ?2, 0, ?3, ?4, ?4)",
	[QUEUE_SQLITE_DUE] =
	    "SELECT min(due_at) FROM task WHERE due_at > ?1",
	[QUEUE_SQLITE_NEXT] =
	    "SELECT arrival, id, created_at, attempts, failures, "
	    "task.config, body, due_at FROM task JOIN config USING (config) "
	    "WHERE due_at >= ?1 AND due_at <= ?2 AND arrival <= ?3 "
	    "AND (due_at > ?1 OR arrival > ?4) "
	    "ORDER BY due_at, arrival LIMIT ?5",
	[QUEUE_SQLITE_TAKE] =
	    "UPDATE task SET attempts = attempts + 1 WHERE arrival = ?1",
	[QUEUE_SQLITE_AGAIN] =
	    "UPDATE task SET due_at = ?2, error = ?3, "
	    "failures = failures + 1 WHERE arrival = ?1 AND state = 0",
	[QUEUE_SQLITE_END] =
	    "UPDATE task SET state = ?2, due_at = NULL, ended_at = ?3, "
	    "error = ?4, config = NULL WHERE arrival = ?1 AND state = 0",
	[QUEUE_SQLITE_RESULT] =
	    "INSERT OR REPLACE INTO result (arrival, body) VALUES (?1, ?2)",
	[QUEUE_SQLITE_READ] =
	    "SELECT " ROW ", body FROM task LEFT JOIN result USING (arrival) "
	    "WHERE id = ?1 AND (ended_at IS NULL OR ended_at > ?2)",
	[QUEUE_SQLITE_PLACE] =
	    "SELECT arrival, " STATE " FROM task WHERE id = ?1",
	[QUEUE_SQLITE_LIST] =
	    "SELECT " ROW ", NULL FROM task WHERE arrival > ?1 "
	    "AND (ended_at IS NULL OR ended_at > ?2) "
	    "ORDER BY arrival LIMIT ?3",
	[QUEUE_SQLITE_LIST_OPEN] =
	    "SELECT " ROW ", NULL FROM task WHERE arrival > ?1 "
	    "AND due_at IS NOT NULL AND (attempts > 0) = ?4 "
	    "ORDER BY arrival LIMIT ?3",
	[QUEUE_SQLITE_LIST_OVER] =
	    "SELECT " ROW ", NULL FROM task WHERE arrival > ?1 "
	    "AND ended_at > ?2 AND state = ?4 AND state > 0 "
	    "ORDER BY arrival LIMIT ?3",
	[QUEUE_SQLITE_REMOVE] = "DELETE FROM task WHERE arrival = ?1",
	[QUEUE_SQLITE_REMOVE_RESULT] = "DELETE FROM result WHERE arrival = ?1",
	[QUEUE_SQLITE_EXPIRE_RESULTS] =
	    "DELETE FROM result WHERE arrival IN (" EXPIRED ")",
	[QUEUE_SQLITE_EXPIRE] =
	    "DELETE FROM task WHERE arrival IN (" EXPIRED ")",
	[QUEUE_SQLITE_COUNT] =
	    "SELECT attempts > 0, count(*) FROM task "
	    "WHERE due_at IS NOT NULL GROUP BY 1",
	[QUEUE_SQLITE_LOW] =
	    "SELECT min(arrival) FROM task WHERE due_at IS NOT NULL",
	[QUEUE_SQLITE_OLDEST] =
	    "SELECT arrival, created_at FROM task "
	    "WHERE arrival >= ?1 AND state = 0 ORDER BY arrival LIMIT 1",
};

sqlite3_stmt *
queue_sqlite_file_sql(struct queue_sqlite *s, enum queue_sqlite_sql which)
{
	sqlite3_stmt *statement = s->statements[which];

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

bool
queue_sqlite_file_run(struct queue_sqlite *s, sqlite3_stmt *statement)
{
	bool done = sqlite3_step(statement) == SQLITE_DONE;

	(void)s;
	sqlite3_reset(statement);
	return done;
}

/* --- the schema --------------------------------------------------------- */

static long
queue_sqlite_file_number(sqlite3 *db, const char *pragma)
{
	sqlite3_stmt *statement = NULL;
	long number = -1;

	if (sqlite3_prepare_v2(db, pragma, -1, &statement, NULL) ==
	    SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		number = (long)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static bool
queue_sqlite_file_fail(struct queue_sqlite *s, struct buf *error)
{
	if ((sqlite3_errcode(s->db) & 0xff) == SQLITE_BUSY)
		buf_str(error, "another worker uses it: give this one "
		    "another STATE_DIR, port or QUEUE_URL");
	else
		buf_str(error, sqlite3_errmsg(s->db));
	return false;
}

static bool
queue_sqlite_file_exec(struct queue_sqlite *s, const char *sql,
    struct buf *error)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	    queue_sqlite_file_fail(s, error);
}

/* One step of the schema, and its number, or nothing. */
static bool
queue_sqlite_file_step(struct queue_sqlite *s, long number,
    struct buf *error)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %ld;"
	    "PRAGMA application_id = %d; COMMIT;", number + 1,
	    (int)QUEUE_SQLITE_ID);
	if (queue_sqlite_file_exec(s, "BEGIN EXCLUSIVE", error) &&
	    queue_sqlite_file_exec(s, migrate_steps_queue[number], error) &&
	    queue_sqlite_file_exec(s, sql, error))
		return true;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

static bool
queue_sqlite_file_schema(struct queue_sqlite *s, struct buf *error)
{
	long id = queue_sqlite_file_number(s->db, "PRAGMA application_id");
	long found = queue_sqlite_file_number(s->db, "PRAGMA user_version");
	/* The last one: its failure is what fail tells of. */
	long tables = queue_sqlite_file_number(s->db,
	    "SELECT count(*) FROM sqlite_schema");
	long known = 0;

	while (migrate_steps_queue[known] != NULL)
		known++;
	if (tables < 0)
		return queue_sqlite_file_fail(s, error);
	if (tables > 0 && id != QUEUE_SQLITE_ID) {
		buf_str(error, "it is no queue of dcm-worker");
		return false;
	}
	if (found > known) {
		buf_printf(error, "a newer dcm-worker made it (schema %ld, "
		    "this one knows %ld)", found, known);
		return false;
	}
	for (; found < known; found++)
		if (!queue_sqlite_file_step(s, found, error))
			return false;
	return true;
}

/* --- opening ------------------------------------------------------------ */

/* The folder may be reached by symbolic links; the file may be none, and
 * SQLITE_OPEN_NOFOLLOW takes none on the way either. NULL: out of memory. */
static char *
queue_sqlite_file_real(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") :
	    strndup(path, slash == path ? 1 : (size_t)(slash - path));
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;
	char *whole = NULL;

	if (real == NULL)
		whole = strdup(path);	/* what is wrong will be said */
	else if (asprintf(&whole, "%s/%s", real,
	    slash != NULL ? slash + 1 : path) < 0)
		whole = NULL;
	free(real);
	free(folder);
	return whole;
}

static bool
queue_sqlite_file_path(const struct queue_setup *setup, char **path,
    struct buf *error)
{
	const char *given = setup->url + strlen("sqlite:");
	int err;

	if (*given != '\0') {
		*path = strdup(given);
		return *path != NULL;
	}
	err = keep_folder(setup->folder);
	if (err != 0) {
		buf_printf(error, "STATE_DIR \"%s\" cannot be made: %s",
		    setup->folder, strerror(err));
		return false;
	}
	if (asprintf(path, "%s/%s.db", setup->folder, setup->name) < 0)
		*path = NULL;
	return *path != NULL;
}

static bool
queue_sqlite_file_prepare(struct queue_sqlite *s, struct buf *error)
{
	for (int i = 0; i < QUEUE_SQLITE_STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, queue_sqlite_file_texts[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) !=
		    SQLITE_OK) {
			buf_str(error, sqlite3_errmsg(s->db));
			return false;
		}
	return true;
}

static bool
queue_sqlite_file_begin(struct queue_sqlite *s, struct buf *error)
{
	return queue_sqlite_file_exec(s,
	    "PRAGMA locking_mode = EXCLUSIVE;"
	    "PRAGMA trusted_schema = OFF;"
	    /* The sandbox allows no temporary file. */
	    "PRAGMA temp_store = MEMORY;", error) &&
	    queue_sqlite_file_schema(s, error) &&
	    queue_sqlite_file_exec(s,
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA journal_size_limit = 16777216;"
	    "PRAGMA wal_autocheckpoint = 4000;"
	    "BEGIN EXCLUSIVE; COMMIT;", error) &&
	    queue_sqlite_file_prepare(s, error);
}

bool
queue_sqlite_file_open(struct queue_sqlite *s, struct buf *error)
{
	struct buf why = BUF_INIT(512);
	char *path = NULL, *real;
	bool ok = false;

	if (!queue_sqlite_file_path(&s->base.setup, &path, error))
		return false;
	real = queue_sqlite_file_real(path);
	if (real == NULL)
		buf_str(&why, "out of memory");
	else if (sqlite3_open_v2(real, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	    NULL) != SQLITE_OK)
		buf_str(&why, s->db != NULL ? sqlite3_errmsg(s->db) :
		    "out of memory");
	else
		ok = queue_sqlite_file_begin(s, &why);
	if (!ok) {
		buf_printf(error, "the queue in %s: %s", path,
		    buf_text(&why));
		queue_sqlite_file_close(s);
	}
	buf_free(&why);
	free(real);
	free(path);
	return ok;
}

void
queue_sqlite_file_close(struct queue_sqlite *s)
{
	for (int i = 0; i < QUEUE_SQLITE_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
}
