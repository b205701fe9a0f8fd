/*
 * When a WAL is worth a checkpoint, and that it begins anew.
 */
#include "unit.h"

#include "../../cgi/store_sqlite.c"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "agents_here.h"

static int
enough(const struct store_kind *kind, off_t size)
{
	char place[] = "/tmp/dcm-checkpoint.XXXXXX";
	struct store_file f = { .kind = kind, .path = place };
	int fd = mkstemp(place), frames;

	CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	frames = store_file_enough(&f);
	close(fd);
	CHECK(unlink(place) == 0);
	CHECK_INT(store_file_enough(&f), kind->frames);
	return frames;
}

UNIT("a WAL of truth stays small, that of liveness becomes its database's size")
{
	CHECK_INT(enough(&store_truth, 400 << 20), store_truth.frames);
	CHECK_INT(enough(&store_liveness, 0), 4096);
	CHECK_INT(enough(&store_liveness, 16 << 20), 4096);
	CHECK_INT(enough(&store_liveness, 100 << 20), 25600);
}

static void
says(int n, long long version)
{
	struct store_beat b = {
		.at = version, .applied_version = version, .state = "ok",
	};

	snprintf(b.id, sizeof(b.id), "%s", name(n));
	CHECK_INT(store_fold(s, &b, 1, LLONG_MAX), STORE_DONE);
}

/* Another process says something new, until it is killed. */
static pid_t
writes(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		alarm(200);	/* whatever becomes of the test */
		s = store_here("wal");
		for (int i = 1;; i++) {
			says(2, i);
			usleep(200);
		}
	}
	return child;
}

static long long
wal_size(void)
{
	char place[160];
	struct stat st;

	snprintf(place, sizeof(place), "%s/controller-live.db-wal", folder);
	return stat(place, &st) == 0 ? st.st_size : -1;
}

UNIT("the WAL of heartbeats begins anew though another writes all the time")
{
	long long version = 0;
	pid_t child;

	folder_make();
	s = store_here("wal");
	joins(1);
	joins(2);
	child = writes();
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 3000; i++)
			says(1, ++version);
		CHECK(s->live.frames >= 4096);
		store_checkpoint(s, false);
		CHECK(wal_size() < 160 << 20);
	}
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, NULL, 0) == child);
	store_free(s);
	folder_remove();
}

UNIT_MAIN
