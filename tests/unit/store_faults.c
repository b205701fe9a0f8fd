/*
 * What the store makes of databases that are missing, spoilt, locked or newer.
 */
#include "unit.h"

#include <signal.h>
#include <sys/resource.h>

#include "../../cgi/store_sqlite_file.c"

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

UNIT_MAIN
