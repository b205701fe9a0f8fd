/*
 * What the store makes of databases that are missing, spoilt, locked, newer
 * or replaced.
 */
#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cgi/store_sqlite_file.c"

#include "keep.h"
#include "store_here.h"

UNIT("every statement can be prepared")
{
	struct store *s;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_ready(s), STORE_DONE);
	for (int i = 0; i < store_truth.count; i++)
		if (store_file_sql(&s->truth, (enum store_sql)i) == NULL)
			UNIT_FAIL("truth %d: %s", i,
			    sqlite3_errmsg(s->truth.db));
	for (int i = 0; i < store_liveness.count; i++)
		if (store_file_sql(&s->live, (enum store_sql)i) == NULL)
			UNIT_FAIL("live %d: %s", i,
			    sqlite3_errmsg(s->live.db));
	store_free(s);
	folder_remove();
}

UNIT("the first version is 0 with the default interval, then 1")
{
	struct store_change change = {
		.data = "{\"url\":\"http://a\"}", .len = 18, .author = "a",
	};
	const struct store_version *v;
	struct store *s;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_TEXT(v->body,
	    "{\"version\":0,\"data\":{},\"poll_interval_seconds\":30}");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	CHECK_TEXT(v->body, "{\"version\":1,\"data\":{\"url\":\"http://a\"},"
	    "\"poll_interval_seconds\":30}");
	CHECK_INT(store_publish(s, &change, &v), STORE_SAME);
	CHECK_INT(v->version, 1);
	change.interval = 5;
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	CHECK_INT(v->interval, 5);
	change.interval = 0;	/* the present one stays */
	CHECK_INT(store_publish(s, &change, &v), STORE_SAME);
	change.if_match = "\"1-0123456789abcdef\"";
	CHECK_INT(store_publish(s, &change, &v), STORE_STALE);
	CHECK_INT(v->version, 2);
	store_free(s);
	folder_remove();
}

static void
spoil(const char *sql)
{
	sqlite3 *db;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

UNIT("a newer database is refused, also under our feet, and not touched")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	char mark[64];
	int known;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	spoil("PRAGMA user_version=1000");
	CHECK_INT(store_publish(s, &change, &v), STORE_NEWER);
	CHECK(strstr(store_why(s), "1000") != NULL);
	CHECK_INT(store_current(s, &v), STORE_NEWER);
	for (known = 0; migrate_steps_truth[known] != NULL;)
		known++;
	snprintf(mark, sizeof(mark), "PRAGMA user_version=%d", known);
	spoil(mark);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	store_free(s);
	folder_remove();
}

UNIT("garbage and another program's database are refused, and left alone")
{
	const struct store_version *v;
	struct store *s;
	FILE *f;

	folder_make();
	f = fopen(path, "w");
	CHECK(f != NULL);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", f);
	fclose(f);
	s = store_here("wal");
	CHECK_INT(store_current(s, &v), STORE_BROKEN);
	CHECK_TEXT(store_why(s), "the database is not a database");
	CHECK_INT(store_probe(s, 10), STORE_BROKEN);
	unlink(path);
	spoil("CREATE TABLE theirs (a)");
	CHECK_INT(store_current(s, &v), STORE_BROKEN);
	CHECK_TEXT(store_why(s), "the database belongs to another program");
	unlink(path);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(store_probe(s, 10), STORE_DONE);
	store_free(s);
	folder_remove();
}

UNIT("without room the store is not ready, and a publish loses nothing")
{
	char data[40000] = "{\"x\":\"";
	struct store_change small = {
		.data = "{}", .len = 2, .author = "a",
	};
	struct store_change large = {
		.data = data, .len = sizeof(data), .author = "a",
	};
	const struct store_version *v;
	struct rlimit limit, tight;
	struct store *s;

	memset(data + 6, 'x', sizeof(data) - 6);
	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &small, &v), STORE_DONE);
	CHECK_INT(store_probe(s, 10), STORE_DONE);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	tight = limit;
	tight.rlim_cur = 36864;
	CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
	CHECK(store_publish(s, &large, &v) != STORE_DONE);
	CHECK_INT(store_probe(s, 10), STORE_FULL);
	CHECK_TEXT(store_why(s), "there is no space left for the database");
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_INT(store_probe(s, 10), STORE_DONE);
	CHECK_INT(store_publish(s, &large, &v), STORE_DONE);
	CHECK_INT(v->version, 2);
	store_free(s);
	folder_remove();
}

UNIT("a locked database is busy for writers, and soon free again")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	sqlite3 *db;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_current(s, &v), STORE_DONE);
	s->busy_ms = 50;
	store_file_close(&s->truth);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ==
	    SQLITE_OK);
	CHECK_INT(store_publish(s, &change, &v), STORE_BUSY);
	CHECK_INT(store_probe(s, 10), STORE_BUSY);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	sqlite3_close(db);
	store_free(s);
	folder_remove();
}

UNIT("a database that was replaced is read anew")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	char away[128];

	folder_make();
	s = store_here("truncate");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(rename(path, away) == 0);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 0);
	CHECK(rename(away, path) == 0);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	store_free(s);
	folder_remove();
}

UNIT("a file that is no database is not believed for the WAL beside it")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	char away[128], junk[8192];
	struct store *s;
	FILE *file;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(rename(path, away) == 0);
	memset(junk, 'x', sizeof(junk));
	CHECK((file = fopen(path, "w")) != NULL);
	CHECK(fwrite(junk, 1, sizeof(junk), file) == sizeof(junk));
	CHECK(fclose(file) == 0);
	CHECK_INT(store_current(s, &v), STORE_BROKEN);
	CHECK_TEXT(store_why(s), "the database is not a database");
	CHECK(rename(away, path) == 0);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	store_free(s);
	folder_remove();
}

UNIT("nothing is committed into a WAL that was removed")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	char part[128];

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	snprintf(part, sizeof(part), "%s-wal", path);
	CHECK(unlink(part) == 0);
	snprintf(part, sizeof(part), "%s-shm", path);
	CHECK(unlink(part) == 0);
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 0);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	store_free(s);
	s = store_here("wal");
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	store_free(s);
	folder_remove();
}

/* Another process, which publishes when it is told: it is begun before there
 * is a database, for what SQLite knows of one is shared within a process, and
 * inherited. Gives where to tell it, and its number. */
static pid_t
publishes_later(int *tell)
{
	struct store_change change = {
		.data = "{\"b\":1}", .len = 7, .author = "b",
	};
	const struct store_version *v;
	struct store *s;
	int pipes[2];
	char byte;
	pid_t child;

	CHECK(pipe(pipes) == 0);
	child = fork();
	if (child == 0) {
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) != 1)
			_exit(0);
		s = store_here("wal");
		_exit(store_publish(s, &change, &v) == STORE_DONE ?
		    (int)v->version : 0);
	}
	close(pipes[0]);
	*tell = pipes[1];
	return child;
}

UNIT("nothing is committed over another's commit when the WAL's index is gone")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	char part[128];
	int tell, status;
	pid_t other;

	folder_make();
	other = publishes_later(&tell);
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	snprintf(part, sizeof(part), "%s-shm", path);
	CHECK(unlink(part) == 0);
	CHECK(write(tell, "", 1) == 1);
	CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 2);
	close(tell);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	CHECK_INT(v->version, 3);
	store_free(s);
	folder_remove();
}

UNIT("a database that is a link has its WAL where it leads")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;
	char real[128];

	folder_make();
	snprintf(real, sizeof(real), "%s.real", path);
	CHECK(symlink(real, path) == 0);
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	CHECK(!store_file_moved(&s->truth));
	store_free(s);
	folder_remove();
}

/* Puts another file in the database's place when the last statement of its
 * opening runs. */
static int
replaced_late(unsigned event, void *arg, void *statement, void *text)
{
	static const char other[4096] = "no database";
	char away[128];

	(void)event, (void)arg, (void)statement;
	if (strcmp(text, "PRAGMA journal_mode") != 0)
		return 0;
	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(rename(path, away) == 0);
	CHECK(keep_write(path, other, sizeof(other), 0600) == 0);
	return 0;
}

static int
replaced_late_watch(sqlite3 *db, char **why, const void *api)
{
	(void)why, (void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, replaced_late, NULL);
}

UNIT("a database that is replaced while it is being opened is not believed")
{
	const struct store_version *v;
	struct store *s;

	folder_make();
	s = store_here("truncate");
	CHECK_INT(store_current(s, &v), STORE_DONE);
	store_file_close(&s->truth);
	sqlite3_auto_extension((void (*)(void))replaced_late_watch);
	CHECK_INT(store_file_ready(&s->truth), STORE_DONE);
	sqlite3_reset_auto_extension();
	CHECK_INT(store_current(s, &v), STORE_BROKEN);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
