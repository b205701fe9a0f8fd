/*
 * Who folds: one process, while it lives.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int folder_open(const char *, int);

#define open folder_open
#include "../../cgi/beat.c"
#undef open

#include "store_here.h"

static struct beat beat, other;
static long shut;	/* slots that are a multiple of it are for others */

/* Root may open each file: those all the same not. */
static int
folder_open(const char *file, int flags)
{
	if (shut == 0 || atol(strrchr(file, '/') + 1) % shut != 0)
		return open(file, flags);
	errno = EACCES;
	return -1;
}

static void
begins(bool beats)
{
	char slots[128];

	folder_make();
	beat_open(&beat);
	beat_open(&other);
	CHECK(beat_place(&beat, folder) && beat_place(&other, folder));
	snprintf(slots, sizeof(slots), "%s/beats", folder);
	CHECK(!beats || mkdir(slots, 0700) == 0);
}

static void
ends(void)
{
	beat_close(&beat);
	beat_close(&other);
	folder_remove();
}

UNIT("who claims it first is the one, until it closes")
{
	begins(true);
	for (int again = 0; again < 2; again++) {
		CHECK(beat_claim(&beat));
		CHECK(beat.claim >= 0);
		CHECK(!beat_claim(&other));
		CHECK(other.claim < 0);
	}
	beat_close(&beat);
	CHECK(beat_claim(&other));
	CHECK(other.claim >= 0);
	ends();
}

UNIT("another folds as well, when it is asked or the one is late")
{
	struct store_beat b = { .at = 1, .applied_version = 1,
		.state = "ok", .trusted = true };
	struct store *s;

	begins(true);
	s = store_here("wal");
	memcpy(b.id, "11111111-1111-4111-8111-111111111111", TOKEN_UUID);
	CHECK(beat_claim(&beat));
	CHECK(beat_note(&beat, &b, 0));
	other.late = 1000;
	CHECK(!beat_fold(&other, s, BEAT_SLOT_MS + 1000));
	CHECK(beat_fold(&other, s, BEAT_SLOT_MS + 1500));
	CHECK(!beat_fold(&beat, s, BEAT_SLOT_MS + 1500));
	store_free(s);
	ends();
}

UNIT("one that is killed is not the one any more")
{
	int ready[2];
	pid_t child;
	char c;

	begins(true);
	CHECK(pipe(ready) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		c = beat_claim(&other) && other.claim >= 0;
		CHECK(write(ready[1], &c, 1) == 1);
		alarm(20);	/* whatever becomes of the test */
		pause();
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 1);
	CHECK(!beat_claim(&beat));
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(beat_claim(&beat));
	CHECK(beat.claim >= 0);
	close(ready[0]);
	close(ready[1]);
	ends();
}

UNIT("where nobody can be the one, nobody is left to wait for")
{
	char place[128];

	begins(false);
	CHECK(beat_claim(&beat));
	CHECK(beat.claim < 0);
	snprintf(place, sizeof(place), "%s/beats/folder", folder);
	*strrchr(place, '/') = '\0';
	CHECK(mkdir(place, 0700) == 0);
	place[strlen(place)] = '/';
	CHECK(mkdir(place, 0700) == 0);
	CHECK(beat_claim(&beat));
	CHECK(beat.claim < 0);
	ends();
	beat_open(&beat);
	CHECK(beat_claim(&beat));	/* and nowhere at all */
}

static void
notes(long long at)
{
	struct store_beat b = { .at = at, .applied_version = -1,
		.state = "ok", .trusted = true };

	memcpy(b.id, "11111111-1111-4111-8111-111111111111", TOKEN_UUID);
	CHECK(beat_note(&beat, &b, 0));
}

static long long
last_poll(struct store *s)
{
	struct store_agent a;
	long long at;

	CHECK_INT(store_agent(s, "11111111-1111-4111-8111-111111111111", &a),
	    STORE_DONE);
	at = a.last_poll;
	store_agent_free(&a);
	return at;
}

UNIT("a slot that is for others only holds up none behind it, till it is old")
{
	char slot[128];
	struct store *s;

	begins(true);
	s = store_here("wal");
	snprintf(slot, sizeof(slot), "%s/beats/100", folder);
	notes(100 * BEAT_SLOT_MS + 5);
	notes(101 * BEAT_SLOT_MS + 5);
	shut = 100;
	beat_fold(&beat, s, 110 * BEAT_SLOT_MS);
	CHECK_INT(last_poll(s), 101 * BEAT_SLOT_MS + 5);
	CHECK_INT(access(slot, F_OK), 0);
	notes(102 * BEAT_SLOT_MS + 5);
	beat_fold(&beat, s, 110 * BEAT_SLOT_MS);
	CHECK_INT(last_poll(s), 102 * BEAT_SLOT_MS + 5);
	CHECK_INT(access(slot, F_OK), 0);
	beat_fold(&beat, s, (101 + BEAT_KEEP_SLOTS) * BEAT_SLOT_MS);
	CHECK(access(slot, F_OK) < 0);
	shut = 0;
	store_free(s);
	ends();
}

UNIT("nor do many of them")
{
	char slot[128];
	struct store *s;

	begins(true);
	s = store_here("wal");
	shut = 2;
	for (int n = 1; n < 300; n++)
		notes(n * BEAT_SLOT_MS + 5);
	do
		beat_fold(&beat, s, 302 * BEAT_SLOT_MS);
	while (beat.more);
	CHECK_INT(last_poll(s), 299 * BEAT_SLOT_MS + 5);
	for (int n = 1; n < 300; n++) {
		snprintf(slot, sizeof(slot), "%s/beats/%d", folder, n);
		/* the oldest is forgotten */
		CHECK_INT(access(slot, F_OK) == 0, n % 2 == 0 && n > 2);
	}
	shut = 0;
	store_free(s);
	ends();
}

UNIT_MAIN
