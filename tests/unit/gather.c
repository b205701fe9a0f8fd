/*
 * Heartbeats gathered in a process that notes many.
 */
#include "unit.h"

#include <time.h>

static int slept(clockid_t, int, const struct timespec *, struct timespec *);
#define clock_nanosleep slept
#include "../../cgi/gather.c"
#undef clock_nanosleep

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keep.h"

enum { LINES = 5000 };

static char folder[64];
static struct gather *gather;

static void
begin(void)
{
	snprintf(folder, sizeof(folder), "/tmp/dcm-gather.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	gather = gather_open(folder);
	CHECK(gather != NULL);
}

static void
end(void)
{
	char line[96];

	gather_close(gather);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	CHECK(system(line) == 0);
}

static _Atomic long longest;	/* that the thread slept, in ns */

static int
slept(clockid_t clock, int flags, const struct timespec *span,
    struct timespec *left)
{
	if (span->tv_nsec > longest)
		longest = span->tv_nsec;
	return clock_nanosleep(clock, flags, span, left);
}

static bool
note(long long version)
{
	struct store_beat b = {
		.id = "11111111-1111-4111-8111-111111111111",
		.at = clock_wall(), .applied_version = version,
	};

	return gather_note(gather, &b, 304);
}

/* Those that are no beat are told in *spoilt. Versions are summed up in *sum;
 * each may be NULL. */
static int
lines(long long *sum, int *spoilt)
{
	struct buf text = BUF_INIT(64 << 20);
	char pattern[96], *line, *next;
	long long at, version;
	int count = 0, bad = 0;
	glob_t found;

	if (sum != NULL)
		*sum = 0;
	snprintf(pattern, sizeof(pattern), "%s/beats/[0-9]*", folder);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		text.len = 0;
		CHECK_INT(keep_read(found.gl_pathv[i], &text), 0);
		for (line = text.data; line != NULL && *line != '\0';
		    line = next) {
			next = strchr(line, '\n');
			if (next != NULL)
				*next++ = '\0';
			if (sscanf(line, "%lld 11111111-1111-4111-8111-"
			    "111111111111 %lld - F 304", &at, &version) != 2 ||
			    strcmp(strrchr(line, ' '), " 304") != 0) {
				bad += *line != '\0';
				continue;
			}
			count++;
			if (sum != NULL)
				*sum += version;
		}
	}
	globfree(&found);
	buf_free(&text);
	if (spoilt != NULL)
		*spoilt = bad;
	return count;
}

/* Whether there are so many, sooner or later. */
static bool
come(int count)
{
	for (int i = 0; i < 2000 && lines(NULL, NULL) < count; i++)
		usleep(10000);
	return lines(NULL, NULL) == count;
}

UNIT("one that comes alone is written at once, without a thread")
{
	begin();
	for (int i = 1; i <= 3; i++) {
		CHECK(note(i));
		CHECK_INT(lines(NULL, NULL), i);
		usleep(2 * GATHER_MS * 1000);
	}
	CHECK(!gather->runs);
	end();
}

UNIT("of many each is written, in few writes, and the last without another")
{
	long long sum = 0, all;
	int spoilt;

	begin();
	for (int i = 1; i <= LINES; i++) {
		CHECK(note(i));
		sum += i;
	}
	CHECK(come(LINES));
	lines(&all, &spoilt);
	CHECK_INT(all, sum);
	CHECK_INT(spoilt, 0);
	CHECK(gather->runs);
	/* it sleeps, and is woken again */
	for (int round = 1; round <= 3; round++) {
		usleep(3 * GATHER_MS * 1000);
		for (int i = 0; i < 3; i++)
			CHECK(note(1));
		CHECK(come(LINES + 3 * round));
	}
	end();
}

UNIT("none is held back for longer than from one write to the next")
{
	enum { ELAPSED = GATHER_MS - 3 };

	begin();
	longest = 0;
	for (int i = 1; longest == 0; i++) {
		CHECK(come(i - 1));
		pthread_mutex_lock(&gather->lock);
		gather->wrote = clock_wall() - ELAPSED;
		pthread_mutex_unlock(&gather->lock);
		CHECK(note(1));
		CHECK(come(i));
	}
	CHECK(longest <= (GATHER_MS - ELAPSED) * 1000000L);
	end();
}

UNIT("what was gathered is written at the end")
{
	begin();
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&gather->lock);
		gather->wrote = clock_wall();	/* it is never due */
		pthread_mutex_unlock(&gather->lock);
		CHECK(note(1));
	}
	CHECK(gather->runs);
	gather_close(gather);
	CHECK_INT(lines(NULL, NULL), 100);
	gather = gather_open(folder);
	end();
}

UNIT("where no thread can be, each is written at once")
{
	begin();
	gather->alone = true;
	for (int i = 1; i <= 100; i++) {
		CHECK(note(i));
		CHECK_INT(lines(NULL, NULL), i);
	}
	end();
}

UNIT("a clock that was set back holds up none")
{
	begin();
	gather->wrote = clock_wall() + 3600000;
	CHECK(note(1));
	CHECK_INT(lines(NULL, NULL), 1);
	end();
}

UNIT("the file is that of the moment of writing")
{
	char path[PATH_MAX];
	long long now;

	begin();
	CHECK(note(1));
	CHECK(beat_path(&gather->beat, path, sizeof(path),
	    gather->beat.slot));
	pthread_mutex_lock(&gather->lock);
	gather->len = (size_t)snprintf(gather->lines, BEAT_LINE_MAX,
	    "1 11111111-1111-4111-8111-111111111111 1 - F 304\n");
	CHECK(unlink(path) == 0);	/* it is folded */
	now = (gather->beat.slot + 1) * BEAT_SLOT_MS;
	gather_write(gather, now);
	pthread_mutex_unlock(&gather->lock);
	CHECK_INT(lines(NULL, NULL), 1);
	end();
}

UNIT("a child that was forked notes nothing, and takes nothing away")
{
	int status, null;
	pid_t child;

	begin();
	for (int i = 0; i < 100; i++)
		CHECK(note(1));
	fflush(stdout);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		bool noted = note(2);

		gather_close(gather);
		null = dup(0);	/* zero is nothing of its own to close */
		_exit(noted || null < 0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK(come(100));
	CHECK(note(1));
	CHECK(come(101));
	end();
}

/* How much the thread has not written. */
static size_t
waiting(void)
{
	size_t len;

	pthread_mutex_lock(&gather->lock);
	len = gather->len;
	pthread_mutex_unlock(&gather->lock);
	return len;
}

UNIT("a disk that fills up under way ends nothing and spoils one line")
{
	struct rlimit had, small;
	int spoilt, whole;

	begin();
	CHECK(note(1));
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &had) == 0);
	small = had;
	small.rlim_cur = 10000;
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	for (int i = 0; i < LINES; i++)
		CHECK(note(1));
	while (waiting() > 0)
		usleep(GATHER_MS * 1000);
	CHECK(setrlimit(RLIMIT_FSIZE, &had) == 0);
	whole = lines(NULL, &spoilt);
	CHECK(whole > 0 && whole < LINES);
	for (int i = 0; i < 100; i++)
		CHECK(note(1));
	CHECK(come(whole + 100));
	lines(NULL, &spoilt);
	CHECK(spoilt <= 2);		/* of the slots that it was in */
	end();
}

UNIT("a folder that is gone, or cannot be, costs what it would have had")
{
	char path[96], away[96];

	begin();
	CHECK(note(1));
	snprintf(path, sizeof(path), "%s/beats", folder);
	snprintf(away, sizeof(away), "%s/away", folder);
	CHECK(rename(path, away) == 0);
	gather->alone = true;
	CHECK(note(1));			/* into the file that it has open */
	gather->beat.slot--;
	CHECK(note(1));			/* made again */
	CHECK(come(1));
	free(gather->beat.folder);
	gather->beat.folder = strdup("/dev/null/beats");
	gather->beat.slot--;
	CHECK(!note(1));
	CHECK(!note(1));
	end();
}

static volatile sig_atomic_t caught;

static void
catch(int sig)
{
	(void)sig;
	caught++;
}

UNIT("its thread takes no signal of the process")
{
	sigset_t one, had, pending;

	begin();
	caught = 0;
	signal(SIGUSR1, catch);
	for (int i = 0; i < 100; i++)
		CHECK(note(1));
	CHECK(gather->runs);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &one, &had);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	usleep(3 * GATHER_MS * 1000);
	CHECK_INT(caught, 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
	pthread_sigmask(SIG_SETMASK, &had, NULL);
	CHECK_INT(caught, 1);
	end();
}

UNIT_MAIN
