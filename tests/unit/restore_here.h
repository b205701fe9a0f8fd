#ifndef RESTORE_HERE_H
#define RESTORE_HERE_H
/*
 * A store and a backup in a folder of their own, for the unit tests of the
 * way back.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_here.h"

static char backup[96];
static struct store *s;

static inline void
begin(const char *journal)
{
	folder_make();
	snprintf(backup, sizeof(backup), "%s/backup.db", folder);
	s = store_here(journal);
}

static inline void
end(void)
{
	store_free(s);
	folder_remove();
}

static inline long long
publish_in(struct store *in, const char *data)
{
	const struct store_deed deed = { "publish", "alice", "", "" };
	const struct store_version *v;
	struct store_change change = {
		.data = data,
		.len = strlen(data),
		.author = "alice",
		.deed = &deed,
	};

	CHECK_INT(store_publish(in, &change, &v), STORE_DONE);
	return v->version;
}

static inline void
enrol(const char *id, const char *address)
{
	char from[64];
	struct store_agent a = { .address = from, .registered_at = 1 };
	long long generation;

	snprintf(from, sizeof(from), "%s", address);
	snprintf(a.id, sizeof(a.id), "%s", id);
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
}

static inline void
sql(const char *text)
{
	sqlite3 *db;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		UNIT_FAIL("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static char seen[1024];

static inline void
see(void *arg, const struct store_entry *e)
{
	size_t at = strlen(seen);

	(void)arg;
	snprintf(seen + at, sizeof(seen) - at, "%lld %s;", e->version,
	    e->comment != NULL ? e->comment : e->author);
}

static inline const char *
history(void)
{
	bool more;

	seen[0] = '\0';
	CHECK_INT(store_history(s, 0, 100, see, NULL, &more), STORE_DONE);
	return seen;
}

static inline void
see_deed(void *arg, const struct store_audit *a)
{
	size_t at = strlen(seen);

	(void)arg;
	snprintf(seen + at, sizeof(seen) - at, "%s %s;", a->action, a->what);
}

static inline const char *
audit(void)
{
	bool more;

	seen[0] = '\0';
	CHECK_INT(store_audit(s, 0, 0, 100, see_deed, NULL, &more),
	    STORE_DONE);
	return seen;
}

static inline void
restore(struct store_restored *out)
{
	if (store_restore(s, backup, out) != STORE_DONE)
		UNIT_FAIL("%s: %s", store_why(s), store_detail(s));
}

#endif
