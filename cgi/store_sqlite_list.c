/*
 * Agents by state and by version: found and counted in liveness, which has
 * an index for each question and a tally of all, so that neither takes
 * longer with a million of them.
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

/* At most `room` keys that fit, of 16 bytes each. */
static enum store_end
store_list_keys(struct store *s, const struct store_filter *filter,
    unsigned char (*keys)[16], long room, long *count)
{
	enum store_sql which = filter->state == NULL ? STORE_SQL_BY_VERSION :
	    filter->version < 0 ? STORE_SQL_BY_STATE : STORE_SQL_BY_BOTH;
	sqlite3_stmt *row = store_file_sql(&s->live, which);
	enum store_end end = STORE_DONE;
	unsigned char key[16];

	*count = 0;
	store_live_key(key, filter->after);
	sqlite3_bind_blob(row, 1, key, filter->after[0] != '\0' ?
	    (int)sizeof(key) : 0, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, room);
	if (filter->state != NULL)
		sqlite3_bind_text(row, 3, filter->state, -1, SQLITE_STATIC);
	if (filter->version >= 0)
		sqlite3_bind_int64(row, 4, filter->version);
	while (*count < room &&
	    (end = store_file_row(&s->live, row)) == STORE_DONE &&
	    sqlite3_column_bytes(row, 0) == 16)
		memcpy(keys[(*count)++], sqlite3_column_blob(row, 0), 16);
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

enum store_end
store_agents_by(struct store *s, const struct store_filter *filter,
    void (*each)(void *arg, const struct store_agent *), void *arg,
    long long *total, char last[TOKEN_UUID], bool *more)
{
	struct store_list list = { each, arg, last };
	unsigned char (*keys)[16];
	enum store_end end = store_ready(s);
	long count = 0;

	*more = false;
	*total = 0;
	if (end != STORE_DONE)
		return end;
	if (filter->state == NULL && filter->version < 0)
		return store_agents(s, filter->after, filter->limit,
		    store_list_each, &list, total, more);
	keys = calloc((size_t)filter->limit + 1, sizeof(*keys));
	if (keys == NULL)
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	end = store_list_count(s, filter->state, filter->version, total);
	if (end == STORE_DONE)
		end = store_list_keys(s, filter, keys, filter->limit + 1,
		    &count);
	*more = count > filter->limit;
	for (long i = 0; end == STORE_DONE && i < count - *more; i++)
		end = store_list_one(s, keys[i], &list);
	free(keys);
	return end;
}
