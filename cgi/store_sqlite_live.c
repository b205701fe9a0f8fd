/*
 * Liveness: what the last polls of each agent said. Without a WAL it is
 * written without fsync, so that a power cut may damage it; then it is put
 * aside and made anew, and the next polls fill it. Sorted by id before they
 * are written, the beats that rows are read for touch the pages of the table
 * in order.
 */
#include "store_sqlite.h"

#include <endian.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hex.h"
#include "keep.h"
#include "log.h"

enum {
	STORE_BATCH = 98304,		/* beats of one transaction */
	STORE_REMEMBER_MS = 3600000,
};

/* The id was checked by token_is_uuid, or is "". */
void
store_live_key(unsigned char out[16], const char *id)
{
	for (size_t n = 0; *id != '\0' && n < 16;) {
		if (*id == '-')
			id++;
		out[n++] = (unsigned char)hex_pair(id, 2);
		id += 2;
	}
}

/* --- a damaged file ----------------------------------------------------- */

/* Its first page may be sound: then it is known by the statement that failed,
 * while it is the same file. */
static bool
store_live_damaged(struct store_file *f)
{
	return (f->damaged && !store_file_moved(f)) ||
	    store_file_look(f) == STORE_BROKEN;
}

static void
store_live_aside(struct store_file *f)
{
	static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
	char from[PATH_MAX], to[PATH_MAX], lockpath[PATH_MAX];
	int lock;

	migrate_lock_path(lockpath, sizeof(lockpath), f->path);
	lock = keep_lock(lockpath, 1);
	/* under the lock: another process may have mended it meanwhile */
	if (lock >= 0 && store_live_damaged(f)) {
		log_warn("store", "%s: put aside and made anew",
		    f->store->detail);
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
			snprintf(from, sizeof(from), "%s%s", f->path,
			    parts[i]);
			snprintf(to, sizeof(to), "%s%s.damaged", f->path,
			    parts[i]);
			if (i == 0)
				rename(from, to);
			else
				unlink(from);
		}
	}
	if (lock >= 0)
		close(lock);
}

enum store_end
store_live_ready(struct store *s)
{
	enum store_end end = STORE_BROKEN;

	if (!s->live.damaged)
		end = store_file_ready(&s->live);
	if (end != STORE_BROKEN)
		return end;
	store_live_aside(&s->live);
	return store_file_ready(&s->live);
}

/* --- reading ------------------------------------------------------------ */

enum store_end
store_live(struct store *s, struct store_agent *a)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_LIVE);
	struct store_pulse pulse;
	unsigned char key[16];
	enum store_end end;

	store_live_key(key, a->id);
	sqlite3_bind_blob(row, 1, key, sizeof(key), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, STORE_PULSE_AGENTS);
	end = store_file_row(&s->live, row);
	if (end == STORE_DONE) {
		a->last_poll = store_pulse_decode(sqlite3_column_blob(row, 5),
		    sqlite3_column_bytes(row, 5),
		    sqlite3_column_int64(row, 4), &pulse) ? pulse.at :
		    sqlite3_column_int64(row, 0);
		a->applied_version = store_pulse_version(&pulse,
		    sqlite3_column_int64(row, 1));
		if (!store_column(row, 2, &a->state) ||
		    !store_column(row, 3, &a->error))
			end = store_say(s, STORE_BROKEN, "liveness",
			    "out of memory");
	}
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

/* --- folding ------------------------------------------------------------ */

static int
store_live_order(const void *a, const void *b)
{
	const struct store_beat *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static void
store_live_swap(struct store_beat *a, struct store_beat *b)
{
	struct store_beat one = *a;

	*a = *b;
	*b = one;
}

/* Of a beat: how its id begins, and where it lies. */
struct store_live_place {
	uint64_t begins;
	size_t at;
};

static int
store_live_behind(const void *a, const void *b, void *beats)
{
	const struct store_live_place *x = a, *y = b;
	const struct store_beat *all = beats;

	if (x->begins != y->begins)
		return x->begins < y->begins ? -1 : 1;
	return store_live_order(&all[x->at], &all[y->at]);
}

/* As qsort(3) would, but the beats, which are large, are moved once and not
 * looked at to compare two. */
static void
store_live_sort(struct store_beat *beats, size_t count)
{
	struct store_live_place *places = calloc(count, sizeof(*places));

	if (places == NULL) {
		qsort(beats, count, sizeof(*beats), store_live_order);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(&places[i].begins, beats[i].id, sizeof(uint64_t));
		places[i].begins = be64toh(places[i].begins);
		places[i].at = i;
	}
	qsort_r(places, count, sizeof(*places), store_live_behind, beats);
	for (size_t i = 0; i < count; i++) {
		struct store_beat first = beats[i];
		size_t to = i, from;

		for (; (from = places[to].at) != i; to = from) {
			beats[to] = beats[from];
			places[to].at = to;
		}
		beats[to] = first;
		places[to].at = to;
	}
	free(places);
}

enum store_end
store_live_forget(struct store *s, const char *id)
{
	enum store_end end = store_live_ready(s);

	if (end == STORE_DONE)
		end = store_pulse_begin(s);
	if (end == STORE_DONE)
		end = store_pulse_end(s, store_live_drop(s, id));
	if (end != STORE_DONE)
		store_sweep_owed(s);
	return end;
}

/* Moves the beats of agents that truth knows to the front and counts them. It
 * is asked in one look: to begin one costs more than to find an agent. */
static enum store_end
store_live_known(struct store *s, struct store_beat *beats, size_t count,
    size_t *known)
{
	enum store_end end = STORE_DONE;

	*known = 0;
	sqlite3_exec(s->truth.db, "BEGIN", NULL, NULL, NULL);
	for (size_t i = 0; end == STORE_DONE && i < count; i++) {
		end = store_known(s, beats[i].id);
		if (end == STORE_DONE)
			store_live_swap(&beats[(*known)++], &beats[i]);
		else if (end == STORE_NONE)
			end = STORE_DONE;
	}
	store_file_rollback(&s->truth);
	return end;
}

/* Writes an agent down in truth that came with its own token, for the
 * database may be a restored one. NONE: it stays unknown. */
static enum store_end
store_live_adopt(struct store *s, const struct store_beat *beat)
{
	enum store_end end;
	sqlite3_stmt *row;

	if (!beat->trusted)
		return STORE_NONE;
	row = store_agent_sql(s, STORE_SQL_ADOPT, beat->id);
	sqlite3_bind_int64(row, 2, beat->at);
	end = store_file_run(&s->truth, row);
	/* it was deleted, or its beat before this one was the first */
	if (end == STORE_DONE && sqlite3_changes(s->truth.db) == 0)
		return store_known(s, beat->id);
	if (end == STORE_DONE)
		log_info("store", "agent %s written down by its token",
		    beat->id);
	return end;
}

/* Folds the beats of agents that this process knows and that change no row;
 * moves the others to the front and counts them. */
static enum store_end
store_live_same(struct store *s, struct store_beat *beats, size_t count,
    long long now, size_t *others)
{
	enum store_end end = STORE_DONE;
	bool known;

	*others = 0;
	for (size_t i = 0; end == STORE_DONE && i < count; i++) {
		end = store_fold_known(s, &beats[i], now, &known);
		if (end == STORE_DONE && !known)
			store_live_swap(&beats[(*others)++], &beats[i]);
	}
	return end;
}

/* Updates the rows of agents that have one; moves the others to the front
 * and counts them. */
static enum store_end
store_live_update(struct store *s, struct store_beat *beats, size_t count,
    long long now, size_t *unknown)
{
	enum store_end end = store_fold_begin(s);
	bool found;

	*unknown = 0;
	if (end != STORE_DONE)
		return end;
	end = store_live_same(s, beats, count, now, &count);
	if (end == STORE_DONE && count > 0)
		store_live_sort(beats, count);
	for (size_t i = 0; end == STORE_DONE && i < count; i++) {
		end = store_fold_one(s, &beats[i], now, &found);
		if (end == STORE_DONE && !found)
			store_live_swap(&beats[(*unknown)++], &beats[i]);
	}
	return store_fold_end(s, end);
}

/* Adds the rows of beats, whose agents truth knows. */
static enum store_end
store_live_add(struct store *s, const struct store_beat *beats, size_t count,
    long long now)
{
	enum store_end end = store_fold_begin(s);
	bool found;

	for (size_t i = 0; end == STORE_DONE && i < count; i++) {
		end = store_live_new(s, beats[i].id);
		if (end == STORE_DONE)
			end = store_fold_one(s, &beats[i], now, &found);
	}
	return store_fold_end(s, end);
}

static enum store_end
store_live_batch(struct store *s, struct store_beat *beats, size_t count,
    long long now)
{
	enum store_end end;
	size_t unknown, known = 0;

	end = store_live_update(s, beats, count, now, &unknown);
	/* truth is asked between two transactions, so that whoever waits for
	 * liveness does not wait for a publish */
	if (end == STORE_DONE && unknown > 0)
		end = store_live_known(s, beats, unknown, &known);
	for (size_t i = known; end == STORE_DONE && i < unknown; i++) {
		end = store_live_adopt(s, &beats[i]);
		if (end == STORE_DONE)
			beats[known++] = beats[i];
		else if (end == STORE_NONE)
			end = STORE_DONE;
	}
	if (end != STORE_DONE || known == 0)
		return end;
	return store_live_add(s, beats, known, now);
}

void
store_remember(struct store *s, bool yes)
{
	long long now = clock_steady();

	/* an id that does not come again shall not be kept for ever */
	if (!yes || now - s->remembered >= STORE_REMEMBER_MS) {
		roster_clear(&s->roster);
		s->remembered = now;
	}
	s->remembers = yes;
}

enum store_end
store_fold(struct store *s, struct store_beat *beats, size_t count,
    long long now)
{
	enum store_end end = store_ready(s);

	for (size_t i = 0; i < count; i++)
		if (beats[i].at > now)
			beats[i].at = now;
	for (size_t at = 0; end == STORE_DONE && at < count;
	    at += STORE_BATCH)
		end = store_live_batch(s, beats + at,
		    count - at < STORE_BATCH ? count - at : STORE_BATCH, now);
	return end;
}
