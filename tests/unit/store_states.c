/*
 * What liveness knows beside the last poll: states, filters, totals, the
 * spread of a version; and tokens whose generation never falls.
 */
#include <limits.h>

#include "unit.h"

#include "../../cgi/store_sqlite_rollout.c"

#include "agents_here.h"

static void
says(int n, long long at, long long version, const char *state,
    const char *error)
{
	struct store_beat b = {
		.at = at, .applied_version = version, .state = state,
		.error = error,
	};

	snprintf(b.id, sizeof(b.id), "%s", name(n));
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

static void
publishes(void)
{
	static int count;
	const struct store_version *v;
	char data[64];
	struct store_change change = { .author = "test", .data = data };

	change.len = (size_t)snprintf(data, sizeof(data),
	    "{\"url\":\"http://%d\"}", count++);
	CHECK_INT(store_publish(s, &change, &v), STORE_DONE);
}

static void
see(void *arg, const struct store_agent *a)
{
	snprintf(arg, TOKEN_UUID, "%s", a->id);
}

/* How many fit; `last` is the last of the first page of `limit`. */
static long long
fits(const char *state, long long version, long limit, char *last,
    bool *more)
{
	struct store_filter filter = {
		.after = last, .limit = limit, .state = state,
		.version = version,
	};
	char seen[TOKEN_UUID] = "", to[TOKEN_UUID] = "";
	long long total;

	CHECK_INT(store_agents_by(s, &filter, see, seen, &total, to, more),
	    STORE_DONE);
	memcpy(last, seen, sizeof(seen));
	return total;
}

static long long
counts(const char *state, long long version)
{
	char last[TOKEN_UUID] = "";
	bool more;

	return fits(state, version, 1000, last, &more);
}

/* The state and the error of agent n, "state/error". */
static const char *
shown(int n)
{
	static char text[128];
	struct store_agent a;

	CHECK_INT(store_agent(s, name(n), &a), STORE_DONE);
	snprintf(text, sizeof(text), "%s/%s",
	    a.state != NULL ? a.state : "new",
	    a.error != NULL ? a.error : "");
	store_agent_free(&a);
	return text;
}

UNIT("states follow what polls say, and silence")
{
	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= 4; n++)
		joins(n);
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(counts("new", -1), 4);
	says(1, 1000, 3, "ok", NULL);
	says(2, 1000, 2, "failed", "worker answered 400");
	says(3, 1000, 3, NULL, NULL);
	CHECK_TEXT(shown(1), "ok/");
	CHECK_TEXT(shown(2), "failed/worker answered 400");
	CHECK_TEXT(shown(3), "ok/");	/* it has applied something */
	CHECK_TEXT(shown(4), "new/");
	CHECK_INT(counts("ok", -1), 2);
	CHECK_INT(counts(NULL, 3), 2);
	CHECK_INT(counts("failed", 2), 1);
	CHECK_INT(counts("failed", 3), 0);
	says(2, 6000, -1, NULL, NULL);	/* nothing new */
	CHECK_TEXT(shown(2), "failed/worker answered 400");
	says(1, 91000, -1, NULL, NULL);
	CHECK_INT(store_sweep(s, 95001, 1000), STORE_DONE);
	CHECK_INT(counts("offline", -1), 1);	/* 3; 2 spoke at 6000 */
	CHECK_TEXT(shown(3), "offline/");
	CHECK_TEXT(shown(4), "new/");
	says(3, 96000, -1, NULL, NULL);
	CHECK_TEXT(shown(3), "ok/");
	CHECK_INT(store_sweep(s, 200000, 1000), STORE_DONE);
	CHECK_INT(counts("offline", -1), 3);
	CHECK_TEXT(shown(2), "offline/worker answered 400");
	says(2, 200000, 3, "ok", NULL);
	CHECK_TEXT(shown(2), "ok/");
	store_free(s);
	folder_remove();
}

UNIT("a list by state goes on after an id")
{
	char last[TOKEN_UUID] = "";
	bool more;

	folder_make();
	s = store_here("truncate");
	for (int n = 1; n <= 5; n++) {
		joins(n);
		says(n, 1000, n == 3 ? 6 : 7, "ok", NULL);
	}
	CHECK_INT(fits(NULL, 7, 2, last, &more), 4);
	CHECK_TEXT(last, name(2));
	CHECK(more);
	CHECK_INT(fits(NULL, 7, 2, last, &more), 4);
	CHECK_TEXT(last, name(5));
	CHECK(!more);
	last[0] = '\0';
	CHECK_INT(fits("ok", 7, 3, last, &more), 4);
	CHECK_TEXT(last, name(4));
	CHECK(more);
	last[0] = '\0';
	CHECK_INT(fits("ok", -1, 3, last, &more), 5);
	CHECK_TEXT(last, name(3));
	store_free(s);
	folder_remove();
}

UNIT("a page goes on behind agents that are only in liveness yet")
{
	struct store_filter filter = {
		.after = "", .limit = 1, .state = "ok", .version = -1,
	};
	char seen[TOKEN_UUID], last[TOKEN_UUID] = "";
	long long total;
	bool more = true;

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= 3; n++) {
		joins(n);
		says(n, 1000, 1, "ok", NULL);
	}
	CHECK(sqlite3_exec(s->truth.db, "DELETE FROM agent WHERE id NOT LIKE "
	    "'00000002-%'", NULL, NULL, NULL) == SQLITE_OK);
	for (int n = 1; n <= 3; n++) {
		CHECK(more);
		seen[0] = '\0';
		filter.after = last;
		CHECK_INT(store_agents_by(s, &filter, see, seen, &total, last,
		    &more), STORE_DONE);
		CHECK_TEXT(seen, n == 2 ? name(2) : "");
		CHECK_TEXT(last, name(n));
	}
	CHECK(!more);
	filter.state = NULL;
	filter.after = "";
	CHECK_INT(store_agents_by(s, &filter, see, seen, &total, last, &more),
	    STORE_DONE);
	CHECK_TEXT(last, name(2));
	store_free(s);
	folder_remove();
}

UNIT("generations never fall, whatever is deleted or registered")
{
	long long generation = 0;
	struct store_beat late = {
		.at = 9, .applied_version = 1, .trusted = true,
	};

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_rotate(s, name(1), NULL, 1, &generation), STORE_NONE);
	CHECK_INT(store_forget(s, name(1), NULL, 1), STORE_NONE);
	joins(1);
	says(1, 1, 1, "ok", NULL);
	CHECK_INT(store_rotate(s, name(1), NULL, 1, &generation), STORE_DONE);
	CHECK_INT(generation, 2);
	CHECK_INT(store_forget(s, name(1), NULL, 1), STORE_DONE);
	CHECK_INT(store_generation(s, name(1), &generation), STORE_DONE);
	CHECK_INT(generation, 3);
	CHECK_INT(store_forget(s, name(1), NULL, 1), STORE_NONE);
	CHECK_INT(counts("ok", -1), 0);
	/* a poll that was on its way does not bring it back */
	snprintf(late.id, sizeof(late.id), "%s", name(1));
	CHECK_INT(store_fold(s, &late, 1, LLONG_MAX), STORE_DONE);
	CHECK_INT(counts(NULL, -1), 0);
	joins(1);
	CHECK_INT(store_generation(s, name(1), &generation), STORE_DONE);
	CHECK_INT(generation, 3);
	CHECK_TEXT(shown(1), "new/");
	joins(1);
	CHECK_INT(store_raise(s, name(1), 9, 1), STORE_DONE);
	CHECK_INT(store_raise(s, name(1), 4, 1), STORE_DONE);
	CHECK_INT(store_generation(s, name(1), &generation), STORE_DONE);
	CHECK_INT(generation, 9);
	store_free(s);
	folder_remove();
}

static long long
least(struct store *of, int n)
{
	long long generation = -1;

	CHECK_INT(store_least(of, name(n), &generation), STORE_DONE);
	return generation;
}

UNIT("what was raised counts from the next look on, in every process")
{
	long long generation;
	struct store *other;

	folder_make();
	s = store_here("wal");
	other = store_here("wal");
	joins(1);
	joins(2);
	/* twice: the second look finds nothing new, and reads them all */
	for (int i = 0; i < 2; i++) {
		CHECK_INT(least(s, 1), 1);
		CHECK_INT(least(other, 1), 1);
	}
	CHECK_INT(store_rotate(s, name(1), NULL, 1, &generation), STORE_DONE);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(least(s, 1), 2);
		CHECK_INT(least(other, 1), 2);
		CHECK_INT(least(other, 2), 1);
	}
	CHECK_INT(store_forget(other, name(2), NULL, 1), STORE_DONE);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(least(s, 2), 2);
		CHECK_INT(least(other, 2), 2);
		CHECK_INT(least(other, 1), 2);
		CHECK_INT(least(other, 3), 1);
	}
	store_free(other);
	store_free(s);
	folder_remove();
}

UNIT("more raised agents than are kept in memory count as well")
{
	enum { MANY = 520 };
	long long generation;

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= MANY; n++) {
		joins(n);
		CHECK_INT(store_rotate(s, name(n), NULL, 1, &generation),
		    STORE_DONE);
		if (n > 510)
			CHECK_INT(least(s, n), 2);
	}
	for (int n = 1; n <= MANY; n++)
		CHECK_INT(least(s, n), 2);
	CHECK_INT(least(s, MANY + 1), 1);
	store_free(s);
	folder_remove();
}

UNIT("liveness and truth agree again after one of them was lost")
{
	char live[128];

	folder_make();
	s = store_here("wal");
	for (int n = 1; n <= 3; n++) {
		joins(n);
		says(n, 1000, 1, "ok", NULL);
	}
	store_free(s);
	snprintf(live, sizeof(live), "%s/controller-live.db", folder);
	CHECK(unlink(live) == 0);
	s = store_here("wal");
	CHECK_INT(store_sweep(s, 1000, 1000), STORE_DONE);
	CHECK_INT(counts("new", -1), 3);
	says(1, 2000, 1, "ok", NULL);
	store_free(s);
	CHECK(unlink(path) == 0);
	s = store_here("wal");
	joins(9);
	CHECK_INT(store_sweep(s, 2000, 1000), STORE_DONE);
	CHECK_INT(counts("ok", -1), 0);
	CHECK_INT(counts("new", -1), 1);
	store_free(s);
	folder_remove();
}

UNIT("a rollout counts each agent once, by what it reported")
{
	struct store_rollout r;

	folder_make();
	s = store_here("wal");
	CHECK_INT(store_rollout(s, 0, &r), STORE_DONE);
	CHECK_INT(r.version, 0);
	CHECK_INT(r.total, 0);
	CHECK_INT(r.p50, -1);
	CHECK_INT(store_rollout(s, 1, &r), STORE_NONE);
	publishes();
	publishes();
	CHECK_INT(store_rollout(s, 1, &r), STORE_DONE);
	for (int n = 1; n <= 5; n++)
		joins(n);
	says(1, r.published_at + 1000, 1, "ok", NULL);
	says(1, r.published_at + 9000, 1, "failed", "no");
	says(2, r.published_at + 2000, 1, "ok", NULL);
	says(3, r.published_at + 3000, 1, "ok", NULL);
	says(3, r.published_at + 90000, 2, "ok", NULL);
	says(3, r.published_at + 90001, 1, "ok", NULL);
	says(3, r.published_at + 90002, 2, "ok", NULL);
	CHECK_INT(store_rollout(s, 0, &r), STORE_DONE);
	CHECK_INT(r.version, 2);
	CHECK_INT(r.total, 5);
	CHECK_INT(r.failed, 1);
	CHECK_INT(r.up_to_date, 1);
	CHECK_INT(r.behind, 3);
	CHECK_INT(r.p50, r.max);	/* of one report */
	CHECK_INT(store_rollout(s, 1, &r), STORE_DONE);
	CHECK_INT(r.up_to_date, 2);
	CHECK_INT(r.failed, 1);
	CHECK_INT(r.behind, 2);
	CHECK(r.p50 >= 2000 && r.p50 < 2140);
	CHECK_INT(r.max, 3000);
	CHECK_INT(r.p99, 3000);
	CHECK_INT(store_sweep(s, r.published_at + 99000, 1000), STORE_DONE);
	CHECK_INT(store_rollout(s, 1, &r), STORE_DONE);
	CHECK_INT(r.offline, 1);	/* 2 */
	CHECK_INT(r.up_to_date, 1);
	CHECK_INT(r.failed + r.behind, 3);
	store_free(s);
	folder_remove();
}

UNIT("what was counted stays so when truth is opened anew meanwhile")
{
	struct store_rollout r;

	folder_make();
	s = store_here("wal");
	publishes();
	publishes();
	CHECK_INT(store_rollout(s, 1, &r), STORE_DONE);
	CHECK_INT(store_fold_begin(s), STORE_DONE);
	CHECK_INT(store_spread(s, 1, r.published_at + 7), STORE_DONE);
	s->truth.doubtful = true;
	CHECK_INT(store_spread(s, 2, r.published_at + 7), STORE_DONE);
	CHECK(!s->truth.doubtful);
	CHECK_INT(store_fold_end(s, STORE_DONE), STORE_DONE);
	CHECK_INT(store_rollout(s, 1, &r), STORE_DONE);
	CHECK_INT(r.max, 7);
	store_free(s);
	folder_remove();
}

UNIT("each time has its bucket, at most a sixteenth too wide")
{
	for (long long ms = 0; ms < 1000000; ms = ms * 11 / 10 + 1) {
		int bucket = store_spread_bucket(ms);

		CHECK(store_spread_top(bucket) >= ms);
		CHECK(store_spread_top(bucket) <= ms + ms / 16);
		if (bucket > 0)
			CHECK(store_spread_top(bucket - 1) < ms);
	}
	CHECK(store_spread_bucket(1LL << 40) < STORE_SPREAD_MAX);
}

UNIT_MAIN
