/*
 * What a heartbeat does to its agent's entry and row. Of a fleet that has a
 * new version a million of them say the same: that changes entries alone, and
 * what is counted beside them, the tally and the spread of the version, is
 * written once for each transaction.
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

/* Its first parameter is an agent's id; good until the next one of the file
 * is asked for. */
static sqlite3_stmt *
store_fold_sql(struct store_file *f, enum store_sql which, const char *id)
{
	sqlite3_stmt *row = store_file_sql(f, which);

	store_live_key(f->key, id);
	sqlite3_bind_blob(row, 1, f->key, sizeof(f->key), SQLITE_STATIC);
	return row;
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

/* Whether what a poll says is known already, or finds its place in the entry:
 * that its agent has a version that is higher than all before. */
static bool
store_fold_small(const struct store_pulse *known,
    const struct store_beat *beat)
{
	if (beat->error != NULL || known->state == STORE_PULSE_UNKNOWN ||
	    known->state == STORE_PULSE_OFFLINE ||
	    (beat->state != NULL &&
	    store_pulse_state(beat->state) != known->state))
		return false;
	return beat->applied_version < 0 ||
	    beat->applied_version == known->version ||
	    (beat->applied_version > known->version && known->highest &&
	    known->state != STORE_PULSE_NEW &&
	    beat->applied_version < STORE_PULSE_VERSIONS);
}

/* The same; but no version that was never published is the highest, or those
 * that come would not be counted. */
static enum store_end
store_fold_fits(struct store *s, const struct store_pulse *known,
    const struct store_beat *beat, bool *fits)
{
	*fits = store_fold_small(known, beat);
	if (!*fits || beat->applied_version <= 0 ||
	    beat->applied_version == known->version)
		return STORE_DONE;
	return store_spread_known(s, beat->applied_version, fits);
}

/* Writes into the entry what a poll says that store_fold_fits found so. */
static enum store_end
store_fold_entry(struct store *s, const struct store_beat *beat,
    struct store_pulse *pulse)
{
	const char *state = store_pulse_word(pulse->state);
	long long version = beat->applied_version;
	enum store_end end = STORE_DONE;

	pulse->at = beat->at;
	if (version <= pulse->version)
		return STORE_DONE;
	end = store_tally_move(s, state, pulse->version, state, version);
	pulse->version = version;
	return end != STORE_DONE || version == 0 ? end :
	    store_spread(s, version, beat->at);
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
	end = store_fold_fits(s, &pulse, beat, known);
	/* what the agent says after this one is looked at behind it */
	if (end == STORE_DONE && *known)
		end = store_fold_entry(s, beat, &pulse);
	else
		pulse.state = STORE_PULSE_UNKNOWN;
	return end != STORE_DONE ? end : store_pulse_set(s, number, &pulse);
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
	sqlite3_stmt *row = store_fold_sql(&s->live, STORE_SQL_BEFORE, id);
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
	if (end != STORE_DONE)
		return end;
	old->last_poll = pulse.at;
	old->version = store_pulse_version(&pulse, old->version);
	if (pulse.highest && old->highest < old->version)
		old->highest = old->version;
	return STORE_DONE;
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
		statement = store_fold_sql(&s->live, STORE_SQL_NUMBER, id);
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

/* What the entry of a row says. */
static struct store_pulse
store_fold_pulse(const struct store_fold_row *row)
{
	return (struct store_pulse){
		.at = row->last_poll,
		.version = row->version,
		.highest = row->version == row->highest,
		.state = store_pulse_state(row->state),
	};
}

/* Writes the row, and gives what it is now. */
static enum store_end
store_fold_change(struct store *s, const struct store_beat *beat,
    struct store_fold_row *row)
{
	bool first = beat->applied_version > row->highest;
	struct store_fold_row old = *row;
	enum store_end end = STORE_DONE;
	sqlite3_stmt *write;

	if (first && beat->applied_version > 0)
		end = store_spread_known(s, beat->applied_version, &first);
	if (end != STORE_DONE)
		return end;
	row->last_poll = beat->at;
	if (beat->applied_version >= 0)
		row->version = beat->applied_version;
	if (first)
		row->highest = row->version;
	if (beat->state != NULL)
		snprintf(row->said, sizeof(row->said), "%s", beat->state);
	snprintf(row->state, sizeof(row->state), "%s",
	    store_shown(row->said, row->version));
	end = store_tally_move(s, old.state, old.version, row->state,
	    row->version);
	if (end != STORE_DONE)
		return end;
	write = store_fold_sql(&s->live, STORE_SQL_SAY, beat->id);
	sqlite3_bind_text(write, 2, row->state, -1, SQLITE_STATIC);
	sqlite3_bind_int64(write, 3, row->version);
	sqlite3_bind_int64(write, 4, row->highest);
	sqlite3_bind_text(write, 5, row->said[0] != '\0' ? row->said : NULL,
	    -1, SQLITE_STATIC);
	sqlite3_bind_text(write, 6, strcmp(row->state, "ok") == 0 ? "" :
	    beat->error, -1, SQLITE_STATIC);
	end = store_file_run(&s->live, write);
	if (end == STORE_DONE && first && beat->applied_version > 0)
		end = store_spread(s, beat->applied_version, beat->at);
	return end;
}

enum store_end
store_fold_one(struct store *s, const struct store_beat *beat, long long now,
    bool *found)
{
	struct store_fold_row row;
	struct store_pulse pulse;
	enum store_end end = store_fold_read(s, beat->id, &row);
	bool fits;

	*found = end == STORE_DONE;
	if (end != STORE_DONE)
		return end == STORE_NONE ? STORE_DONE : end;
	if (store_fold_late(row.last_poll, beat, now))
		return STORE_DONE;
	end = store_fold_number(s, beat->id, &row);
	if (end != STORE_DONE)
		return end;
	pulse = store_fold_pulse(&row);
	end = store_fold_fits(s, &pulse, beat, &fits);
	if (end != STORE_DONE)
		return end;
	if (fits) {
		end = store_fold_entry(s, beat, &pulse);
	} else {
		end = store_fold_change(s, beat, &row);
		pulse = store_fold_pulse(&row);
	}
	return end != STORE_DONE ? end :
	    store_pulse_set(s, row.number, &pulse);
}

enum store_end
store_fold_apart(struct store *s, const char *id)
{
	struct store_fold_row row;
	struct store_pulse pulse;
	enum store_end end = store_fold_read(s, id, &row);

	if (end != STORE_DONE || row.number >= 0)
		return end == STORE_NONE ? STORE_DONE : end;
	pulse = store_fold_pulse(&row);
	end = store_fold_number(s, id, &row);
	return end != STORE_DONE ? end :
	    store_pulse_set(s, row.number, &pulse);
}

/* --- agents that come and go -------------------------------------------- */

enum store_end
store_live_new(struct store *s, const char *id)
{
	enum store_end end = store_file_run(&s->live, store_fold_sql(&s->live,
	    STORE_SQL_ADD, id));

	if (end != STORE_DONE || sqlite3_changes(s->live.db) == 0)
		return end;
	return store_tally(s, store_shown("", -1), -1, 1);
}

enum store_end
store_live_drop(struct store *s, const char *id)
{
	static const struct store_pulse none = { .version = -1 };
	struct store_fold_row row;
	enum store_end end = store_fold_read(s, id, &row);

	if (end != STORE_DONE)
		return end == STORE_NONE ? STORE_DONE : end;
	end = store_tally(s, row.state, row.version, -1);
	/* who has its number yet shall find that there is nothing */
	if (end == STORE_DONE && row.number >= 0)
		end = store_pulse_set(s, row.number, &none);
	return end != STORE_DONE ? end : store_file_run(&s->live,
	    store_fold_sql(&s->live, STORE_SQL_LIVE_FORGET, id));
}

/* --- a transaction of beats --------------------------------------------- */

enum store_end
store_fold_begin(struct store *s)
{
	store_spread_forget(s);
	return store_pulse_begin(s);
}

enum store_end
store_fold_end(struct store *s, enum store_end end)
{
	if (end == STORE_DONE)
		end = store_spread_write(s);
	end = store_pulse_end(s, end);
	if (end == STORE_DONE)
		store_spread_tell(s);
	return end;
}
