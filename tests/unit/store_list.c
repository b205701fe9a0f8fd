/*
 * Lists of agents by version: of many, of few, and of what the rows and the
 * entries each say a part of.
 */
#include <limits.h>

#include "unit.h"

#include "../../cgi/store_sqlite_pulse.c"

#include "beats_here.h"

enum { LISTED = 400 };	/* more than a page has entries */

static struct {
	char ids[LISTED][TOKEN_UUID];
	int count;
} listed;

static void
lists(void *arg, const struct store_agent *a)
{
	(void)arg;
	CHECK(listed.count < LISTED);
	snprintf(listed.ids[listed.count++], TOKEN_UUID, "%s", a->id);
}

/* All that fit, page by page, are those that want says, in order. */
static void
lists_all(const char *state, long long version, long limit,
    bool (*want)(int n, const char *state, long long version))
{
	char last[TOKEN_UUID] = "";
	struct store_filter filter = { .after = last, .limit = limit,
		.state = state, .version = version };
	long long total, count = 0;
	bool more = true;

	listed.count = 0;
	while (more) {
		char after[TOKEN_UUID];

		memcpy(after, last, sizeof(after));
		filter.after = after;
		CHECK_INT(store_agents_by(s, &filter, lists, NULL, &total,
		    last, &more), STORE_DONE);
	}
	for (int n = 0; n < LISTED; n++) {
		if (!want(n, state, version))
			continue;
		CHECK(count < listed.count);
		CHECK_TEXT(listed.ids[count++], name(n));
	}
	CHECK_INT(listed.count, count);
	CHECK_INT(total, count);
}

static const char *const listed_states[] = { "ok", "failed", "no-worker" };

/* One in fifty has version 2, agent 7 one that finds no room in an entry, and
 * the last is offline. */
static long long
listed_version(int n)
{
	return n == 7 ? STORE_PULSE_VERSIONS : 1 + (n % 50 == 3);
}

static bool
listed_fits(int n, const char *state, long long version)
{
	const char *is = n == LISTED - 1 ? "offline" : listed_states[n % 3];

	return listed_version(n) == version &&
	    (state == NULL || strcmp(state, is) == 0);
}

static bool
listed_again(int n, const char *state, long long version)
{
	return n == 1 ? version == 2 && (state == NULL ||
	    strcmp(state, listed_states[n % 3]) == 0) :
	    listed_fits(n, state, version);
}

static void
lists_what_fits(bool (*want)(int n, const char *state, long long version))
{
	static const long limits[] = { 1, 7, 1000 };

	for (int i = 0; i < 3; i++) {
		lists_all(NULL, 1, limits[i], want);
		lists_all(NULL, 2, limits[i], want);
		lists_all(NULL, 3, limits[i], want);
		lists_all(NULL, STORE_PULSE_VERSIONS, limits[i], want);
		lists_all("offline", 1, limits[i], want);
		lists_all("failed", 1, limits[i], want);
		lists_all("failed", 2, limits[i], want);
	}
}

UNIT("agents of a version are listed in order, be they many or few")
{
	struct store_beat b;

	folder_make();
	s = store_here("wal");
	s->told.applied = applies;
	publishes(1);
	publishes(2);
	for (int n = 0; n < LISTED; n++) {
		joins(n);
		b = beat(n, n == LISTED - 1 ? 1 : 1000000, listed_version(n),
		    listed_states[n % 3]);
		CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	}
	CHECK_INT(store_sweep(s, 1000000, 1000), STORE_DONE);
	CHECK_INT(asks("SELECT count(*) FROM live WHERE state = 'offline'"), 1);
	lists_what_fits(listed_fits);
	/* one moves, which its row does not say */
	tells(1000001, 2, NULL, NULL);
	CHECK_INT(asks("SELECT applied_version FROM live "
	    "WHERE id = x'00000001000040008000abcdef012345'"), 1);
	lists_what_fits(listed_again);
	/* some are of an older program yet */
	CHECK_INT(sqlite3_exec(s->live.db, "UPDATE live SET "
	    "applied_version = 2, last_poll = 1000001, number = NULL "
	    "WHERE id = x'00000001000040008000abcdef012345'", NULL, NULL,
	    NULL), SQLITE_OK);
	lists_what_fits(listed_again);
	CHECK_INT(wrong(), 0);
	/* one has a version that there is not, one has had two */
	CHECK_INT(applied, LISTED);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
