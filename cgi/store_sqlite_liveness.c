/*
 * The statements of liveness. What is indexed is written only when it
 * changes: the common poll touches nothing but its row's time.
 */
#include "store_sqlite.h"

/* What is shown of an agent that is not silent. */
#define STORE_SQL_SHOWN(said, version)					\
	"coalesce(" said ", CASE WHEN " version " >= 0 "		\
	"THEN 'ok' ELSE 'new' END)"

/* The time of a last poll that is not too old: three intervals of those that
 * the agent was told, which the poll's own time says. */
#define STORE_SQL_SINCE							\
	"(CASE WHEN last_poll >= ?1 THEN ?2 "				\
	"WHEN last_poll >= ?3 THEN ?4 WHEN last_poll >= ?5 THEN ?6 "	\
	"WHEN last_poll >= ?7 THEN ?8 WHEN last_poll >= ?9 THEN ?10 "	\
	"WHEN last_poll >= ?11 THEN ?12 "				\
	"WHEN last_poll >= ?13 THEN ?14 ELSE ?16 END)"
/* A poll of the future (?18 is now): the clock was set back since. Its agent
 * is as if it had polled now; in time it is silent, if it is gone. Nobody is
 * who polled after ?19, the latest of those times: of most rows no more is
 * looked at. */
#define STORE_SQL_IS_GONE						\
	"last_poll NOT BETWEEN ?19 AND ?18 "				\
	"AND last_poll > 0 AND state <> 'offline' AND (last_poll < "	\
	STORE_SQL_SINCE " OR last_poll > ?18)"
#define STORE_SQL_IS_BACK						\
	"state = 'offline' AND last_poll >= " STORE_SQL_SINCE

/* A beat of ?2 is no older than what is known; ?5 is now. */
#define STORE_SQL_IS_NEWS						\
	"(last_poll <= ?2 OR last_poll > ?5)"

/* What a poll said that says something new. The error: NULL, it stays. */
#define STORE_SQL_SAID							\
	"last_poll = ?2, applied_version = ?3, "			\
	"highest = max(highest, ?3), said = ?4, "			\
	"error = CASE WHEN ?5 IS NULL THEN error ELSE nullif(?5, '') END"

/* By version alone: each state has them in order, and they are merged. */
#define STORE_SQL_OF(state)						\
	"SELECT id FROM live INDEXED BY live_both WHERE state = '" state \
	"' AND applied_version = ?4 AND id > ?1"

static const char *const store_sql_liveness[STORE_SQL_LIVENESS] = {
	STORE_SQL_BOTH,
	/* a poll that says what is known already */
	[STORE_SQL_BEAT] =
	    "UPDATE live SET last_poll = ?2 "
	    "WHERE id = ?1 AND " STORE_SQL_IS_NEWS " AND state <> 'offline' "
	    "AND applied_version = coalesce(?3, applied_version) "
	    "AND state = coalesce(?4, state)",
	[STORE_SQL_BEFORE] =
	    "SELECT last_poll, applied_version, highest, said, state "
	    "FROM live WHERE id = ?1",
	[STORE_SQL_MOVE] =
	    "UPDATE live SET " STORE_SQL_SAID " WHERE id = ?1",
	[STORE_SQL_SAY] =
	    "UPDATE live SET state = ?6, " STORE_SQL_SAID " WHERE id = ?1",
	[STORE_SQL_RECKON] =
	    "INSERT INTO tally VALUES (?1, ?2, ?3) ON CONFLICT "
	    "DO UPDATE SET count = count + ?3",
	[STORE_SQL_SPREAD] =
	    "INSERT INTO spread VALUES (?1, ?2, ?4, ?3) ON CONFLICT "
	    "DO UPDATE SET count = count + ?4, longest = max(longest, ?3)",
	[STORE_SQL_ADD] =
	    "INSERT INTO live (id) VALUES (?1) ON CONFLICT DO NOTHING",
	[STORE_SQL_LIVE] =
	    "SELECT last_poll, applied_version, state, error FROM live "
	    "WHERE id = ?1",
	[STORE_SQL_LIVE_IDS] =
	    "SELECT id FROM live WHERE id > ?1 ORDER BY id LIMIT ?2",
	[STORE_SQL_LIVE_FORGET] = "DELETE FROM live WHERE id = ?1",
	[STORE_SQL_BY_STATE] =
	    "SELECT id FROM live INDEXED BY live_state "
	    "WHERE id > ?1 AND state = ?3 ORDER BY id LIMIT ?2",
	[STORE_SQL_BY_VERSION] =
	    STORE_SQL_OF("ok") " UNION ALL " STORE_SQL_OF("failed")
	    " UNION ALL " STORE_SQL_OF("no-worker") " UNION ALL "
	    STORE_SQL_OF("offline") " UNION ALL " STORE_SQL_OF("new")
	    " ORDER BY id LIMIT ?2",
	[STORE_SQL_BY_BOTH] =
	    "SELECT id FROM live INDEXED BY live_both WHERE id > ?1 "
	    "AND state = ?3 AND applied_version = ?4 ORDER BY id LIMIT ?2",
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
	[STORE_SQL_RECOUNT] =
	    "INSERT INTO tally SELECT state, applied_version, count(*) "
	    "FROM live GROUP BY state, applied_version",
	[STORE_SQL_GONE] =
	    "SELECT EXISTS (SELECT 1 FROM live WHERE " STORE_SQL_IS_GONE ")",
	[STORE_SQL_BACK] =
	    "SELECT EXISTS (SELECT 1 FROM live INDEXED BY live_state "
	    "WHERE " STORE_SQL_IS_BACK ")",
	[STORE_SQL_OFFLINE] =
	    "UPDATE live SET state = "
	    "CASE WHEN last_poll > ?18 THEN state ELSE 'offline' END, "
	    "last_poll = min(last_poll, ?18) WHERE id IN (SELECT id "
	    "FROM live WHERE " STORE_SQL_IS_GONE " LIMIT ?17)",
	[STORE_SQL_ONLINE] =
	    "UPDATE live SET state = "
	    STORE_SQL_SHOWN("said", "applied_version")
	    " WHERE id IN (SELECT id FROM live INDEXED BY live_state "
	    "WHERE " STORE_SQL_IS_BACK " LIMIT ?17)",
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
	.open = "PRAGMA synchronous=OFF; PRAGMA cache_size=-32768; "
	    /* a statement that fires triggers keeps what it changes: with
	     * files that is most of a fold */
	    "PRAGMA temp_store=MEMORY",
	.frames = 4096,
	/* of a large fleet most pages change with each fold: what several did
	 * to one is put into the database once */
	.patient = true,
};
