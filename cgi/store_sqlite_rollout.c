/*
 * How far a version has come, from what agents reported. The times that it
 * took are kept as a histogram for each version: sixteen buckets for each
 * doubling, so that a million agents cost a few hundred rows.
 */
#include "store_sqlite.h"

#include <string.h>

enum {
	STORE_SPREAD_FINE = 4,			/* bits */
	STORE_SPREAD_PART = 1 << STORE_SPREAD_FINE,	/* of a doubling */
	STORE_SPREAD_MAX = STORE_SPREADS,	/* a thousand years */
};

static int
store_spread_bucket(long long ms)
{
	int doubling;

	if (ms < STORE_SPREAD_PART)
		return ms < 0 ? 0 : (int)ms;
	doubling = 63 - __builtin_clzll((unsigned long long)ms);
	return (doubling - STORE_SPREAD_FINE + 1) * STORE_SPREAD_PART +
	    (int)(ms >> (doubling - STORE_SPREAD_FINE) &
	    (STORE_SPREAD_PART - 1));
}

/* The highest number of a bucket. */
static long long
store_spread_top(int bucket)
{
	long long part = bucket % STORE_SPREAD_PART;
	int shift = bucket / STORE_SPREAD_PART - 1;

	if (bucket < STORE_SPREAD_PART)
		return bucket;
	return ((part + STORE_SPREAD_PART + 1) << shift) - 1;
}

/* When a version was published: NONE, or gives ms since 1970. */
static enum store_end
store_rollout_since(struct store *s, long long version, long long *since)
{
	enum store_end end = store_file_ready(&s->truth);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->truth, STORE_SQL_PUBLISHED);
	sqlite3_bind_int64(row, 1, version);
	return store_file_whole(&s->truth, row, since, NULL);
}

/* Writes what was counted of a version, and forgets that it was. */
static enum store_end
store_spread_put(struct store *s, struct store_spread *one)
{
	enum store_end end = STORE_DONE;
	sqlite3_stmt *row;

	for (int i = one->from; end == STORE_DONE && i < one->to; i++) {
		if (one->count[i] == 0)
			continue;
		row = store_file_sql(&s->live, STORE_SQL_SPREAD);
		sqlite3_bind_int64(row, 1, one->version);
		sqlite3_bind_int(row, 2, i);
		sqlite3_bind_int64(row, 3, one->longest[i]);
		sqlite3_bind_int64(row, 4, one->count[i]);
		end = store_file_run(&s->live, row);
		one->count[i] = one->longest[i] = 0;
	}
	one->from = STORE_SPREADS;
	one->to = 0;
	return end;
}

/* Gives a place for a version: a fleet reports few at once. */
static enum store_end
store_spread_place(struct store *s, long long version,
    struct store_spread **out)
{
	struct store_spread *one = &s->spread[version % STORE_SPREAD_VERSIONS];
	enum store_end end;

	*out = one;
	if (one->version == version)
		return STORE_DONE;
	end = store_spread_put(s, one);
	one->version = one->since = 0;
	if (end == STORE_DONE)
		end = store_rollout_since(s, version, &one->since);
	if (end == STORE_DONE || end == STORE_NONE) {
		one->version = version;
		end = STORE_DONE;
	}
	return end;
}

enum store_end
store_spread_known(struct store *s, long long version, bool *known)
{
	struct store_spread *one;
	enum store_end end = store_spread_place(s, version, &one);

	*known = end == STORE_DONE && one->since != 0;
	return end;
}

enum store_end
store_spread(struct store *s, long long version, long long at)
{
	struct store_spread *one;
	enum store_end end = store_spread_place(s, version, &one);
	long long ms;
	int bucket;

	/* a restored database does not know the version */
	if (end != STORE_DONE || one->since == 0)
		return end;
	ms = at > one->since ? at - one->since : 0;
	bucket = store_spread_bucket(ms);
	one->count[bucket]++;
	if (one->longest[bucket] < ms)
		one->longest[bucket] = ms;
	if (bucket < one->from)
		one->from = bucket;
	if (bucket >= one->to)
		one->to = bucket + 1;
	s->applied.count[bucket]++;
	s->applied.sum[bucket] += ms;
	s->applied.any = true;
	return STORE_DONE;
}

enum store_end
store_spread_write(struct store *s)
{
	enum store_end end = STORE_DONE;

	for (int i = 0; end == STORE_DONE && i < STORE_SPREAD_VERSIONS; i++)
		end = store_spread_put(s, &s->spread[i]);
	return end;
}

void
store_spread_forget(struct store *s)
{
	memset(s->spread, 0, sizeof(s->spread));
	if (s->applied.any)
		memset(&s->applied, 0, sizeof(s->applied));
}

/* Of those of a bucket one by one, with what they took on the average. */
void
store_spread_tell(struct store *s)
{
	for (int i = 0; s->applied.any && i < STORE_SPREADS; i++)
		for (long long left = s->applied.count[i]; left > 0; left--)
			if (s->told.applied != NULL)
				s->told.applied(s->told.arg,
				    s->applied.sum[i] / s->applied.count[i]);
}

/* --- reading ------------------------------------------------------------ */

/* The bucket that holds the share (per mille) of all, not over max. */
static long long
store_rollout_share(const long long *counts, long long all, long long mille,
    long long max)
{
	long long rank = (all * mille + 999) / 1000, below = 0;

	for (int i = 0; i < STORE_SPREAD_MAX; i++) {
		below += counts[i];
		if (below >= rank && store_spread_top(i) < max)
			return store_spread_top(i);
		if (below >= rank)
			break;
	}
	return max;
}

static enum store_end
store_rollout_spread(struct store *s, struct store_rollout *r)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_SPREADS);
	long long counts[STORE_SPREAD_MAX] = { 0 }, all = 0;
	enum store_end end;

	r->p50 = r->p95 = r->p99 = r->max = -1;
	sqlite3_bind_int64(row, 1, r->version);
	while ((end = store_file_row(&s->live, row)) == STORE_DONE) {
		int bucket = sqlite3_column_int(row, 0);
		long long longest = sqlite3_column_int64(row, 2);

		if (bucket < 0 || bucket >= STORE_SPREAD_MAX)
			continue;
		counts[bucket] = sqlite3_column_int64(row, 1);
		all += counts[bucket];
		r->max = longest > r->max ? longest : r->max;
	}
	sqlite3_reset(row);
	if (end != STORE_NONE)
		return end;
	if (all > 0) {
		r->p50 = store_rollout_share(counts, all, 500, r->max);
		r->p95 = store_rollout_share(counts, all, 950, r->max);
		r->p99 = store_rollout_share(counts, all, 990, r->max);
	}
	return STORE_DONE;
}

/* A version above the newest is of another life of the controller. */
static void
store_rollout_count(struct store_rollout *r, long long newest,
    const char *state, long long applied, long long count)
{
	bool later = applied > r->version && applied <= newest;

	if (strcmp(state, "offline") == 0)
		r->offline += count;
	else if (strcmp(state, "failed") == 0 && !later)
		r->failed += count;
	else if (r->version > 0 && (applied == r->version || later))
		r->up_to_date += count;
}

/* Those that liveness does not know yet are behind. */
static enum store_end
store_rollout_agents(struct store *s, struct store_rollout *r,
    long long newest)
{
	enum store_end end = store_total(s, &r->total);
	sqlite3_stmt *row;

	if (end != STORE_DONE)
		return end;
	row = store_file_sql(&s->live, STORE_SQL_TALLY);
	while ((end = store_file_row(&s->live, row)) == STORE_DONE)
		store_rollout_count(r, newest,
		    (const char *)sqlite3_column_text(row, 0),
		    sqlite3_column_int64(row, 1),
		    sqlite3_column_int64(row, 2));
	sqlite3_reset(row);
	if (end != STORE_NONE)
		return end;
	r->behind = r->total - r->offline - r->failed - r->up_to_date;
	if (r->behind < 0)
		r->behind = 0;
	return STORE_DONE;
}

enum store_end
store_rollout(struct store *s, long long version, struct store_rollout *r)
{
	const struct store_version *present;
	enum store_end end = store_ready(s);
	long long newest;

	memset(r, 0, sizeof(*r));
	if (end == STORE_DONE)
		end = store_current(s, &present);
	if (end != STORE_DONE)
		return end;
	newest = present->version;
	r->version = version != 0 ? version : newest;
	if (r->version > 0)
		end = store_rollout_since(s, r->version, &r->published_at);
	if (end == STORE_DONE)
		end = store_rollout_agents(s, r, newest);
	if (end == STORE_DONE)
		end = store_rollout_spread(s, r);
	return end;
}
