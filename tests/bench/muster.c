/*
 * muster: registers a fleet that is only played, all at once, in a database
 * of the controller that nobody uses yet. A million take some seconds; as
 * many POST /register would take the better part of an hour, and are measured
 * elsewhere.
 *
 *	muster DATABASE AGENTS [SEED]
 *
 * The schema is the controller's own, as dcm-controller --migrate made it.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet_id.h"

static const char muster_sql[] =
    "INSERT INTO agent (id, hostname, address, registered_at, first_version)"
    " VALUES (?1, ?2, '127.0.0.1', ?3, 0)";

struct muster_id {
	char text[TOKEN_UUID];
};

static int
muster_order(const void *a, const void *b)
{
	const struct muster_id *one = a, *other = b;

	return strcmp(one->text, other->text);
}

/* In the order of the table, which is much faster than in any other. */
static struct muster_id *
muster_ids(uint32_t n, uint64_t seed)
{
	struct muster_id *ids = calloc(n, sizeof(*ids));

	for (uint32_t i = 0; ids != NULL && i < n; i++)
		id_make(ids[i].text, seed, i);
	if (ids != NULL)
		qsort(ids, n, sizeof(*ids), muster_order);
	return ids;
}

static int
muster_add(sqlite3 *db, const struct muster_id *ids, uint32_t n)
{
	long long now = (long long)time(NULL) * 1000;
	sqlite3_stmt *row = NULL;
	char name[32];
	int rc = sqlite3_prepare_v2(db, muster_sql, -1, &row, NULL);

	for (uint32_t i = 0; rc == SQLITE_OK && i < n; i++) {
		snprintf(name, sizeof(name), "agent-%07u", i);
		sqlite3_bind_text(row, 1, ids[i].text, -1, SQLITE_STATIC);
		sqlite3_bind_text(row, 2, name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(row, 3, now);
		sqlite3_step(row);
		rc = sqlite3_reset(row);
	}
	sqlite3_finalize(row);
	return rc;
}

int
main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	struct muster_id *ids = NULL;
	sqlite3 *db = NULL;
	int rc;

	if (argc < 3 || argc > 4 || n < 1 || n > 10000000) {
		fputs("usage: muster DATABASE AGENTS [SEED]\n", stderr);
		return 2;
	}
	ids = muster_ids((uint32_t)n, seed);
	rc = ids == NULL ? SQLITE_NOMEM :
	    sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, 10000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = muster_add(db, ids, (uint32_t)n);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		fprintf(stderr, "muster: %s: %s\n", argv[1], db != NULL ?
		    sqlite3_errmsg(db) : sqlite3_errstr(rc));
	sqlite3_close(db);
	free(ids);
	return rc == SQLITE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
