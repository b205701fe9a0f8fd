/*
 * How many agents are shown with each state and version. Whoever changes what
 * is shown counts it here, in the same transaction; it is written once for
 * all that a transaction has changed.
 */
#include "store_sqlite.h"

#include <string.h>

static enum store_end
store_tally_count(struct store *s, const struct store_tally *t)
{
	sqlite3_stmt *row;

	if (t->change == 0)
		return STORE_DONE;
	row = store_file_sql(&s->live, STORE_SQL_RECKON);
	sqlite3_bind_text(row, 1, t->state, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, t->version);
	sqlite3_bind_int64(row, 3, t->change);
	return store_file_run(&s->live, row);
}

enum store_end
store_tally_write(struct store *s)
{
	enum store_end end = STORE_DONE;

	for (int i = 0; end == STORE_DONE && i < s->tallies; i++)
		end = store_tally_count(s, &s->tally[i]);
	s->tallies = 0;
	return end;
}

enum store_end
store_tally(struct store *s, const char *state, long long version,
    long long change)
{
	enum store_end end = STORE_DONE;
	struct store_tally *t = s->tally;

	for (; t < s->tally + s->tallies; t++) {
		if (t->version == version && strcmp(t->state, state) == 0) {
			t->change += change;
			return STORE_DONE;
		}
	}
	if (s->tallies == STORE_TALLIES)
		end = store_tally_write(s);
	t = &s->tally[s->tallies++];
	*t = (struct store_tally){ .version = version, .change = change };
	memcpy(t->state, state, strnlen(state, sizeof(t->state) - 1));
	return end;
}

enum store_end
store_tally_move(struct store *s, const char *old_state, long long old,
    const char *state, long long version)
{
	enum store_end end;

	if (old == version && strcmp(old_state, state) == 0)
		return STORE_DONE;
	end = store_tally(s, old_state, old, -1);
	return end != STORE_DONE ? end : store_tally(s, state, version, 1);
}

/* Counts all there are. */
static enum store_end
store_tally_all(struct store *s)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_ALL);
	struct store_pulse pulse;
	enum store_end end;

	while ((end = store_file_row(&s->live, row)) == STORE_DONE) {
		const char *state = (const char *)sqlite3_column_text(row, 0);
		long long number = sqlite3_column_int64(row, 2);

		pulse = (struct store_pulse){ .version = -1 };
		if (number >= 0)
			end = store_pulse_get(s, number, &pulse);
		if (end == STORE_DONE)
			end = store_tally(s, state != NULL ? state : "",
			    store_pulse_version(&pulse,
			    sqlite3_column_int64(row, 1)), 1);
		if (end != STORE_DONE)
			break;
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

enum store_end
store_tally_anew(struct store *s)
{
	enum store_end end = store_pulse_begin(s);

	if (end != STORE_DONE)
		return end;
	end = store_file_run(&s->live, store_file_sql(&s->live,
	    STORE_SQL_UNCOUNT));
	if (end == STORE_DONE)
		end = store_tally_all(s);
	return store_pulse_end(s, end);
}
