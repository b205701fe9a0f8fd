/*
 * What a heartbeat does to its agent's row. Of a fleet that has a new version
 * a million rows change in the same way: what is counted beside them, the
 * tally and the spread of the version, is counted here and written once for
 * each transaction.
 */
#include "store_sqlite.h"

#include <stdio.h>
#include <string.h>

/* An agent's row, as far as a beat may change it. */
struct store_fold_row {
	long long number;	/* -1: it has none yet */
	long long last_poll, version, highest;
	char said[12];		/* "": it never said */
	char state[12];
};

sqlite3_stmt *
store_live_sql(struct store_file *f, enum store_sql which, const char *id)
{
	sqlite3_stmt *row = store_file_sql(f, which);

	store_live_key(f->key, id);
	sqlite3_bind_blob(row, 1, f->key, sizeof(f->key), SQLITE_STATIC);
	return row;
}

/* --- the tally ---------------------------------------------------------- */

static enum store_end
store_fold_count(struct store *s, const struct store_tally *t)
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

static enum store_end
store_fold_tallies(struct store *s)
{
	enum store_end end = STORE_DONE;

	for (int i = 0; end == STORE_DONE && i < s->tallies; i++)
		end = store_fold_count(s, &s->tally[i]);
	s->tallies = 0;
	return end;
}

/* There are some more, or fewer, of a state with a version. */
static enum store_end
store_fold_tally(struct store *s, const char *state, long long version,
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
		end = store_fold_tallies(s);
	t = &s->tally[s->tallies++];
	*t = (struct store_tally){ .version = version, .change = change };
	memcpy(t->state, state, strnlen(state, sizeof(t->state) - 1));
	return end;
}

/* The trigger takes one off a row of the tally, which has to be there. */
static enum store_end
store_fold_due(struct store *s, const char *state, long long version)
{
	enum store_end end = STORE_DONE;
	struct store_tally *t = s->tally;

	for (; end == STORE_DONE && t < s->tally + s->tallies; t++) {
		if (t->change > 0 && t->version == version &&
		    strcmp(t->state, state) == 0) {
			end = store_fold_count(s, t);
			t->change = 0;
		}
	}
	return end;
}

/* --- one beat ----------------------------------------------------------- */

/* Whether more is known than a beat says. What is later than now is of a clock
 * that was set back. */
static bool
store_fold_late(long long last_poll, const struct store_beat *beat,
    long long now)
{
	return last_poll > beat->at && last_poll <= now;
}

/* Whether a poll says what is known already. */
static bool
store_fold_same(const struct store_pulse *known,
    const struct store_beat *beat)
{
	return beat->error == NULL && known->state != STORE_PULSE_UNKNOWN &&
	    known->state != STORE_PULSE_OFFLINE &&
	    (beat->applied_version < 0 ||
	    beat->applied_version == known->version) &&
	    (beat->state == NULL ||
	    store_pulse_state(beat->state) == known->state);
}

enum store_end
store_fold_known(struct store *s, const struct store_beat *beat,
    long long now, bool *known)
{
	struct store_pulse pulse;
	unsigned char key[16];
	enum store_end end;
	long long number;

	*known = false;
	if (s->roster.count == 0)
		return STORE_DONE;
	store_live_key(key, beat->id);
	number = roster_find(&s->roster, key);
	if (number < 0)
		return STORE_DONE;
	end = store_pulse_get(s, number, &pulse);
	if (end != STORE_DONE || pulse.at == 0)
		return end;
	*known = store_fold_late(pulse.at, beat, now);
	if (*known)
		return STORE_DONE;
	*known = store_fold_same(&pulse, beat);
	/* what the agent says after this one is looked at behind it */
	if (*known)
		pulse.at = beat->at;
	else
		pulse.state = STORE_PULSE_UNKNOWN;
	return store_pulse_set(s, number, &pulse);
}

static void
store_fold_word(sqlite3_stmt *row, int column, char out[12])
{
	const char *word = (const char *)sqlite3_column_text(row, column);

	snprintf(out, 12, "%s", word != NULL ? word : "");
}

/* NONE: the agent has no row. Reset before the row is written, or SQLite
 * would note where the reading has come to. */
static enum store_end
store_fold_read(struct store *s, const char *id, struct store_fold_row *old)
{
	sqlite3_stmt *row = store_live_sql(&s->live, STORE_SQL_BEFORE, id);
	enum store_end end = store_file_row(&s->live, row);
	struct store_pulse pulse;

	if (end == STORE_DONE) {
		old->number = sqlite3_column_int64(row, 0);
		old->last_poll = sqlite3_column_int64(row, 1);
		old->version = sqlite3_column_int64(row, 2);
		old->highest = sqlite3_column_int64(row, 3);
		store_fold_word(row, 4, old->said);
		store_fold_word(row, 5, old->state);
	}
	sqlite3_reset(row);
	if (end != STORE_DONE || old->number < 0)
		return end;
	end = store_pulse_get(s, old->number, &pulse);
	if (end == STORE_DONE)
		old->last_poll = pulse.at;
	return end;
}

/* Gives the row that was read a number, if it has none. */
static enum store_end
store_fold_number(struct store *s, const char *id,
    struct store_fold_row *row)
{
	enum store_end end = STORE_DONE;
	sqlite3_stmt *statement;

	if (row->number < 0) {
		end = store_pulse_number(s, &row->number);
		statement = store_live_sql(&s->live, STORE_SQL_NUMBER, id);
		sqlite3_bind_int64(statement, 2, row->number);
		if (end == STORE_DONE)
			end = store_file_run(&s->live, statement);
	}
	if (end == STORE_DONE && s->remembers)
		roster_add(&s->roster, s->live.key, row->number);
	return end;
}

const char *
store_shown(const char *said, long long version)
{
	return said[0] != '\0' ? said : version >= 0 ? "ok" : "new";
}

/* Writes the row, and counts what no trigger does. Gives what it is now. */
static enum store_end
store_fold_change(struct store *s, const struct store_beat *beat,
    const struct store_fold_row *old, struct store_pulse *now)
{
	long long version = beat->applied_version >= 0 ?
	    beat->applied_version : old->version;
	const char *said = beat->state != NULL ? beat->state : old->said;
	const char *state = store_shown(said, version);
	bool stays = strcmp(state, old->state) == 0;
	sqlite3_stmt *row = store_live_sql(&s->live, stays ? STORE_SQL_MOVE :
	    STORE_SQL_SAY, beat->id);
	enum store_end end = STORE_DONE;

	now->version = version;
	now->state = store_pulse_state(state);
	sqlite3_bind_int64(row, 3, version);
	sqlite3_bind_text(row, 4, said[0] != '\0' ? said : NULL, -1,
	    SQLITE_STATIC);
	sqlite3_bind_text(row, 5, beat->state != NULL && beat->error == NULL &&
	    strcmp(beat->state, "ok") == 0 ? "" : beat->error, -1,
	    SQLITE_STATIC);
	if (!stays) {
		sqlite3_bind_text(row, 6, state, -1, SQLITE_STATIC);
		end = store_fold_due(s, old->state, old->version);
	}
	if (stays && version != old->version) {
		end = store_fold_tally(s, old->state, old->version, -1);
		if (end == STORE_DONE)
			end = store_fold_tally(s, old->state, version, 1);
	}
	if (end == STORE_DONE)
		end = store_file_run(&s->live, row);
	/* the first report of a version by an agent */
	if (end == STORE_DONE && beat->applied_version > 0 &&
	    beat->applied_version > old->highest)
		end = store_spread(s, beat->applied_version, beat->at);
	return end;
}

enum store_end
store_fold_one(struct store *s, const struct store_beat *beat, long long now,
    bool *found)
{
	struct store_fold_row old;
	struct store_pulse pulse;
	enum store_end end = store_fold_read(s, beat->id, &old);

	*found = end == STORE_DONE;
	if (end != STORE_DONE)
		return end == STORE_NONE ? STORE_DONE : end;
	if (store_fold_late(old.last_poll, beat, now))
		return STORE_DONE;
	pulse = (struct store_pulse){
		.at = beat->at,
		.version = old.version,
		.state = store_pulse_state(old.state),
	};
	end = store_fold_number(s, beat->id, &old);
	if (end == STORE_DONE && !store_fold_same(&pulse, beat))
		end = store_fold_change(s, beat, &old, &pulse);
	return end != STORE_DONE ? end :
	    store_pulse_set(s, old.number, &pulse);
}

enum store_end
store_fold_apart(struct store *s, const char *id)
{
	struct store_fold_row row;
	enum store_end end = store_fold_read(s, id, &row);

	if (end != STORE_DONE || row.number >= 0)
		return end == STORE_NONE ? STORE_DONE : end;
	end = store_fold_number(s, id, &row);
	return end != STORE_DONE ? end : store_pulse_set(s, row.number,
	    &(struct store_pulse){ row.last_poll, row.version,
	    store_pulse_state(row.state) });
}

/* --- a transaction of beats --------------------------------------------- */

enum store_end
store_fold_begin(struct store *s)
{
	s->tallies = 0;
	store_spread_forget(s);
	return store_pulse_begin(s);
}

enum store_end
store_fold_end(struct store *s, enum store_end end)
{
	if (end == STORE_DONE)
		end = store_fold_tallies(s);
	if (end == STORE_DONE)
		end = store_spread_write(s);
	end = store_pulse_end(s, end);
	if (end == STORE_DONE)
		store_spread_tell(s);
	return end;
}
