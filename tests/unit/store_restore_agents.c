/*
 * What a restore does to agents: those that came since, and those that were
 * deleted since.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_restore.c"

#include "restore_here.h"

UNIT("agents that came since stay, and generations never fall")
{
	struct store_restored out;
	long long generation;

	begin("wal");
	publish_in(s, "{\"a\":1}");
	enrol("3f2b8c1e-0000-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.1");
	enrol("3f2b8c1e-1111-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.2");
	sql("UPDATE agent SET generation = 7 "
	    "WHERE id = '3f2b8c1e-1111-4f6b-9a7c-0e1d2c3b4a5f'");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	sql("UPDATE agent SET generation = 5 "
	    "WHERE id = '3f2b8c1e-0000-4f6b-9a7c-0e1d2c3b4a5f'");
	sql("UPDATE agent SET generation = 2 "
	    "WHERE id = '3f2b8c1e-1111-4f6b-9a7c-0e1d2c3b4a5f'");
	enrol("3f2b8c1e-2222-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.3");
	restore(&out);
	CHECK_INT(store_generation(s, "3f2b8c1e-0000-4f6b-9a7c-0e1d2c3b4a5f",
	    &generation), STORE_DONE);
	CHECK_INT(generation, 5);
	CHECK_INT(store_generation(s, "3f2b8c1e-1111-4f6b-9a7c-0e1d2c3b4a5f",
	    &generation), STORE_DONE);
	CHECK_INT(generation, 7);
	CHECK_INT(store_generation(s, "3f2b8c1e-2222-4f6b-9a7c-0e1d2c3b4a5f",
	    &generation), STORE_DONE);
	sql("CREATE TEMP TABLE t (n CHECK (n = 3)); INSERT INTO t "
	    "SELECT total FROM agent_total");
	end();
}

UNIT("agents that were deleted since stay so, and their tokens bad")
{
	struct store_restored out;
	char rm[256];

	begin("wal");
	publish_in(s, "{\"a\":1}");
	enrol("3f2b8c1e-0000-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.1");
	enrol("3f2b8c1e-1111-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.2");
	sql("INSERT INTO tombstone VALUES "
	    "('3f2b8c1e-2222-4f6b-9a7c-0e1d2c3b4a5f', 9, 1)");
	CHECK_INT(store_backup(s, backup), STORE_DONE);
	sql("INSERT INTO tombstone SELECT id, generation + 1, 2 FROM agent "
	    "WHERE id LIKE '3f2b8c1e-0000%'");
	sql("DELETE FROM agent WHERE id LIKE '3f2b8c1e-0000%'");
	restore(&out);
	sql("CREATE TEMP TABLE t (a, b, CHECK (a = '3f2b8c1e-1111-4f6b-9a7c-"
	    "0e1d2c3b4a5f' AND b = 1)); INSERT INTO t "
	    "SELECT group_concat(id), max(generation) FROM agent");
	sql("CREATE TEMP TABLE t (a, b, CHECK (a = 2 AND b = 11)); "
	    "INSERT INTO t SELECT count(*), sum(generation) "
	    "FROM tombstone");
	/* the same into another life, where the one came back */
	store_free(s);
	snprintf(rm, sizeof(rm), "rm -f %s/controller*", folder);
	CHECK(system(rm) == 0);
	s = store_here("wal");
	enrol("3f2b8c1e-2222-4f6b-9a7c-0e1d2c3b4a5f", "192.0.2.1");
	restore(&out);
	sql("CREATE TEMP TABLE t (a, b, CHECK (a = 3 AND b = 11)); "
	    "INSERT INTO t SELECT count(*), sum(generation) FROM agent");
	sql("CREATE TEMP TABLE t (a CHECK (a = 0)); INSERT INTO t "
	    "SELECT count(*) FROM tombstone");
	end();
}

UNIT_MAIN
