/*
 * Whole copies of a database, made through SQLite's backup interface: one
 * transaction reads them, so that they are consistent while others write. A
 * copy is one file without a WAL, and appears complete or not at all.
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

enum {
	STORE_COPY_TURN_MS = 20,	/* between two tries */
	STORE_COPY_WAIT_MS = 30000,	/* for locks of others */
};

bool
store_integrity(sqlite3 *db, struct buf *why)
{
	sqlite3_stmt *row = NULL;
	bool ok = false;

	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &row,
	    NULL) != SQLITE_OK || sqlite3_step(row) != SQLITE_ROW) {
		buf_printf(why, "%s", sqlite3_errmsg(db));
	} else {
		const char *text = (const char *)sqlite3_column_text(row, 0);

		ok = text != NULL && strcmp(text, "ok") == 0;
		buf_str(why, text != NULL ? text : "out of memory");
	}
	sqlite3_finalize(row);
	return ok;
}

bool
store_copy_same(const struct store_file *f, const char *file)
{
	struct stat a, b;

	return stat(f->path, &a) == 0 && stat(file, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static enum store_end
store_copy_failed(struct store *s, sqlite3 *db, const char *file)
{
	char detail[512];

	snprintf(detail, sizeof(detail), "%.300s: %.160s (%d)", file,
	    sqlite3_errmsg(db), sqlite3_extended_errcode(db));
	switch (sqlite3_errcode(db)) {
	case SQLITE_FULL:
		return store_say(s, STORE_FULL, detail,
		    "there is no space left for the copy");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return store_say(s, STORE_BUSY, detail,
		    "the database is locked by another process");
	}
	return store_say(s, STORE_BROKEN, detail, "it cannot be copied");
}

static bool
store_copy_pages(sqlite3 *from, sqlite3 *to)
{
	const struct timespec turn = {
		.tv_nsec = STORE_COPY_TURN_MS * 1000000L
	};
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from,
	    "main");
	int code;

	if (backup == NULL)
		return false;
	for (int waited = 0; (code = sqlite3_backup_step(backup, -1)) ==
	    SQLITE_BUSY || code == SQLITE_LOCKED;
	    waited += STORE_COPY_TURN_MS) {
		if (waited >= STORE_COPY_WAIT_MS)
			break;
		nanosleep(&turn, NULL);
	}
	/* the error, if any, is told by `to` */
	return sqlite3_backup_finish(backup) == SQLITE_OK &&
	    code == SQLITE_DONE;
}

static enum store_end
store_copy_into(struct store *s, sqlite3 *from, const char *file)
{
	struct buf why = BUF_INIT(512);
	enum store_end end = STORE_DONE;
	sqlite3 *to = NULL;

	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL) != SQLITE_OK || !store_copy_pages(from, to) ||
	    sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL,
	    NULL) != SQLITE_OK)
		end = store_copy_failed(s, to, file);
	else if (!store_integrity(to, &why))
		end = store_say(s, STORE_BROKEN, buf_text(&why),
		    "the copy is not sound: the database may be damaged");
	sqlite3_close(to);
	buf_free(&why);
	return end;
}

/* Renames, and makes the folder remember it. */
static enum store_end
store_copy_name(struct store *s, const char *from, const char *to)
{
	char folder[PATH_MAX];
	char *slash;
	int fd, err = keep_rename(from, to);

	if (err != 0)
		return store_say(s, STORE_BROKEN, strerror(err),
		    "%.100s cannot be written", to);
	snprintf(folder, sizeof(folder), "%s", to);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	fd = open(slash != NULL ? folder : ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return STORE_DONE;
}

void
store_copy_remove(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
	char part[PATH_MAX];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (snprintf(part, sizeof(part), "%s%s", path, parts[i]) <
		    (int)sizeof(part))
			unlink(part);
}

enum store_end
store_copy(struct store *s, sqlite3 *from, const char *file)
{
	char beside[PATH_MAX];
	enum store_end end;

	if (snprintf(beside, sizeof(beside), "%s.%ld.new", file,
	    (long)getpid()) >= (int)sizeof(beside))
		return store_say(s, STORE_BROKEN, file,
		    "the name is too long");
	store_copy_remove(beside);
	end = store_copy_into(s, from, beside);
	if (end == STORE_DONE)
		end = store_copy_name(s, beside, file);
	store_copy_remove(beside);
	return end;
}

enum store_end
store_backup(struct store *s, const char *file)
{
	struct migrate_plan plan = store_file_plan(&s->truth);
	enum store_end end = store_file_look(&s->truth);
	struct migrate_result result;
	enum migrate_end looked;
	sqlite3 *db;

	if (end != STORE_DONE)
		return end;
	if (store_copy_same(&s->truth, file))
		return store_say(s, STORE_BROKEN, file,
		    "that is the database itself");
	looked = migrate_look(&plan, &db, &result);
	if (looked == MIGRATE_DONE || looked == MIGRATE_OLDER)
		end = store_copy(s, db, file);
	else
		end = store_say(s, STORE_NONE, plan.path,
		    "there is no database yet");
	sqlite3_close(db);
	return end;
}
