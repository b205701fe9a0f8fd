/*
 * What is known of agents, against a model of it that is too simple to be
 * wrong: two processes fold, look for silence and forget, in any order, while
 * the clock and the interval move and what they write is refused at times.
 */
#include <limits.h>

#include "unit.h"

#include "../../cgi/store_sqlite_pulse.c"

#include "tally_here.h"

enum { AGENTS = 30, BATCH = 40, STEPS = 1200 };

static struct {
	bool here, buried, offline;
	long long at, version;
	const char *said;
} agents[AGENTS];

static struct store *two[2];
static long long now;
static uint64_t seed;

static int
dice(int sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (unsigned)sides);
}

static void
forgets(int n)
{
	agents[n].offline = false;
	agents[n].at = 0;
	agents[n].version = -1;
	agents[n].said = NULL;
}

static void
opens(int n, const char *journal, long interval)
{
	two[n] = store_here(journal);
	two[n]->busy_ms = 1;
	two[n]->interval = interval;
	CHECK_INT(store_ready(two[n]), STORE_DONE);
}

static void
runs(struct store *t, const char *sql)
{
	CHECK_INT(sqlite3_exec(t->live.db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* --- what comes --------------------------------------------------------- */

static void
models(const struct store_beat *b, int n)
{
	long long at = b->at < now ? b->at : now;

	if (!agents[n].here && b->trusted && !agents[n].buried)
		agents[n].here = true;
	if (!agents[n].here || (agents[n].at > at && agents[n].at <= now))
		return;
	agents[n].at = at;
	agents[n].offline = false;
	if (b->applied_version >= 0)
		agents[n].version = b->applied_version;
	if (b->state != NULL)
		agents[n].said = b->state;
}

static int
refuses(void *arg)
{
	return --*(int *)arg == 0;
}

/* Whatever it was that refused it, it is folded later. */
static void
folds_at_last(struct store *t, struct store_beat *beats, size_t count)
{
	static int after;
	struct store *other = t == two[0] ? two[1] : two[0];
	bool held = dice(8) == 0;

	CHECK_INT(store_ready(t), STORE_DONE);
	CHECK_INT(store_ready(other), STORE_DONE);
	after = 1 + dice(2);
	if (dice(8) == 0)
		sqlite3_commit_hook(t->live.db, refuses, &after);
	if (held)	/* a reader: with a rollback journal no commit passes */
		runs(other, "BEGIN; SELECT count(*) FROM live");
	if (store_fold(t, beats, count, now) == STORE_DONE)
		count = 0;
	if (held)
		runs(other, "COMMIT");
	CHECK_INT(store_ready(t), STORE_DONE);
	sqlite3_commit_hook(t->live.db, NULL, NULL);
	CHECK_INT(store_fold(t, beats, count, now), STORE_DONE);
}

static void
folds(struct store *t)
{
	static const char *const states[] = { NULL, "ok", "ok", "failed",
	    "no-worker" };
	static const long long versions[] = { -1, 0, 1, 1, 1, 2, 1LL << 45,
	    999999999999999999 };
	struct store_beat beats[BATCH];
	long long at = now - dice(90000);
	int count = dice(2) == 0 ? 1 : 1 + dice(BATCH);

	for (int i = 0; i < count; i++) {
		int n = dice(AGENTS);

		at = at + 500 < now ? at + 1 + dice(500) : at + 1;
		beats[i] = (struct store_beat){ .at = at,
			.applied_version = versions[dice(8)],
			.state = states[dice(5)], .trusted = count == 1 };
		snprintf(beats[i].id, TOKEN_UUID, "%s", name(n));
		models(&beats[i], n);
	}
	folds_at_last(t, beats, (size_t)count);
}

static void
sweeps(struct store *t)
{
	runs(t, "UPDATE sweep SET silent = 0, joined = 0");
	CHECK_INT(store_sweep(t, now, 1000), STORE_DONE);
	for (int n = 0; n < AGENTS; n++) {
		if (agents[n].at > now)
			agents[n].at = now;
		agents[n].offline = agents[n].at > 0 &&
		    agents[n].at < now - 4000 - 3000 * t->interval;
	}
}

static void
goes_or_comes(struct store *t, int n)
{
	s = t;
	if (agents[n].here) {
		CHECK_INT(store_forget(t, name(n), NULL, now), STORE_DONE);
		forgets(n);
	} else {
		joins(n);
	}
	agents[n].buried = agents[n].here;
	agents[n].here = !agents[n].here;
}

/* The rows become what a program before the pages would have left. */
static void
ages(struct store *t)
{
	char sql[256];

	runs(t, "DELETE FROM pulse; UPDATE live SET number = NULL");
	for (int n = 0; n < AGENTS; n++) {
		snprintf(sql, sizeof(sql), "UPDATE live SET last_poll = %lld, "
		    "applied_version = %lld, highest = max(highest, %lld) "
		    "WHERE hex(id) LIKE '%08d%%'", agents[n].at,
		    agents[n].version, agents[n].version, n);
		runs(t, sql);
	}
}

static void
loses_liveness(void)
{
	char line[sizeof(folder) + 40];

	snprintf(line, sizeof(line), "rm %s/controller-live.db*", folder);
	CHECK(system(line) == 0);
	for (int n = 0; n < AGENTS; n++)
		forgets(n);
}

static void
something_happens(const char *journal)
{
	static const long intervals[] = { 5, 30, 300 };
	int n = dice(2), what = dice(100);
	struct store *t = two[n];

	CHECK_INT(store_ready(t), STORE_DONE);
	if (what < 45) {
		folds(t);
	} else if (what < 65) {
		sweeps(t);
	} else if (what < 75) {
		goes_or_comes(t, dice(AGENTS));
	} else if (what < 80) {
		store_remember(t, dice(3) > 0);
	} else if (what < 84) {
		ages(t);
	} else if (what < 86) {
		now += dice(2) == 0 ? 1000000 : -200000;
	} else if (what < 90) {
		two[0]->interval = two[1]->interval = intervals[dice(3)];
		sweeps(t);
	} else if (what < 94) {	/* pages that few agents are in */
		runs(t, "UPDATE sweep SET numbers = numbers + 300");
	} else if (what < 98) {
		store_free(t);
		opens(n, journal, two[!n]->interval);
	} else if (what < 99) {
		loses_liveness();
	}
	now += dice(20000);
}

/* --- what is known ------------------------------------------------------ */

static const char *
shown(int n)
{
	return agents[n].offline ? "offline" : agents[n].said != NULL ?
	    agents[n].said : agents[n].version >= 0 ? "ok" : "new";
}

static void
marks(void *arg, const struct store_agent *a)
{
	int n = (int)strtol(a->id, NULL, 10);

	CHECK(!((bool *)arg)[n]);
	((bool *)arg)[n] = true;
}

/* All that have a version, as a list of them says. */
static void
is_listed(struct store *t, const char *state, long long version, int step)
{
	struct store_filter filter = { .after = "", .limit = AGENTS,
		.state = state, .version = version };
	bool is[AGENTS] = { false }, more;
	char last[TOKEN_UUID] = "";
	long long total;

	CHECK_INT(store_agents_by(t, &filter, marks, is, &total, last, &more),
	    STORE_DONE);
	CHECK(!more);
	for (int n = 0; n < AGENTS; n++) {
		bool want = agents[n].here && agents[n].version == version &&
		    (state == NULL || strcmp(state, shown(n)) == 0);

		if (is[n] != want)
			printf("# step %d, agent %d\n", step, n);
		CHECK(is[n] == want);
	}
}

static void
is_as_modelled(struct store *t, int step)
{
	char is[128], want[128];
	struct store_agent a;

	for (int n = 0; n < AGENTS; n++) {
		if (!agents[n].here)
			continue;
		CHECK_INT(store_agent(t, name(n), &a), STORE_DONE);
		snprintf(is, sizeof(is), "step %d, agent %d: %s %lld %lld",
		    step, n, a.state != NULL ? a.state : "new",
		    a.applied_version, a.last_poll);
		snprintf(want, sizeof(want), "step %d, agent %d: %s %lld %lld",
		    step, n, shown(n), agents[n].version, agents[n].at);
		store_agent_free(&a);
		CHECK_TEXT(is, want);
	}
	s = t;
	CHECK_INT(wrong(), 0);
	is_listed(t, NULL, 1, step);
	is_listed(t, NULL, 2, step);
	is_listed(t, NULL, 1LL << 45, step);
	is_listed(t, "failed", 1, step);
	is_listed(t, "offline", 2, step);
}

static void
whatever_happens(const char *journal, uint64_t first)
{
	seed = first;
	now = 1000000000;
	memset(agents, 0, sizeof(agents));
	for (int n = 0; n < AGENTS; n++)
		forgets(n);
	folder_make();
	opens(0, journal, 30);
	opens(1, journal, 30);
	store_remember(two[0], true);
	for (int step = 0; step < STEPS; step++) {
		something_happens(journal);
		is_as_modelled(two[dice(2)], step);
	}
	store_free(two[0]);
	store_free(two[1]);
	folder_remove();
}

UNIT("what is shown of each agent is what it said, whatever happens")
{
	for (uint64_t first = 1; first <= 3; first++)
		whatever_happens("wal", first);
}

UNIT("also with a rollback journal")
{
	for (uint64_t first = 4; first <= 6; first++)
		whatever_happens("truncate", first);
}

UNIT_MAIN
