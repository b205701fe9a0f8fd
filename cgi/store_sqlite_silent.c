/*
 * Who fell silent, by the times in the pages of pulse: a million of them are
 * looked through in some milliseconds, and of their rows only those are read
 * that have something to be done.
 */
#include "store_sqlite.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
	STORE_SILENT_INTERVALS = 3,
	STORE_SILENT_LATE = 4000,	/* ms until a heartbeat is known */
	STORE_SILENT_PAGES = 8,		/* of one transaction */
};

/* An agent that polled at `at` is silent when that is before this. */
static long long
store_silent_since(const struct store_told *told, long long at, long long now)
{
	int i = 0;

	while (i < told->count - 1 && at < told->part[i].from)
		i++;
	return now - STORE_SILENT_LATE -
	    STORE_SILENT_INTERVALS * 1000LL * told->part[i].interval;
}

/*
 * Whether an entry has to be looked at: its agent fell silent, or is silent no
 * more, as its interval is longer by now, or it polled in the future, as the
 * clock was set back since. Such an agent is treated as if it had polled now;
 * if it is gone, it falls silent in time.
 */
static bool
store_silent_astray(const struct store_pulse *pulse,
    const struct store_told *told, long long now)
{
	bool silent;

	if (pulse->at == 0)
		return false;
	silent = pulse->at < store_silent_since(told, pulse->at, now);
	return pulse->at > now ||
	    silent != (pulse->state == STORE_PULSE_OFFLINE);
}

/* The next pages that have such an entry. */
static enum store_end
store_silent_pages(struct store_file *f, const struct store_told *told,
    long long now, long long after, long long pages[STORE_SILENT_PAGES],
    int *count)
{
	sqlite3_stmt *row = store_file_sql(f, STORE_SQL_PULSES);
	enum store_end end = STORE_DONE;
	struct store_pulse pulse;
	bool astray;

	*count = 0;
	sqlite3_bind_int64(row, 1, after);
	while (*count < STORE_SILENT_PAGES &&
	    (end = store_file_row(f, row)) == STORE_DONE) {
		const void *said = sqlite3_column_blob(row, 1);
		int len = sqlite3_column_bytes(row, 1);

		astray = false;
		for (int i = 0; i < STORE_PULSE_AGENTS && !astray; i++)
			astray = store_pulse_decode(said, len, i, &pulse) &&
			    store_silent_astray(&pulse, told, now);
		if (astray)
			pages[(*count)++] = sqlite3_column_int64(row, 0);
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

static enum store_end
store_silent_show(struct store *s, const unsigned char key[16],
    const char *before, const struct store_pulse *now)
{
	const char *state = store_pulse_word(now->state);
	enum store_end end = store_tally_move(s, before, now->version, state,
	    now->version);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->live, STORE_SQL_SHOW);
	sqlite3_bind_blob(row, 1, key, 16, SQLITE_STATIC);
	sqlite3_bind_text(row, 2, state, -1, SQLITE_STATIC);
	return store_file_run(&s->live, row);
}

/* What the agent of a number is, when it is not silent, and what it is shown
 * as. NONE: there is none. */
static enum store_end
store_silent_agent(struct store_file *f, long long number,
    unsigned char key[16], struct store_pulse *said, char shown[12])
{
	sqlite3_stmt *row = store_file_sql(f, STORE_SQL_BY_NUMBER);
	const char *word;
	enum store_end end;

	sqlite3_bind_int64(row, 1, number);
	end = store_file_row(f, row);
	if (end == STORE_DONE) {
		memcpy(key, sqlite3_column_blob(row, 0), 16);
		said->version = store_pulse_version(said,
		    sqlite3_column_int64(row, 1));
		word = (const char *)sqlite3_column_text(row, 2);
		snprintf(shown, 12, "%s", word != NULL ? word : "");
		word = (const char *)sqlite3_column_text(row, 3);
		said->state = store_pulse_state(store_shown(
		    word != NULL ? word : "", said->version));
		if (said->state == STORE_PULSE_UNKNOWN)	/* no word of ours */
			said->state = store_pulse_state(shown);
	}
	sqlite3_reset(row);
	return end;
}

/* An entry of which no agent has the number is emptied. */
static enum store_end
store_silent_entry(struct store *s, long long number,
    const struct store_told *told, long long now)
{
	struct store_pulse pulse;
	unsigned char key[16];
	char shown[12];
	enum store_end end = store_pulse_get(s, number, &pulse);

	if (end != STORE_DONE || !store_silent_astray(&pulse, told, now))
		return end;
	if (pulse.at > now)
		pulse.at = now;
	end = store_silent_agent(&s->live, number, key, &pulse, shown);
	if (end == STORE_NONE) {
		pulse = (struct store_pulse){ .version = -1 };
		end = STORE_DONE;
	} else if (end == STORE_DONE) {
		if (pulse.at < store_silent_since(told, pulse.at, now))
			pulse.state = STORE_PULSE_OFFLINE;
		if (pulse.state != store_pulse_state(shown))
			end = store_silent_show(s, key, shown, &pulse);
	}
	return end != STORE_DONE ? end : store_pulse_set(s, number, &pulse);
}

/* Marks those of some pages in one transaction. */
static enum store_end
store_silent_mark(struct store *s, const struct store_told *told,
    long long now, const long long *pages, int count)
{
	enum store_end end = store_pulse_begin(s);

	if (end != STORE_DONE)
		return end;
	for (int i = 0; i < count; i++)
		for (int n = 0; end == STORE_DONE && n < STORE_PULSE_AGENTS;
		    n++)
			end = store_silent_entry(s, pages[i] *
			    STORE_PULSE_AGENTS + n, told, now);
	return store_pulse_end(s, end);
}

/* A batch at a time, so that heartbeats wait for none of it long.
 * *left: the time was over before. */
enum store_end
store_silent(struct store *s, const struct store_told *told,
    long long now, long long until, struct store_spent *looked, bool *left)
{
	long long pages[STORE_SILENT_PAGES], after = -1;
	enum store_end end;
	int count;

	for (*left = false; !*left; after = pages[count - 1]) {
		store_spent_begin(looked);
		end = store_silent_pages(&s->live, told, now, after, pages,
		    &count);
		store_spent_end(looked);
		if (end != STORE_DONE || count == 0)
			return end;
		end = store_silent_mark(s, told, now, pages, count);
		if (end != STORE_DONE)
			return end;
		*left = clock_steady() >= until;
	}
	return STORE_DONE;
}
