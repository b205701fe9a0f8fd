/*
 * Agents and their liveness.
 */
#include <limits.h>

#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../../cgi/store_sqlite_live.c"

#include "store_here.h"

static const char one[] = "11111111-1111-4111-8111-111111111111";
static const char two[] = "22222222-2222-4222-8222-222222222222";
static const char three[] = "33333333-3333-4333-8333-333333333333";

struct seen {
	int count;
	struct store_agent last;
};

static void
see(void *arg, const struct store_agent *a)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last = *a;	/* its strings are gone afterwards */
}

static struct store_beat
beat(const char *id, long long at, long long version, const char *state)
{
	struct store_beat b = {
		.at = at, .applied_version = version, .state = state,
	};

	snprintf(b.id, sizeof(b.id), "%s", id);
	return b;
}

UNIT("an agent registers again over its row, and keeps its generation")
{
	struct store_agent a = { .registered_at = 1 };
	char text[] = "here";
	struct seen seen = { 0 };
	long long generation, total;
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	a.hostname = a.address = text;
	memcpy(a.id, one, sizeof(one));
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
	CHECK_INT(generation, 1);
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
	memcpy(a.id, two, sizeof(two));
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
	CHECK_INT(store_agents(s, "", 1, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(seen.count, 1);
	CHECK_INT(total, 2);
	CHECK(more);
	CHECK_INT(store_agents(s, one, 1, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_TEXT(seen.last.id, two);
	CHECK(!more);
	CHECK_INT(seen.last.last_poll, 0);
	CHECK_INT(seen.last.applied_version, -1);
	store_free(s);
	folder_remove();
}

UNIT("beats fold in any order, twice, and only for agents that are known")
{
	struct store_agent a = { .registered_at = 1 };
	struct store_beat beats[4];
	struct seen seen = { 0 };
	long long generation, total;
	char text[] = "here";
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	a.address = text;
	memcpy(a.id, one, sizeof(one));
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
	for (int i = 0; i < 2; i++) {
		beats[0] = beat(one, 300, -1, NULL);
		beats[1] = beat(one, 100, 3, "failed");
		beats[2] = beat(one, 200, 4, "ok");
		beats[3] = beat(two, 200, 4, "ok");
		CHECK_INT(store_fold(s, beats, 4, LLONG_MAX), STORE_DONE);
	}
	CHECK_INT(store_agents(s, "", 9, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(seen.count, 1);
	CHECK_INT(seen.last.last_poll, 300);
	CHECK_INT(seen.last.applied_version, 4);
	beats[0] = beat(two, 400, 4, "ok");
	beats[0].trusted = true;	/* its own token: a restored truth */
	CHECK_INT(store_fold(s, beats, 1, LLONG_MAX), STORE_DONE);
	CHECK_INT(store_agents(s, "", 9, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(total, 2);
	CHECK_INT(seen.last.last_poll, 400);
	/* both of what such an agent says at first */
	beats[0] = beat(three, 500, 4, "ok");
	beats[1] = beat(three, 600, 5, "failed");
	beats[0].trusted = beats[1].trusted = true;
	CHECK_INT(store_fold(s, beats, 2, LLONG_MAX), STORE_DONE);
	CHECK_INT(store_agents(s, "", 9, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(total, 3);
	CHECK_INT(seen.last.last_poll, 600);
	CHECK_INT(seen.last.applied_version, 5);
	store_free(s);
	folder_remove();
}

UNIT("beats are sorted by agent and by time, also where ids begin alike")
{
	enum { COUNT = 3000 };
	static struct store_beat beats[COUNT], sorted[COUNT];
	unsigned chance = 1;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			chance = chance * 1103515245 + 12345;
			beats[i] = beat(one, i * 7919 % COUNT, i, "ok");
			snprintf(beats[i].id, sizeof(beats[i].id),
			    "%08x-1111-4111-8111-%012x",
			    round == 0 ? chance : chance >> 16 & 3,
			    round < 2 ? 0 : chance >> 20 & 15);
		}
		memcpy(sorted, beats, sizeof(beats));
		qsort(sorted, COUNT, sizeof(*sorted), store_live_order);
		store_live_sort(beats, COUNT);
		for (int i = 0; i < COUNT; i++) {
			CHECK_TEXT(beats[i].id, sorted[i].id);
			CHECK_INT(beats[i].at, sorted[i].at);
			CHECK_INT(beats[i].applied_version,
			    sorted[i].applied_version);
		}
	}
}

UNIT("liveness that is damaged is put aside and made anew")
{
	struct seen seen = { 0 };
	long long total;
	char live[128];
	struct store *s;
	FILE *f;
	bool more;

	folder_make();
	snprintf(live, sizeof(live), "%s/controller-live.db", folder);
	f = fopen(live, "w");
	CHECK(f != NULL);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", f);
	fclose(f);
	s = store_here("wal");
	CHECK_INT(store_agents(s, "", 9, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(total, 0);
	strcat(live, ".damaged");
	CHECK(access(live, F_OK) == 0);
	store_free(s);
	folder_remove();
}

/* Spoils all of a file but its first page. */
static void
spoil(const char *file)
{
	static const char junk[4096] = "xxxx";
	struct stat st;
	int fd = open(file, O_RDWR);

	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 8192);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		CHECK_INT(pwrite(fd, junk, 4096, at), 4096);
	close(fd);
}

UNIT("liveness that is damaged behind its first page is made anew, once")
{
	struct seen seen = { 0 };
	struct store_beat b = beat(one, 100, 3, "ok");
	char live[128], aside[160];
	struct store *s, *other;
	long long total;
	bool more;

	folder_make();
	snprintf(live, sizeof(live), "%s/controller-live.db", folder);
	snprintf(aside, sizeof(aside), "%s.damaged", live);
	s = store_here("truncate");
	b.trusted = true;
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	store_file_close(&s->live);
	spoil(live);
	other = store_here("truncate");
	CHECK(store_fold(s, &b, 1, LLONG_MAX) != STORE_DONE);
	CHECK(store_fold(other, &b, 1, LLONG_MAX) != STORE_DONE);
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
	CHECK(unlink(aside) == 0);
	CHECK_INT(store_fold(other, &b, 1, LLONG_MAX), STORE_DONE);
	CHECK(access(aside, F_OK) != 0);	/* another file by then */
	CHECK_INT(store_agents(other, "", 9, see, &seen, &total, &more),
	    STORE_DONE);
	CHECK_INT(seen.last.applied_version, 3);
	store_free(s);
	store_free(other);
	folder_remove();
}

UNIT_MAIN

/* --- a clock that was set back ------------------------------------------ */

static void
tells(struct store *s, const char *id, long long at, const char *state,
    long long now)
{
	struct store_beat b = beat(id, at, -1, state);

	b.trusted = true;
	CHECK_INT(store_fold(s, &b, 1, now), STORE_DONE);
}

/* What is shown of an agent, "state last_poll". */
static const char *
shown(struct store *s, const char *id)
{
	static char text[64];
	struct store_agent a;

	CHECK_INT(store_agent(s, id, &a), STORE_DONE);
	snprintf(text, sizeof(text), "%s %lld", a.state, a.last_poll);
	store_agent_free(&a);
	return text;
}

UNIT("a clock that was set back silences nobody, and hides no silence")
{
	struct store *s;

	folder_make();
	s = store_here("wal");
	tells(s, one, 9000000, "ok", 9000000);
	tells(s, two, 9000000, "ok", 9000000);
	/* now it is 10000 */
	tells(s, one, 10000, "failed", 10000);
	CHECK_TEXT(shown(s, one), "failed 10000");
	tells(s, one, 9500, "ok", 10001);	/* an older one, as ever */
	CHECK_TEXT(shown(s, one), "failed 10000");
	tells(s, one, 9000001, "ok", 11000);	/* a late one of before */
	CHECK_TEXT(shown(s, one), "ok 11000");
	/* the second polls no more: silent from when that is seen */
	CHECK_INT(store_sweep(s, 12000, 1000), STORE_DONE);
	CHECK_TEXT(shown(s, two), "ok 12000");
	tells(s, one, 100000, "ok", 100000);
	CHECK_INT(store_sweep(s, 107000, 1000), STORE_DONE);
	CHECK_TEXT(shown(s, one), "ok 100000");
	CHECK_TEXT(shown(s, two), "offline 12000");
	store_free(s);
	folder_remove();
}
