/*
 * Who folds: one process, while it lives.
 */
#include "unit.h"

#include "../../cgi/beat.c"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_here.h"

static struct beat beat, other;

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

/* When the one was at it, in ms; then says that it was so much before. */
static long long
attended(long long back)
{
	struct timespec then;
	struct stat st;
	char place[128];

	snprintf(place, sizeof(place), "%s/beats/folder", folder);
	CHECK(stat(place, &st) == 0);
	then = st.st_mtim;
	then.tv_sec -= back / 1000;
	CHECK(utimensat(AT_FDCWD, place, (struct timespec[]){ then, then },
	    0) == 0);
	return st.st_mtim.tv_sec * 1000LL + st.st_mtim.tv_nsec / 1000000;
}

/* Another poll, of long ago. Whether somebody folds it, at a time. */
static bool
folds(struct beat *who, struct store *s, long long now)
{
	static int n;
	struct store_beat b = { .at = ++n * BEAT_SLOT_MS, .trusted = true,
		.applied_version = 1, .state = "ok" };

	memcpy(b.id, "11111111-1111-4111-8111-111111111111", TOKEN_UUID);
	CHECK(beat_note(who == &beat ? &other : &beat, &b, 0));
	return beat_fold(who, s, now);
}

UNIT("nobody helps the one who is at it, only one who was not for a while")
{
	struct store *s;

	begins(true);
	s = store_here("wal");
	CHECK(beat_claim(&beat));
	other.late = 1200;
	CHECK(!folds(&other, s, attended(0) + 1400));
	CHECK(folds(&other, s, attended(0) + 1600));
	/* and where the clock was set back, it is not known */
	CHECK(!folds(&other, s, attended(0) - 1400));
	CHECK(folds(&other, s, attended(0) - 1600));
	/* whoever is asked for what is known now does not wait */
	other.late = 0;
	CHECK(folds(&other, s, attended(0)));
	store_free(s);
	ends();
}

UNIT("the one is at it when it looks, and when it has folded")
{
	long long begun = clock_wall() - 30000;
	struct store *s;

	begins(true);
	s = store_here("wal");
	CHECK(beat_claim(&beat));
	CHECK(attended(60000) > begun);
	CHECK(beat_claim(&beat));
	CHECK(attended(60000) > begun);
	CHECK(folds(&beat, s, clock_wall()));
	CHECK(attended(60000) > begun);
	/* another says nothing for it */
	CHECK(!beat_claim(&other));
	CHECK(folds(&other, s, clock_wall()));
	CHECK(attended(0) < begun);
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

UNIT_MAIN
