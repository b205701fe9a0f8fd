/*
 * Agents: what they said when they registered, in truth, with what is known
 * of their liveness beside it.
 */
#include "store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"

void
store_agent_free(struct store_agent *a)
{
	free(a->hostname);
	free(a->ip_address);
	free(a->metadata);
	free(a->software);
	free(a->address);
	free(a->state);
	free(a->error);
	memset(a, 0, sizeof(*a));
}

sqlite3_stmt *
store_agent_sql(struct store *s, enum store_sql which, const char *id)
{
	sqlite3_stmt *row = store_file_sql(&s->truth, which);

	sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
	return row;
}

/* The address that an agent was registered from, "" when it was not. */
static enum store_end
store_agent_address(struct store *s, const char *id, char out[64])
{
	sqlite3_stmt *row = store_agent_sql(s, STORE_SQL_ADDRESS, id);
	enum store_end end = store_file_row(&s->truth, row);

	out[0] = '\0';
	if (end == STORE_DONE)
		snprintf(out, 64, "%s",
		    (const char *)sqlite3_column_text(row, 0));
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* Before the row is written: an id that is taken over is told with the
 * address that had it. */
static enum store_end
store_agent_audit(struct store *s, const struct store_agent *a,
    const struct store_deed *deed)
{
	struct buf what = BUF_INIT(1024);
	enum store_end end;
	char before[64];

	if (deed == NULL)
		return STORE_DONE;
	end = store_agent_address(s, a->id, before);
	buf_printf(&what, "{\"agent_id\":\"%s\"", a->id);
	if (before[0] != '\0' && strcmp(before, a->address) != 0) {
		buf_str(&what, ",\"address\":");
		json_put_text(&what, a->address);
		buf_str(&what, ",\"previous_address\":");
		json_put_text(&what, before);
	}
	buf_char(&what, '}');
	if (end == STORE_DONE)
		end = store_audit_add(s, deed, a->registered_at, &what);
	buf_free(&what);
	return end;
}

static enum store_end
store_agent_write(struct store *s, const struct store_agent *a,
    long long *generation)
{
	sqlite3_stmt *row = store_agent_sql(s, STORE_SQL_REGISTER, a->id);

	sqlite3_bind_text(row, 2, a->hostname, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 3, a->ip_address, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 4, a->port);
	sqlite3_bind_text(row, 5, a->metadata, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 6, a->software, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 7, a->address, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 8, a->registered_at);
	return store_file_whole(&s->truth, row, generation, NULL);
}

enum store_end
store_register(struct store *s, const struct store_agent *a,
    const struct store_deed *deed, long long *generation)
{
	enum store_end end = store_file_begin(&s->truth);

	if (end != STORE_DONE)
		return end;
	end = store_agent_audit(s, a, deed);
	if (end == STORE_DONE)
		end = store_agent_write(s, a, generation);
	/* one that comes back has its generation in its row again */
	if (end == STORE_DONE)
		end = store_file_run(&s->truth, store_agent_sql(s,
		    STORE_SQL_DIG, a->id));
	return store_file_end(&s->truth, end);
}

enum store_end
store_generation(struct store *s, const char *id, long long *generation)
{
	enum store_end end = store_file_ready(&s->truth);

	return end != STORE_DONE ? end : store_file_whole(&s->truth,
	    store_agent_sql(s, STORE_SQL_GENERATION, id), generation, NULL);
}

enum store_end
store_known(struct store *s, const char *id)
{
	long long one;

	return store_file_whole(&s->truth, store_agent_sql(s, STORE_SQL_KNOWN,
	    id), &one, NULL);
}

enum store_end
store_total(struct store *s, long long *total)
{
	return store_file_whole(&s->truth, store_file_sql(&s->truth,
	    STORE_SQL_TOTAL), total, NULL);
}

/* Reads a row of STORE_SQL_AGENTS and the agent's liveness. */
static enum store_end
store_agent_row(struct store *s, sqlite3_stmt *row, struct store_agent *a)
{
	const char *id = (const char *)sqlite3_column_text(row, 0);

	memset(a, 0, sizeof(*a));
	a->applied_version = -1;
	if (id == NULL || strlen(id) >= sizeof(a->id))
		return store_file_failed(&s->truth);
	memcpy(a->id, id, strlen(id) + 1);
	a->port = sqlite3_column_int64(row, 3);
	a->registered_at = sqlite3_column_int64(row, 7);
	a->generation = sqlite3_column_int64(row, 8);
	if (!store_column(row, 1, &a->hostname) ||
	    !store_column(row, 2, &a->ip_address) ||
	    !store_column(row, 4, &a->metadata) ||
	    !store_column(row, 5, &a->software) ||
	    !store_column(row, 6, &a->address))
		return store_say(s, STORE_BROKEN, "agents", "out of memory");
	return store_live(s, a);
}

enum store_end
store_agent(struct store *s, const char *id, struct store_agent *a)
{
	enum store_end end = store_ready(s);
	sqlite3_stmt *row;

	*a = (struct store_agent){ .applied_version = -1 };
	if (end != STORE_DONE)
		return end;
	row = store_agent_sql(s, STORE_SQL_AGENT, id);
	end = store_file_row(&s->truth, row);
	if (end == STORE_DONE)
		end = store_agent_row(s, row, a);
	sqlite3_reset(row);
	return end;
}

/* A page being read. */
struct store_agent_page {
	struct store *store;
	void (*each)(void *arg, const struct store_agent *);
	void *arg;
};

static enum store_end
store_agent_take(void *arg, sqlite3_stmt *row)
{
	struct store_agent_page *page = arg;
	struct store_agent a;
	enum store_end end = store_agent_row(page->store, row, &a);

	if (end == STORE_DONE)
		page->each(page->arg, &a);
	store_agent_free(&a);
	return end;
}

enum store_end
store_agents(struct store *s, const char *after, long limit,
    void (*each)(void *arg, const struct store_agent *), void *arg,
    long long *total, bool *more)
{
	struct store_agent_page page = { s, each, arg };
	enum store_end end = store_ready(s);
	sqlite3_stmt *row;

	*more = false;
	if (end == STORE_DONE)
		end = store_total(s, total);
	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_AGENTS);
	sqlite3_bind_text(row, 1, after, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, limit + 1);
	return store_file_page(&s->truth, row, limit, store_agent_take, &page,
	    more);
}
