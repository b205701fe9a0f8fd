/*
 * Which interval agents were told when they last polled: that of the version
 * of the moment. It says how long each may be silent, so that nobody is taken
 * for offline only because the interval was shortened since he asked.
 */
#include "store_sqlite.h"

#include <limits.h>

enum {
	STORE_TOLD_LATE = 2000,		/* ms: an answer under way, or one
					 * that lighttpd gave, may be of the
					 * version before */
	STORE_TOLD_LOOK = 256,		/* versions that are looked at */
};

static void
store_told_add(struct store_told *told, long long from, long interval)
{
	struct store_told_part *last = told->count > 0 ?
	    &told->part[told->count - 1] : NULL;

	if (last != NULL && from >= last->from)
		return;
	/* what does not fit is so old that the last part may speak for it */
	if (last != NULL && (interval == last->interval ||
	    told->count == STORE_TOLD_PARTS))
		last->from = from;
	else
		told->part[told->count++] = (struct store_told_part){
			from, interval };
}

/* Before `at`, when it became `now`, the interval was `old`. */
static void
store_told_moved(struct store_told *told, long long at, long now, long old)
{
	if (now == old)
		return;
	store_told_add(told, at + STORE_TOLD_LATE, now);
	store_told_add(told, at, now > old ? now : old);
}

enum store_end
store_told(struct store *s, struct store_told *told)
{
	sqlite3_stmt *row = store_file_sql(&s->truth, STORE_SQL_INTERVALS);
	long interval = s->interval, old;
	enum store_end end;
	long long at = 0, first = 1;

	told->count = 0;
	sqlite3_bind_int64(row, 1, STORE_TOLD_LOOK);
	while ((end = store_file_row(&s->truth, row)) == STORE_DONE) {
		old = (long)sqlite3_column_int64(row, 2);
		if (at > 0)
			store_told_moved(told, at, interval, old);
		first = sqlite3_column_int64(row, 0);
		at = sqlite3_column_int64(row, 1);
		interval = old;
	}
	sqlite3_reset(row);
	if (at > 0 && first == 1) {
		store_told_moved(told, at, interval, s->interval);
		interval = s->interval;
	}
	store_told_add(told, LLONG_MIN, interval);
	return end == STORE_NONE ? STORE_DONE : end;
}
