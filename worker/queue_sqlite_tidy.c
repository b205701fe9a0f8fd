/*
 * What goes by the clock: tasks whose results have had their time, and
 * configurations that no task needs any more.
 */
#include "clock.h"
#include "queue_sqlite.h"

enum {
	TIDY_EACH = 1000,	/* ms between two looks */
	TIDY_MORE = 20,		/* ms, when there are more */
	TIDY_MOST = 1000,	/* tasks at once, as in the statements */
	TIDY_CONFIG = 60000,	/* ms; it reads all that is not over */
};

/* How many tasks have gone. */
static int
queue_sqlite_tidy_results(struct queue_sqlite *s)
{
	static const enum queue_sqlite_sql steps[] = {
		QUEUE_SQLITE_EXPIRE_RESULTS, QUEUE_SQLITE_EXPIRE };
	long long until = clock_wall() - s->base.setup.ttl_ms;
	sqlite3_stmt *sql;

	for (size_t i = 0; i < 2; i++) {
		sql = queue_sqlite_file_sql(s, steps[i]);
		sqlite3_bind_int64(sql, 1, until);
		if (!queue_sqlite_file_run(s, sql)) {
			queue_sqlite_spoil(s, "results cannot be removed");
			return 0;
		}
	}
	return sqlite3_changes(s->db);
}

static void
queue_sqlite_tidy_configs(struct queue_sqlite *s)
{
	int64_t now = loop_now(s->base.setup.loop);
	sqlite3_stmt *sql;
	long long count = 0;

	if (!s->leftover || (s->tidied != 0 && now - s->tidied < TIDY_CONFIG))
		return;
	s->tidied = now;
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_CONFIG_DROP);
	sqlite3_bind_int64(sql, 1, s->config != NULL ? s->config_row : 0);
	queue_sqlite_file_run(s, sql);
	sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_CONFIG_COUNT);
	if (sqlite3_step(sql) == SQLITE_ROW)
		count = sqlite3_column_int64(sql, 0);
	sqlite3_reset(sql);
	s->leftover = count > 1;
}

void
queue_sqlite_tidy(struct loop_timer *timer)
{
	struct queue_sqlite *s = LOOP_OF(struct queue_sqlite, expiry, timer);
	int gone = 0;

	if (queue_sqlite_begin(s)) {
		gone = queue_sqlite_tidy_results(s);
		queue_sqlite_tidy_configs(s);
	}
	queue_sqlite_wait(s, NULL, QUEUE_DONE, true);
	loop_timer_start(s->base.setup.loop, timer,
	    gone < TIDY_MOST ? TIDY_EACH : TIDY_MORE);
}
