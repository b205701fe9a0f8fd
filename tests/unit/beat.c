/*
 * Heartbeats from a poll to the store.
 */
#include "unit.h"

#include "../../cgi/beat.c"

#include <sys/stat.h>

#include "said_here.h"
#include "store_here.h"

static const char one[] = "11111111-1111-4111-8111-111111111111";
static const char two[] = "22222222-2222-4222-8222-222222222222";

static struct store_agent seen;
static char seen_state[16];

static void
see(void *arg, const struct store_agent *a)
{
	(void)arg;
	seen = *a;
	snprintf(seen_state, sizeof(seen_state), "%s",
	    a->state != NULL ? a->state : "");
}

static void
look(struct store *s)
{
	long long total;
	bool more;

	CHECK_INT(store_agents(s, "", 1, see, NULL, &total, &more),
	    STORE_DONE);
}

static struct store_beat
beat_of(const char *id, long long at, long long version, const char *state)
{
	struct store_beat b = {
		.at = at, .applied_version = version, .state = state,
	};

	snprintf(b.id, sizeof(b.id), "%s", id);
	return b;
}

static struct store *
store_with_one(void)
{
	struct store *s = store_here("wal");
	struct store_agent a = { .registered_at = 1 };
	char from[] = "127.0.0.1";
	long long generation;

	a.address = from;
	memcpy(a.id, one, sizeof(one));
	CHECK_INT(store_register(s, &a, NULL, &generation), STORE_DONE);
	return s;
}

UNIT("a line says what was noted, and nothing else is one")
{
	static const char *const wrong[] = {
		"", " ", "1", "x 11111111-1111-4111-8111-111111111111 1 ok T",
		"1 11111111-1111-4111-8111-11111111111 1 ok T",
		"1 11111111-1111-4111-8111-111111111111 1 ok",
		"1 11111111-1111-4111-8111-111111111111 -2 ok T",
		"1 11111111-1111-4111-8111-111111111111 1 ok T T",
		"1 11111111-1111-4111-8111-111111111111 1 ok T 500",
		"1 11111111-1111-4111-8111-111111111111 1 ok T 304 304",
		("9999999999999999999 11111111-1111-4111-8111-111111111111 "
		"1 ok T"),
	};
	char line[] = "17 11111111-1111-4111-8111-111111111111 - bad F";
	struct beat_slot slot = { .count = 0 };
	struct store_beat b;

	CHECK(beat_parse(line, &slot, &b));
	CHECK_INT(b.at, 17);
	CHECK_TEXT(b.id, one);
	CHECK_INT(b.applied_version, -1);
	CHECK(b.state == NULL);
	CHECK(!b.trusted);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s", wrong[i]);
		if (beat_parse(text, &slot, &b))
			UNIT_FAIL("accepted: %s", wrong[i]);
	}
	CHECK_INT(slot.answers[0] + slot.answers[1], 0);
}

static long long polled[2];

static void
count(void *arg, int status, long long n)
{
	CHECK(arg == polled);
	CHECK(status == 200 || status == 304);
	polled[status == 304] += n;
}

UNIT("polls that lighttpd answered are counted once, with an id or without")
{
	char slot[128];
	struct store *s;
	struct beat beat;
	FILE *f;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	beat.polled = count;
	beat.arg = polled;
	snprintf(slot, sizeof(slot), "%s/beats", folder);
	CHECK(mkdir(slot, 0700) == 0);
	snprintf(slot, sizeof(slot), "%s/beats/100", folder);
	f = fopen(slot, "a");
	CHECK(f != NULL);
	fputs("200001 - - - F 304\n200001 - - - F 200\n", f);
	fprintf(f, "200002 %s 9 ok T 304\n200003 %s 9 ok F\n", one, one);
	fclose(f);
	CHECK(beat_fold(&beat, s, 202300));
	CHECK_INT(polled[0], 1);
	CHECK_INT(polled[1], 2);
	look(s);
	CHECK_INT(seen.last_poll, 200003);
	CHECK_INT(seen.applied_version, 9);
	CHECK(!beat_fold(&beat, s, 300000));
	CHECK_INT(polled[1], 2);
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

UNIT("a beat is folded when its slot is closed, and not before")
{
	struct store_beat b;
	struct store *s;
	struct beat beat;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	b = beat_of(one, 100001, 7, "ok");
	beat_note(&beat, &b, 0);
	CHECK(!beat_fold(&beat, s, 100002));
	CHECK(!beat_fold(&beat, s, 102000));	/* the grace */
	CHECK(beat_fold(&beat, s, 102200));
	look(s);
	CHECK_INT(seen.last_poll, 100001);
	CHECK_INT(seen.applied_version, 7);
	CHECK_TEXT(seen_state, "ok");
	CHECK(!beat_fold(&beat, s, 104200));
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

UNIT("a spoilt slot loses its spoilt lines only")
{
	char slot[128];
	struct store_beat b;
	struct store *s;
	struct beat beat;
	FILE *f;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	b = beat_of(one, 200001, 8, NULL);
	beat_note(&beat, &b, 0);
	snprintf(slot, sizeof(slot), "%s/beats/100", folder);
	f = fopen(slot, "a");
	CHECK(f != NULL);
	fputs("half a li\n\n\001\002 3 4 5\n", f);
	CHECK(fwrite("1 \0\0\n\0", 1, 6, f) == 6);
	fputs("\n", f);
	fprintf(f, "200002 %s 9 ok F\n", one);
	fputs("200003 11111111-11", f);	/* a writer was killed */
	fclose(f);
	CHECK(beat_fold(&beat, s, 300000));
	look(s);
	CHECK_INT(seen.last_poll, 200002);
	CHECK_INT(seen.applied_version, 9);
	CHECK(access(slot, F_OK) != 0);
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

UNIT("what is no slot's file among them holds up none")
{
	char slot[128];
	struct store_beat b;
	struct store *s;
	struct beat beat;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	b = beat_of(one, 200001, 8, NULL);
	beat_note(&beat, &b, 0);
	snprintf(slot, sizeof(slot), "%s/beats/99", folder);
	CHECK(mkdir(slot, 0700) == 0);
	snprintf(slot, sizeof(slot), "%s/beats/98", folder);
	CHECK(symlink("/dev/zero", slot) == 0);
	snprintf(slot, sizeof(slot), "%s/beats/097", folder);
	CHECK(keep_write(slot, "x\n", 2, 0600) == 0);
	snprintf(slot, sizeof(slot), "%s/beats/96", folder);
	CHECK(mkfifo(slot, 0600) == 0);
	CHECK(beat_fold(&beat, s, 204000));
	look(s);
	CHECK_INT(seen.applied_version, 8);
	CHECK(!beat_fold(&beat, s, 204000));
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

UNIT("a poll does not wait for a FIFO in the place of its slot")
{
	struct store_beat b = beat_of(one, BEAT_SLOT_MS, 8, NULL);
	struct beat beat;
	char slot[128];
	int reader;

	folder_make();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	CHECK(beat_note(&beat, &b, 0));
	b.at += BEAT_SLOT_MS;
	snprintf(slot, sizeof(slot), "%s/beats/2", folder);
	CHECK(mkfifo(slot, 0600) == 0);
	alarm(20);			/* else for ever */
	CHECK(!beat_note(&beat, &b, 0));
	alarm(0);
	reader = open(slot, O_RDONLY | O_NONBLOCK);
	beat.slot = 1;			/* not even for one who reads it */
	CHECK(!beat_note(&beat, &b, 0));
	close(reader);
	beat_close(&beat);
	folder_remove();
}

UNIT("while another process folds, nobody waits; for no other reason")
{
	char lock[128];
	struct store_beat b;
	struct store *s;
	struct beat beat;
	int held;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	b = beat_of(one, 1, 7, "ok");
	beat_note(&beat, &b, 0);
	snprintf(lock, sizeof(lock), "%s/beats/lock", folder);
	held = keep_lock(lock, 0);
	CHECK(held >= 0);
	CHECK(!beat_fold(&beat, s, 9000));
	close(held);
	CHECK(beat_fold(&beat, s, 9000));
	CHECK(unlink(lock) == 0 && mkdir(lock, 0700) == 0);
	beat.slot = -1;
	beat_note(&beat, &b, 0);
	CHECK(beat_fold(&beat, s, 9000));
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

/* How often two folds say that heartbeats wait. */
static int
folds_say(struct beat *beat, struct store *s)
{
	said_begin();
	beat_fold(beat, s, 1003000);
	beat_fold(beat, s, 1003000);
	return said_times("heartbeats wait");
}

UNIT("beats that cannot be folded wait, and the oldest are forgotten")
{
	struct store_beat b;
	struct store *s;
	struct beat beat;
	char slot[128], aside[128];

	folder_make();
	beat_open(&beat);
	CHECK(beat_place(&beat, folder));
	CHECK(mkdir(path, 0700) == 0);	/* no database */
	snprintf(aside, sizeof(aside), "%s/aside", folder);
	s = store_here("wal");
	b = beat_of(two, 1000000, 7, "ok");
	beat_note(&beat, &b, 0);
	snprintf(slot, sizeof(slot), "%s/beats/500", folder);
	CHECK_INT(folds_say(&beat, s), 1);
	CHECK_INT(folds_say(&beat, s), 0);
	CHECK(access(slot, F_OK) == 0);
	CHECK(beat_fold(&beat, s, 1700000));
	CHECK(access(slot, F_OK) != 0);
	for (int i = 0; i < 2; i++) {	/* with a database, and without */
		CHECK(i > 0 ? mkdir(path, 0700) == 0 : rmdir(path) == 0);
		beat.slot = -1;
		beat_note(&beat, &b, 0);
		CHECK_INT(folds_say(&beat, s), i);
		CHECK(i > 0 || rename(path, aside) == 0);
	}
	beat_close(&beat);
	store_free(s);
	folder_remove();
}

/* A slot of three pieces and a bit, whose last line says so. */
static void
slot_fill(const char *slot, const char *last)
{
	FILE *f = fopen(slot, "w");
	long lines = 3L * BEAT_PIECE / 16 + 100;

	CHECK(f != NULL);
	for (long i = 0; i < lines; i++)
		fputs("200001 - - - F 304\n", f);
	fprintf(f, "200002 %s %s ok F 200\n", one, last);
	CHECK(fclose(f) == 0);
}

UNIT("a large slot is folded in pieces, by one process or several")
{
	struct beat beat, other;
	char slot[128];
	struct store *s;
	int turns = 0;

	folder_make();
	s = store_with_one();
	beat_open(&beat);
	beat_open(&other);
	CHECK(beat_place(&beat, folder) && beat_place(&other, folder));
	beat.polled = other.polled = count;
	beat.arg = other.arg = polled;
	memset(polled, 0, sizeof(polled));
	snprintf(slot, sizeof(slot), "%s/beats", folder);
	CHECK(mkdir(slot, 0700) == 0);
	snprintf(slot, sizeof(slot), "%s/beats/100", folder);
	slot_fill(slot, "9");
	CHECK_INT(beat_slot(&beat, s, slot, 100, 300000, 0), STORE_BUSY);
	CHECK(beat.more);		/* it had no time at all */
	for (int fd = open(slot, O_RDWR); turns < 10; turns++) {
		char *text = malloc(BEAT_PIECE + 1);
		enum store_end end = beat_piece(turns % 2 == 0 ? &beat :
		    &other, s, 300000, fd, text);

		free(text);
		if (end != STORE_DONE) {
			CHECK_INT(end, STORE_NONE);
			close(fd);
			break;
		}
	}
	CHECK_INT(turns, 3);
	CHECK_INT(polled[1], 3L * BEAT_PIECE / 16 + 100);
	CHECK_INT(polled[0], 1);
	look(s);
	CHECK_INT(seen.applied_version, 9);
	beat_close(&beat);
	beat_close(&other);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
