/*
 * Backups, and the way back to them.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_restore.c"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "restore_here.h"

static const char *
present(struct store *in)
{
	const struct store_version *v;

	CHECK_INT(store_current(in, &v), STORE_DONE);
	return v->body;
}

static void
there_and_back(const char *journal)
{
	struct store_restored out;
	struct store *other, *kept;
	char replaced[4096];

	begin(journal);
	other = store_here(journal);
	publish_in(s, "{\"a\":1}");
	publish_in(s, "{\"a\":2}");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	publish_in(s, "{\"a\":3}");
	CHECK(strstr(present(other), "{\"a\":3}") != NULL);
	restore(&out);
	CHECK_INT(out.version, 4);
	CHECK_INT(out.content_of, 2);
	/* who has it open sees it at once */
	CHECK_TEXT(present(other), "{\"version\":4,\"data\":{\"a\":2},"
	    "\"poll_interval_seconds\":30}");
	CHECK_TEXT(history(),
	    "4 restored from version 2;3 alice;2 alice;1 alice;");
	CHECK_TEXT(audit(), "restore {\"version\":4,\"content_of\":2};"
	    "publish {\"version\":3};publish {\"version\":2};"
	    "publish {\"version\":1};");
	CHECK_INT(publish_in(other, "{\"a\":5}"), 5);
	/* what was replaced lies beside it, whole */
	snprintf(replaced, sizeof(replaced), "%s", out.kept);
	kept = store_new(&(struct store_options){ .path = replaced,
	    .journal = journal, .interval = 30, .busy_ms = 1000 });
	CHECK_TEXT(present(kept), "{\"version\":3,\"data\":{\"a\":3},"
	    "\"poll_interval_seconds\":30}");
	store_free(kept);
	store_free(other);
	end();
}

UNIT("a restore goes on above, and keeps what it replaced (wal)")
{
	there_and_back("wal");
}

UNIT("a restore goes on above, and keeps what it replaced (truncate)")
{
	there_and_back("truncate");
}

UNIT("a restore into nothing brings all of the backup")
{
	struct store_restored out;
	char rm[256];

	begin("wal");
	publish_in(s, "{\"a\":1}");
	publish_in(s, "{\"a\":2}");
	enrol("3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.1");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	store_free(s);
	snprintf(rm, sizeof(rm), "rm -f %s/controller*", folder);
	CHECK(system(rm) == 0);
	s = store_here("wal");
	restore(&out);
	CHECK_INT(out.version, 3);
	CHECK_TEXT(out.kept, "");
	CHECK_TEXT(history(), "3 restored from version 2;2 alice;1 alice;");
	CHECK_TEXT(audit(), "restore {\"version\":3,\"content_of\":2};"
	    "publish {\"version\":2};publish {\"version\":1};");
	sql("CREATE TEMP TABLE t (n CHECK (n = 1)); INSERT INTO t "
	    "SELECT total FROM agent_total");
	end();
}

UNIT("of another life of the controller, both histories stay in order")
{
	struct store_restored out;
	char rm[256];

	begin("wal");
	publish_in(s, "{\"a\":1}");
	publish_in(s, "{\"a\":2}");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	store_free(s);
	snprintf(rm, sizeof(rm), "rm -f %s/controller*", folder);
	CHECK(system(rm) == 0);
	s = store_here("wal");
	publish_in(s, "{\"b\":1}");
	sql("UPDATE audit SET at = at + 1, action = 'newer'");
	restore(&out);
	CHECK_INT(out.version, 3);
	CHECK(strstr(present(s), "{\"a\":2}") != NULL);
	CHECK_TEXT(history(), "3 restored from version 2;2 alice;1 alice;");
	CHECK_TEXT(audit(), "restore {\"version\":3,\"content_of\":2};"
	    "newer {\"version\":1};publish {\"version\":2};"
	    "publish {\"version\":1};");
	end();
}

UNIT("a database that is garbage is put aside, and those who have it notice")
{
	struct store_restored out;
	struct store *other;
	char line[256];
	FILE *f;

	begin("wal");
	other = store_here("wal");
	publish_in(s, "{\"a\":1}");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	CHECK(strstr(present(other), "{\"a\":1}") != NULL);
	snprintf(line, sizeof(line), "cd %s && rm controller.db* && "
	    "head -c 8192 /dev/zero | tr '\\0' t >controller.db", folder);
	CHECK(system(line) == 0);
	restore(&out);
	CHECK_INT(out.version, 2);
	CHECK(out.kept[0] != '\0');
	CHECK(strstr(present(other), "{\"version\":2,\"data\":{\"a\":1}") !=
	    NULL);
	f = fopen(out.kept, "r");
	CHECK(f != NULL && fgetc(f) == 't');
	fclose(f);
	store_free(other);
	end();
}

UNIT("what is no backup is refused, and nothing is changed")
{
	struct store_restored out;
	FILE *f;

	begin("wal");
	publish_in(s, "{\"a\":1}");
	CHECK_INT(store_restore(s, backup, &out), STORE_BROKEN);
	CHECK(strstr(store_why(s), "no such file") != NULL);
	f = fopen(backup, "w");
	CHECK(f != NULL);
	fprintf(f, "no database\n");
	fclose(f);
	CHECK_INT(store_restore(s, backup, &out), STORE_BROKEN);
	CHECK_INT(store_restore(s, path, &out), STORE_BROKEN);
	CHECK_INT(store_backup(s, path), STORE_BROKEN);
	CHECK(strstr(store_why(s), "itself") != NULL);
	CHECK_TEXT(history(), "1 alice;");
	end();
}

UNIT("a backup without a version, or of a newer program, is refused")
{
	struct store_restored out;
	sqlite3 *db;

	begin("wal");
	CHECK_INT(store_backup(s, backup), STORE_NONE);
	CHECK_INT(store_ready(s), STORE_DONE);
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	publish_in(s, "{\"a\":1}");
	CHECK_INT(store_restore(s, backup, &out), STORE_NONE);
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	CHECK(sqlite3_open(backup, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "PRAGMA user_version=999", NULL, NULL,
	    NULL) == SQLITE_OK);
	sqlite3_close(db);
	CHECK_INT(store_restore(s, backup, &out), STORE_NEWER);
	CHECK_TEXT(history(), "1 alice;");
	end();
}

/* A process that publishes until it is killed; it may be told that the
 * database is busy, and nothing else. */
static pid_t
publisher(int who)
{
	pid_t pid = fork();
	const struct store_version *v;
	char data[64];

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s = store_here("wal");
	for (int n = 0;; n++) {
		struct store_change change = { .data = data, .author = "a" };
		enum store_end end;

		snprintf(data, sizeof(data), "{\"p\":%d,\"n\":%d}", who, n);
		change.len = strlen(data);
		end = store_publish(s, &change, &v);
		if (end != STORE_DONE && end != STORE_BUSY)
			_exit(1);
		usleep(200);
	}
}

UNIT("backups and restores are whole while others publish")
{
	struct store_restored out;
	struct store_version v;
	const struct store_version *now;
	pid_t pids[2];
	int status;

	begin("wal");
	publish_in(s, "{\"a\":0}");
	store_free(s);	/* SQLite's connections do not survive a fork */
	for (int i = 0; i < 2; i++)
		pids[i] = publisher(i);
	s = store_here("wal");
	for (int round = 0; round < 10; round++) {
		CHECK_INT(store_backup(s, backup), STORE_DONE);
		restore(&out);
		CHECK(out.version > out.content_of);
	}
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	/* no gap anywhere, and no half of anything */
	CHECK_INT(store_current(s, &now), STORE_DONE);
	for (long long n = now->version; n > 0; n--) {
		CHECK_INT(store_version(s, n, &v), STORE_DONE);
		store_version_free(&v);
	}
	end();
}

UNIT_MAIN
