/*
 * The statements of liveness. What is indexed is written only when it
 * changes: the common poll touches no row.
 */
#include "store_sqlite.h"

static const char *const store_sql_liveness[STORE_SQL_LIVENESS] = {
	STORE_SQL_BOTH,
	[STORE_SQL_BEFORE] =
	    "SELECT coalesce(number, -1), last_poll, applied_version, highest, "
	    "said, state FROM live WHERE id = ?1",
	[STORE_SQL_NUMBER] =
	    "UPDATE live SET number = ?2, last_poll = 0 WHERE id = ?1",
	/* the error: NULL, it stays */
	[STORE_SQL_SAY] =
	    "UPDATE live SET state = ?2, applied_version = ?3, highest = ?4, "
	    "said = ?5, error = CASE WHEN ?6 IS NULL THEN error "
	    "ELSE nullif(?6, '') END WHERE id = ?1",
	[STORE_SQL_RECKON] =
	    "INSERT INTO tally VALUES (?1, ?2, ?3) ON CONFLICT "
	    "DO UPDATE SET count = count + ?3",
	[STORE_SQL_SPREAD] =
	    "INSERT INTO spread VALUES (?1, ?2, ?4, ?3) ON CONFLICT "
	    "DO UPDATE SET count = count + ?4, longest = max(longest, ?3)",
	[STORE_SQL_ADD] =
	    "INSERT INTO live (id) VALUES (?1) ON CONFLICT DO NOTHING",
	[STORE_SQL_LIVE] =
	    "SELECT last_poll, applied_version, state, error, "
	    "coalesce(number, -1), pulse.said FROM live LEFT JOIN pulse "
	    "ON page = number / ?2 WHERE id = ?1",
	[STORE_SQL_LIVE_IDS] =
	    "SELECT id FROM live WHERE id > ?1 ORDER BY id LIMIT ?2",
	[STORE_SQL_LIVE_FORGET] = "DELETE FROM live WHERE id = ?1",
	[STORE_SQL_BY_STATE] =
	    "SELECT id FROM live INDEXED BY live_state "
	    "WHERE id > ?1 AND state = ?3 ORDER BY id LIMIT ?2",
	[STORE_SQL_HEARD] =
	    "SELECT id, state, applied_version, coalesce(number, -1), "
	    "pulse.said FROM live LEFT JOIN pulse ON page = number / ?2 "
	    "WHERE id > ?1 ORDER BY id",
	[STORE_SQL_TALLY] =
	    "SELECT state, applied_version, count FROM tally "
	    "WHERE count > 0",
	[STORE_SQL_COUNT] =
	    "SELECT coalesce(sum(count), 0) FROM tally "
	    "WHERE state = coalesce(?1, state) "
	    "AND applied_version = coalesce(?2, applied_version)",
	/* fewer than none; many that are none any more */
	[STORE_SQL_ODD] =
	    "SELECT coalesce(min(count), 0) < 0, count(*) > 256 FROM tally "
	    "WHERE count <= 0",
	[STORE_SQL_NOBODY] = "DELETE FROM tally WHERE count = 0",
	[STORE_SQL_UNCOUNT] = "DELETE FROM tally",
	[STORE_SQL_ALL] =
	    "SELECT state, applied_version, coalesce(number, -1) FROM live",
	[STORE_SQL_BY_NUMBER] =
	    "SELECT id, applied_version, state, said FROM live "
	    "WHERE number = ?1",
	[STORE_SQL_SHOW] = "UPDATE live SET state = ?2 WHERE id = ?1",
	[STORE_SQL_APART] =
	    "SELECT id FROM live INDEXED BY live_apart "
	    "WHERE number IS NULL AND last_poll > 0 LIMIT ?2",
	[STORE_SQL_PULSE] = "SELECT said FROM pulse WHERE page = ?1",
	[STORE_SQL_PULSES] =
	    "SELECT page, said FROM pulse WHERE page > ?1 ORDER BY page",
	[STORE_SQL_PULSE_WRITE] = "REPLACE INTO pulse VALUES (?1, ?2)",
	[STORE_SQL_PULSE_FORGET] = "DELETE FROM pulse WHERE page = ?1",
	/* without a WAL a power cut may leave one page older than another */
	[STORE_SQL_NUMBERS] =
	    "SELECT max(0, numbers, (SELECT coalesce(max(number), -1) + 1 "
	    "FROM live WHERE number IS NOT NULL)) FROM sweep",
	[STORE_SQL_NUMBERED] = "UPDATE sweep SET numbers = ?1",
	[STORE_SQL_SWEEP] = "SELECT silent, joined FROM sweep",
	[STORE_SQL_SWEEP_SILENT] = "UPDATE sweep SET silent = ?1",
	[STORE_SQL_SWEEP_JOINED] = "UPDATE sweep SET joined = ?1",
	[STORE_SQL_SPREADS] =
	    "SELECT bucket, count, longest FROM spread "
	    "WHERE version = ?1 ORDER BY bucket",
};

const struct store_kind store_liveness = {
	.name = "the database of heartbeats",
	.sql = store_sql_liveness,
	.count = STORE_SQL_LIVENESS,
	.steps = migrate_steps_live,
	/* in a WAL a transaction outlives a power cut whole or not at all;
	 * only a checkpoint waits for the disk */
	.unwalled = "PRAGMA synchronous=OFF",
	.open = "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768",
	.frames = 4096,
	/* of a large fleet most pages change with each fold: what several did
	 * to one is put into the database once */
	.patient = true,
};
