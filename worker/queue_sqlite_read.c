/*
 * What the file says about tasks. Results whose time is over are not there,
 * whether they have been deleted yet or not.
 */
#include <string.h>

#include "clock.h"
#include "queue_sqlite.h"

static struct queue_sqlite *
queue_sqlite_read_of(struct queue *q)
{
	return LOOP_OF(struct queue_sqlite, base, q);
}

static char *
queue_sqlite_read_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text != NULL ? strdup(text) : NULL;
}

/* id, state, attempts, created_at, ended_at, error, result. */
static bool
queue_sqlite_read_row(sqlite3_stmt *row, struct queue_call *call)
{
	struct queue_record *r = queue_record_add(call);

	if (r == NULL)
		return false;
	memcpy(r->id, sqlite3_column_text(row, 0), TOKEN_UUID);
	r->state = (enum queue_state)sqlite3_column_int(row, 1);
	r->attempts = sqlite3_column_int64(row, 2);
	r->created_at = sqlite3_column_int64(row, 3);
	r->ended_at = sqlite3_column_int64(row, 4);
	r->error = queue_sqlite_read_text(row, 5);
	r->result = queue_sqlite_read_text(row, 6);
	return true;
}

/* Every row of a statement into the call. */
static enum queue_end
queue_sqlite_read_rows(sqlite3_stmt *sql, struct queue_call *call)
{
	int code;

	while ((code = sqlite3_step(sql)) == SQLITE_ROW)
		if (!queue_sqlite_read_row(sql, call))
			break;
	sqlite3_reset(sql);
	return code == SQLITE_DONE ? QUEUE_DONE : QUEUE_DOWN;
}

void
queue_sqlite_read(struct queue *q, const char *id, struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_read_of(q);
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_READ);
	enum queue_end end;

	sqlite3_bind_text(sql, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(sql, 2, clock_wall() - q->setup.ttl_ms);
	end = queue_sqlite_read_rows(sql, call);
	if (end == QUEUE_DONE && call->count == 0)
		end = QUEUE_ABSENT;
	queue_answer(q, call, end);
}

/* Where a page begins; -1: there is no such task. */
static long long
queue_sqlite_read_place(struct queue_sqlite *s, const char *after)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_PLACE);
	long long place = -1;

	if (after[0] == '\0')
		return 0;
	sqlite3_bind_text(sql, 1, after, -1, SQLITE_STATIC);
	if (sqlite3_step(sql) == SQLITE_ROW)
		place = sqlite3_column_int64(sql, 0);
	sqlite3_reset(sql);
	return place;
}

static enum queue_sqlite_sql
queue_sqlite_read_which(enum queue_state state)
{
	return state == QUEUE_ANY ? QUEUE_SQLITE_LIST :
	    state <= QUEUE_PENDING ? QUEUE_SQLITE_LIST_OPEN :
	    QUEUE_SQLITE_LIST_OVER;
}

void
queue_sqlite_list(struct queue *q, const struct queue_page *page,
    struct queue_call *call)
{
	struct queue_sqlite *s = queue_sqlite_read_of(q);
	long long place = queue_sqlite_read_place(s, page->after);
	enum queue_sqlite_sql which = queue_sqlite_read_which(page->state);
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, which);

	if (place < 0) {
		queue_answer(q, call, QUEUE_ABSENT);
		return;
	}
	if (which == QUEUE_SQLITE_LIST_OPEN && place < s->low)
		place = s->low - 1;
	sqlite3_bind_int64(sql, 1, place);
	sqlite3_bind_int64(sql, 2, clock_wall() - q->setup.ttl_ms);
	sqlite3_bind_int64(sql, 3, (long long)page->limit);
	if (page->state != QUEUE_ANY)
		sqlite3_bind_int(sql, 4, (int)page->state);
	queue_answer(q, call, queue_sqlite_read_rows(sql, call));
}

/* The first to arrive of those that are not over. */
static long long
queue_sqlite_read_oldest(struct queue_sqlite *s)
{
	sqlite3_stmt *sql = queue_sqlite_file_sql(s, QUEUE_SQLITE_OLDEST);
	long long created = 0;

	if (s->counts[QUEUE_QUEUED] + s->counts[QUEUE_PENDING] == 0) {
		s->low = s->arrival + 1;
		return 0;
	}
	sqlite3_bind_int64(sql, 1, s->low);
	if (sqlite3_step(sql) == SQLITE_ROW) {
		s->low = sqlite3_column_int64(sql, 0);
		created = sqlite3_column_int64(sql, 1);
	}
	sqlite3_reset(sql);
	return created;
}

void
queue_sqlite_facts(struct queue *q, struct queue_facts *facts)
{
	struct queue_sqlite *s = queue_sqlite_read_of(q);

	facts->up = s->opened;
	facts->queued = s->counts[QUEUE_QUEUED];
	facts->pending = s->counts[QUEUE_PENDING];
	facts->oldest = queue_sqlite_read_oldest(s);
}
