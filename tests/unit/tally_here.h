#ifndef TALLY_HERE_H
#define TALLY_HERE_H
/*
 * What liveness has in the store of agents_here.h, and whether its tally is
 * what is there.
 */
#include "agents_here.h"

/* The first whole number of a question to liveness. */
static long long
asks(const char *question)
{
	sqlite3_stmt *row = NULL;
	long long answer;

	CHECK_INT(store_ready(s), STORE_DONE);
	CHECK_INT(sqlite3_prepare_v2(s->live.db, question, -1, &row, NULL),
	    SQLITE_OK);
	CHECK_INT(sqlite3_step(row), SQLITE_ROW);
	answer = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return answer;
}

/* How many more are shown with a state and a version than `count` says. */
static long long
more_than(const char *state, long long version, long long count)
{
	sqlite3_stmt *row = NULL;

	CHECK_INT(sqlite3_prepare_v2(s->live.db, "SELECT state, "
	    "applied_version, coalesce(number, -1), pulse.said FROM live "
	    "LEFT JOIN pulse ON page = number / ?1 WHERE state = ?2", -1,
	    &row, NULL), SQLITE_OK);
	sqlite3_bind_int64(row, 1, STORE_PULSE_AGENTS);
	sqlite3_bind_text(row, 2, state, -1, SQLITE_STATIC);
	while (sqlite3_step(row) == SQLITE_ROW) {
		struct store_pulse pulse;

		store_pulse_decode(sqlite3_column_blob(row, 3),
		    sqlite3_column_bytes(row, 3), sqlite3_column_int64(row, 2),
		    &pulse);
		if (pulse.version < 0)
			pulse.version = sqlite3_column_int64(row, 1);
		count -= pulse.version == version;
	}
	sqlite3_finalize(row);
	return -count;
}

/* What the tally has more or fewer of than there are, in how many places. */
static long long
wrong(void)
{
	long long places = 0, all = 0;
	sqlite3_stmt *row = NULL;

	CHECK_INT(store_ready(s), STORE_DONE);
	CHECK_INT(sqlite3_prepare_v2(s->live.db, "SELECT state, "
	    "applied_version, count FROM tally", -1, &row, NULL), SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW) {
		all += sqlite3_column_int64(row, 2);
		places += more_than((const char *)sqlite3_column_text(row, 0),
		    sqlite3_column_int64(row, 1),
		    sqlite3_column_int64(row, 2)) != 0;
	}
	sqlite3_finalize(row);
	return places + (all != asks("SELECT count(*) FROM live"));
}

#endif
