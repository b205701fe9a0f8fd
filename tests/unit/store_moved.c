/*
 * What the store makes of a database that is replaced while it is open, or
 * loses its WAL or the index of that.
 */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "../../cgi/store_sqlite_file.c"

#include "keep.h"
#include "store_here.h"

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

static void
remove_part(const char *what)
{
	char part[128];

	snprintf(part, sizeof(part), "%s%s", path, what);
	CHECK(unlink(part) == 0);
}

static void
publishes_without_wal(bool index)
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	remove_part("-wal");
	if (!index)
		remove_part("-shm");
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

UNIT("nothing is committed into a WAL that was removed")
{
	publishes_without_wal(false);
	publishes_without_wal(true);
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
	int tell, status;
	pid_t other;

	folder_make();
	other = publishes_later(&tell);
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	remove_part("-shm");
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

/* What happens when the last statement of a database's opening runs. */
static void (*late)(void);

static int
late_look(unsigned event, void *arg, void *statement, void *text)
{
	(void)event, (void)arg, (void)statement;
	if (strcmp(text, "PRAGMA journal_mode") == 0)
		late();
	return 0;
}

static int
late_watch(sqlite3 *db, char **why, const void *api)
{
	(void)why, (void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, late_look, NULL);
}

static void
opens_late(struct store *s, void (*what)(void))
{
	late = what;
	store_file_close(&s->truth);
	sqlite3_auto_extension((void (*)(void))late_watch);
	CHECK_INT(store_file_ready(&s->truth), STORE_DONE);
	sqlite3_reset_auto_extension();
}

/* Puts another file in the database's place. */
static void
replaced_late(void)
{
	static const char other[4096] = "no database";
	char away[128];

	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(rename(path, away) == 0);
	CHECK(keep_write(path, other, sizeof(other), 0600) == 0);
}

static void
removed_wal(void)
{
	remove_part("-wal");
}

static void
removed_index(void)
{
	remove_part("-shm");
}

UNIT("a WAL that is removed while its database is being opened is not believed")
{
	struct store_change change = {
		.data = "{}", .len = 2, .author = "a",
	};
	const struct store_version *v;
	struct store *s;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
	opens_late(s, removed_index);
	CHECK(store_file_moved(&s->truth));
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	opens_late(s, removed_wal);
	CHECK(store_file_moved(&s->truth));
	CHECK_INT(store_current(s, &v), STORE_DONE);
	CHECK_INT(v->version, 0);
	store_free(s);
	folder_remove();
}

UNIT("a database that is replaced while it is being opened is not believed")
{
	const struct store_version *v;
	struct store *s;

	folder_make();
	s = store_here("truncate");
	CHECK_INT(store_current(s, &v), STORE_DONE);
	opens_late(s, replaced_late);
	CHECK_INT(store_current(s, &v), STORE_BROKEN);
	store_free(s);
	folder_remove();
}

static void
enrols(struct store *s, const char *id)
{
	struct store_agent a = { .registered_at = 1 };
	char text[] = "here";
	long long generation;

	a.address = text;
	snprintf(a.id, sizeof(a.id), "%s", id);
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
}

/* Adds the first digit of its id to a text. */
static void
lists(void *arg, const struct store_agent *a)
{
	strcat(arg, (char[]){ a->id[0], '\0' });
}

static const char first[] = "11111111-1111-4111-8111-111111111111";
static const char second[] = "22222222-2222-4222-8222-222222222222";

/* Sweeps, and says who is new by what liveness knows. */
static const char *
newcomers(struct store *s)
{
	struct store_filter filter = { .after = "", .limit = 9,
		.state = "new", .version = -1 };
	static char seen[9];
	char last[TOKEN_UUID];
	long long total;
	bool more;

	seen[0] = '\0';
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(store_agents_by(s, &filter, lists, seen, &total, last,
	    &more), STORE_DONE);
	CHECK_INT(total, strlen(seen));
	return seen;
}

UNIT("liveness follows a database with other agents, be they as many")
{
	char away[128];
	struct store *s;

	folder_make();
	s = store_here("truncate");
	enrols(s, first);
	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(rename(path, away) == 0);
	enrols(s, second);
	CHECK_TEXT(newcomers(s), "2");
	CHECK(rename(away, path) == 0);
	CHECK_TEXT(newcomers(s), "1");
	store_free(s);
	folder_remove();
}

UNIT("a deletion while liveness was locked is made up for, be they as many")
{
	const struct store_deed deed = { .action = "delete", .who = "me",
		.address = "", .request_id = "" };
	const struct store_options options = { .path = path,
		.journal = "truncate", .interval = 30, .busy_ms = 10 };
	sqlite3 *other;
	struct store *s;
	char live[128];

	folder_make();
	s = store_new(&options);
	enrols(s, first);
	CHECK_TEXT(newcomers(s), "1");
	snprintf(live, sizeof(live), "%s/controller-live.db", folder);
	CHECK_INT(sqlite3_open(live, &other), SQLITE_OK);
	CHECK_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	CHECK_INT(store_forget(s, first, &deed, 1), STORE_DONE);
	sqlite3_close(other);
	enrols(s, second);
	CHECK_TEXT(newcomers(s), "2");
	store_free(s);
	folder_remove();
}

UNIT_MAIN
