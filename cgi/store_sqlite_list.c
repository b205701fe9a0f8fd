/*
 * Agents by state and by version: counted by a tally, and found in liveness.
 * By state there is an index. A version is in the pages of pulse: where many
 * have it, they are met on a walk through all in order of their ids; else
 * the pages are looked through, a million agents in some 30 milliseconds,
 * and few rows are read.
 */
#include "store_sqlite.h"

#include <stdlib.h>
#include <string.h>

static enum store_end
store_list_count(struct store *s, const char *state, long long version,
    long long *total)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_COUNT);

	if (state != NULL)
		sqlite3_bind_text(row, 1, state, -1, SQLITE_STATIC);
	if (version >= 0)
		sqlite3_bind_int64(row, 2, version);
	return store_file_whole(&s->live, row, total, NULL);
}

enum store_end
store_count(struct store *s, const char *state, long long version,
    long long *count)
{
	enum store_end end = store_live_ready(s);

	return end != STORE_DONE ? end :
	    store_list_count(s, state, version, count);
}

/* A page being read. */
struct store_list {
	void (*each)(void *arg, const struct store_agent *);
	void *arg;
	char *last;	/* how far it has come */
};

static void
store_list_each(void *arg, const struct store_agent *a)
{
	struct store_list *list = arg;

	memcpy(list->last, a->id, TOKEN_UUID);
	list->each(list->arg, a);
}

/* One agent of the page; one that truth does not know is left out. */
static enum store_end
store_list_one(struct store *s, const unsigned char *key,
    struct store_list *list)
{
	struct store_agent a;
	enum store_end end;

	token_uuid_print(list->last, key);
	end = store_agent(s, list->last, &a);
	if (end == STORE_DONE)
		list->each(list->arg, &a);
	store_agent_free(&a);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* --- which of them ------------------------------------------------------ */

enum {	/* as many rows of a walk are read meanwhile */
	STORE_LIST_ENTRIES = 50,	/* of pulse, for one row */
	STORE_LIST_NUMBER = 4,		/* rows, for an agent by its number */
};

/* The keys that fit, in order, at most `room`. */
struct store_keys {
	const struct store_filter *filter;
	unsigned char (*keys)[16];
	long room, count;
	unsigned char after[16];	/* filter->after */
	int after_len;			/* 0: from the first one on */
};

static bool
store_keys_state(const struct store_keys *k, const char *state)
{
	return k->filter->state == NULL || (state != NULL &&
	    strcmp(state, k->filter->state) == 0);
}

static enum store_end
store_keys_walk(struct store *s, struct store_keys *k)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_HEARD);
	enum store_end end = STORE_DONE;

	sqlite3_bind_blob(row, 1, k->after, k->after_len, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, STORE_PULSE_AGENTS);
	while (k->count < k->room &&
	    (end = store_file_row(&s->live, row)) == STORE_DONE) {
		struct store_pulse pulse;

		store_pulse_decode(sqlite3_column_blob(row, 4),
		    sqlite3_column_bytes(row, 4),
		    sqlite3_column_int64(row, 3), &pulse);
		if (store_pulse_version(&pulse, sqlite3_column_int64(row,
		    2)) == k->filter->version && store_keys_state(k,
		    (const char *)sqlite3_column_text(row, 1)))
			memcpy(k->keys[k->count++], sqlite3_column_blob(row,
			    0), 16);
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* Of keys that come in no order the lowest are kept. */
static void
store_keys_put(struct store_keys *k, const unsigned char key[16])
{
	long from = 0, to = k->count;

	while (from < to) {
		long mid = (from + to) / 2;

		if (memcmp(k->keys[mid], key, 16) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == k->room)
		return;
	k->count += k->count < k->room;
	memmove(k->keys[from + 1], k->keys[from],
	    (size_t)(k->count - 1 - from) * sizeof(*k->keys));
	memcpy(k->keys[from], key, 16);
}

/* The agent of an entry that fits. */
static enum store_end
store_keys_number(struct store *s, struct store_keys *k, long long number)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_BY_NUMBER);
	enum store_end end;

	sqlite3_bind_int64(row, 1, number);
	end = store_file_row(&s->live, row);
	if (end == STORE_DONE && sqlite3_column_bytes(row, 0) == 16) {
		const void *key = sqlite3_column_blob(row, 0);

		if ((k->after_len == 0 || memcmp(key, k->after, 16) > 0) &&
		    store_keys_state(k,
		    (const char *)sqlite3_column_text(row, 2)))
			store_keys_put(k, key);
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

static enum store_end
store_keys_page(struct store *s, struct store_keys *k, sqlite3_stmt *row)
{
	long long first = sqlite3_column_int64(row, 0) * STORE_PULSE_AGENTS;
	const void *said = sqlite3_column_blob(row, 1);
	int len = sqlite3_column_bytes(row, 1);
	enum store_pulse_state state = k->filter->state == NULL ?
	    STORE_PULSE_UNKNOWN : store_pulse_state(k->filter->state);
	enum store_end end = STORE_DONE;
	struct store_pulse pulse;

	for (int i = 0; end == STORE_DONE && i < STORE_PULSE_AGENTS; i++)
		if (store_pulse_decode(said, len, i, &pulse) &&
		    pulse.version == k->filter->version &&
		    (state == STORE_PULSE_UNKNOWN || state == pulse.state ||
		    pulse.state == STORE_PULSE_UNKNOWN))
			end = store_keys_number(s, k, first + i);
	return end;
}

/* Of a page that a power cut took, where there is no WAL, the next polls make
 * another. */
static enum store_end
store_keys_scan(struct store *s, struct store_keys *k)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_PULSES);
	enum store_end end;

	sqlite3_bind_int64(row, 1, -1);
	while ((end = store_file_row(&s->live, row)) == STORE_DONE &&
	    (end = store_keys_page(s, k, row)) == STORE_DONE)
		continue;
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* Whether a scan finds those of a version sooner, and finds all of them. */
static enum store_end
store_keys_rare(struct store *s, const struct store_keys *k, long long total,
    bool *rare)
{
	long long all = 0, walk;
	enum store_end end = store_list_count(s, NULL, -1, &all);
	sqlite3_stmt *apart;

	walk = total > k->room ? all * k->room / total : all;
	*rare = k->filter->version < STORE_PULSE_VERSIONS &&
	    all / STORE_LIST_ENTRIES + total * STORE_LIST_NUMBER < walk;
	if (end != STORE_DONE || !*rare)
		return end;
	apart = store_file_sql(&s->live, STORE_SQL_APART);
	sqlite3_bind_int64(apart, 2, 1);
	end = store_file_row(&s->live, apart);
	sqlite3_reset(apart);
	*rare = end == STORE_NONE;
	return end == STORE_NONE ? STORE_DONE : end;
}

static enum store_end
store_keys_by_state(struct store *s, struct store_keys *k)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_BY_STATE);
	enum store_end end = STORE_DONE;

	sqlite3_bind_blob(row, 1, k->after, k->after_len, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, k->room);
	sqlite3_bind_text(row, 3, k->filter->state, -1, SQLITE_STATIC);
	while (k->count < k->room &&
	    (end = store_file_row(&s->live, row)) == STORE_DONE &&
	    sqlite3_column_bytes(row, 0) == 16)
		memcpy(k->keys[k->count++], sqlite3_column_blob(row, 0), 16);
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* total: how many fit, as far as the tally knows. */
static enum store_end
store_keys(struct store *s, struct store_keys *k, long long total)
{
	enum store_end end;
	bool rare;

	if (k->filter->version < 0)
		return store_keys_by_state(s, k);
	if (total <= 0)
		return STORE_DONE;
	end = store_keys_rare(s, k, total, &rare);
	if (end != STORE_DONE)
		return end;
	return rare ? store_keys_scan(s, k) : store_keys_walk(s, k);
}

enum store_end
store_agents_by(struct store *s, const struct store_filter *filter,
    void (*each)(void *arg, const struct store_agent *), void *arg,
    long long *total, char last[TOKEN_UUID], bool *more)
{
	struct store_list list = { each, arg, last };
	struct store_keys k = { .filter = filter, .room = filter->limit + 1 };
	enum store_end end = store_ready(s);

	*more = false;
	*total = 0;
	if (end != STORE_DONE)
		return end;
	if (filter->state == NULL && filter->version < 0)
		return store_agents(s, filter->after, filter->limit,
		    store_list_each, &list, total, more);
	store_live_key(k.after, filter->after);
	k.after_len = filter->after[0] != '\0' ? (int)sizeof(k.after) : 0;
	k.keys = calloc((size_t)k.room, sizeof(*k.keys));
	if (k.keys == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	end = store_list_count(s, filter->state, filter->version, total);
	if (end == STORE_DONE)
		end = store_keys(s, &k, *total);
	*more = k.count > filter->limit;
	for (long i = 0; end == STORE_DONE && i < k.count - *more; i++)
		end = store_list_one(s, k.keys[i], &list);
	free(k.keys);
	return end;
}
