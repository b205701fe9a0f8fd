/*
 * The contract's first section, checked on the store itself: several
 * processes publish, read and are killed at random moments. Versions have no
 * gap and no double, nobody ever reads a version lower than one that was
 * acknowledged before he asked, tags and bodies agree, and whatever was
 * acknowledged is there in the end.
 *
 * STORE_SEED repeats a run, STORE_ROUNDS makes it longer.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_version.c"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_here.h"

enum {
	CROWD = 6,		/* processes at once */
	ACKED_MAX = 20000,	/* versions that a run may make */
};

/* What all processes see. A slot is written by the process that was told
 * that its version is on disk. */
struct shared {
	atomic_llong acked;		/* the highest acknowledged */
	atomic_llong reads, stale;
	atomic_int wrong;
	char why[256];
	unsigned char sum[ACKED_MAX][8];	/* of an acknowledged body */
	atomic_uchar told[ACKED_MAX];
	long long told_after[ACKED_MAX];	/* with If-Match: of what */
};

static struct shared *shared;
static void wrong(const char *, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

static void
wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (atomic_exchange(&shared->wrong, 1) == 0)
		vsnprintf(shared->why, sizeof(shared->why), fmt, ap);
	va_end(ap);
	_exit(1);
}

static unsigned long long chance;

static unsigned
random_below(unsigned n)
{
	/* xorshift64*, so that a seed repeats a run */
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (unsigned)((chance * 2685821657736338717ULL) >> 33) % n;
}

static void
acked_raise(long long version)
{
	long long old = atomic_load(&shared->acked);

	while (old < version &&
	    !atomic_compare_exchange_weak(&shared->acked, &old, version))
		;
}

static void
look(const struct store_version *v, long long *last)
{
	char etag[ETAG_SIZE];

	etag_make(etag, v->version, v->body, v->len);
	if (strcmp(etag, v->etag) != 0)
		wrong("tag and body of version %lld differ", v->version);
	if (v->version < *last)
		wrong("read %lld after %lld", v->version, *last);
	*last = v->version;
}

static void
crowd_read(struct store *s, long long *last)
{
	long long floor = atomic_load(&shared->acked);
	const struct store_version *v;
	long long least;
	/* as an administrator or an agent with a token does */
	enum store_end end = random_below(2) == 0 ? store_current(s, &v) :
	    store_least(s, "00000000-0000-4000-8000-abcdef012345", &least);

	if (end == STORE_DONE)
		end = store_seen(s, &v);
	if (end == STORE_BUSY)
		return;
	if (end != STORE_DONE)
		wrong("a read ended with %d: %s", end, store_detail(s));
	if (v->version < floor)
		wrong("read %lld when %lld was acknowledged", v->version,
		    floor);
	look(v, last);
	atomic_fetch_add(&shared->reads, 1);
}

static void
crowd_publish(struct store *s, long long *last, unsigned who)
{
	struct store_change change = { .author = "test" };
	const struct store_version *v;
	char data[128], match[ETAG_SIZE] = "";
	long long after = -1;
	enum store_end end;

	if (random_below(2) == 0 && store_current(s, &v) == STORE_DONE) {
		memcpy(match, v->etag, sizeof(match));
		after = v->version;
		change.if_match = match;
	}
	snprintf(data, sizeof(data), "{\"url\":\"http://%u/%u\"}", who,
	    random_below(1u << 30));
	change.data = data;
	change.len = strlen(data);
	end = store_publish(s, &change, &v);
	if (end == STORE_BUSY)
		return;
	if (end == STORE_STALE) {
		if (after < 0 || v->version <= after)
			wrong("refused %lld, the present is %lld", after,
			    v->version);
		atomic_fetch_add(&shared->stale, 1);
		look(v, last);
		return;
	}
	if (end != STORE_DONE && end != STORE_SAME)
		wrong("a publish ended with %d: %s", end,
		    store_detail(s));
	look(v, last);
	if (end == STORE_SAME || v->version >= ACKED_MAX)
		return;
	if (after >= 0 && v->version != after + 1)
		wrong("If-Match of %lld made %lld", after, v->version);
	/* The sum first: a kill may come between the two. */
	memcpy(shared->sum[v->version], strchr(v->etag, '-') + 1, 8);
	if (atomic_exchange(&shared->told[v->version], 1) != 0)
		wrong("version %lld was given twice", v->version);
	acked_raise(v->version);
}

static void
crowd_member(const char *journal, unsigned who, unsigned long long seed)
{
	struct store *s = store_here(journal);
	long long last = 0;

	chance = seed * 2862933555777941757ULL + who + 1;
	for (;;) {
		if (random_below(3) == 0)
			crowd_publish(s, &last, who);
		else
			crowd_read(s, &last);
		if (random_below(50) == 0)
			store_checkpoint(s, false);
		if (random_below(40) == 0) {
			store_free(s);
			s = store_here(journal);
		}
	}
}

static pid_t
crowd_start(const char *journal, unsigned who, unsigned long long seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		crowd_member(journal, who, seed);
		_exit(0);
	}
	return pid;
}

/* Everything acknowledged is there, with its bytes; numbers have no gap. */
static void
crowd_settle(const char *journal)
{
	struct store *s = store_here(journal);
	const struct store_version *newest;
	struct store_version v;
	long long last, gaps = 0;

	CHECK_INT(store_current(s, &newest), STORE_DONE);
	last = newest->version;
	CHECK(last >= atomic_load(&shared->acked));
	for (long long n = 1; n <= last && n < ACKED_MAX; n++) {
		CHECK_INT(store_version(s, n, &v), STORE_DONE);
		CHECK_INT(v.version, n);
		if (atomic_load(&shared->told[n]) != 0 &&
		    memcmp(strchr(v.etag, '-') + 1, shared->sum[n], 8) != 0)
			gaps++;
		store_version_free(&v);
	}
	CHECK_INT(gaps, 0);
	CHECK_INT(store_version(s, last + 1, &v), STORE_NONE);
	store_free(s);
}

static void
crowd_stop(pid_t *pids)
{
	for (int i = 0; i < CROWD; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void
crowd_run(const char *journal)
{
	const char *rounds = getenv("STORE_ROUNDS");
	const char *given = getenv("STORE_SEED");
	unsigned long long seed = given != NULL ? strtoull(given, NULL, 10) :
	    token_chance() >> 1;
	int n = rounds != NULL ? atoi(rounds) : 60;
	pid_t pids[CROWD];

	printf("# journal %s, STORE_SEED=%llu\n", journal, seed);
	fflush(stdout);
	folder_make();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	chance = seed | 1;
	for (unsigned i = 0; i < CROWD; i++)
		pids[i] = crowd_start(journal, i, seed + i);
	for (int i = 0; i < n && atomic_load(&shared->wrong) == 0; i++) {
		unsigned victim = random_below(CROWD);

		usleep(1000 * (5 + random_below(30)));
		kill(pids[victim], SIGKILL);
		waitpid(pids[victim], NULL, 0);
		pids[victim] = crowd_start(journal, victim,
		    seed + CROWD + (unsigned)i);
	}
	/* where a machine is so busy that they were all killed too soon */
	for (int i = 0; i < 6000 && atomic_load(&shared->acked) == 0; i++)
		usleep(10000);
	crowd_stop(pids);
	if (atomic_load(&shared->wrong) != 0)
		UNIT_FAIL("%s", shared->why);
	crowd_settle(journal);
	printf("# %lld versions acknowledged, %lld reads, %lld stale\n",
	    (long long)atomic_load(&shared->acked),
	    (long long)atomic_load(&shared->reads),
	    (long long)atomic_load(&shared->stale));
	CHECK(atomic_load(&shared->acked) > 0);
	munmap(shared, sizeof(*shared));
	folder_remove();
}

UNIT("a crowd that publishes, reads and is killed loses nothing (wal)")
{
	crowd_run("wal");
}

UNIT("a crowd that publishes, reads and is killed loses nothing (truncate)")
{
	crowd_run("truncate");
}

UNIT("twenty processes that start on an empty folder make one database")
{
	int status, bad = 0;

	folder_make();
	for (int i = 0; i < 20; i++) {
		if (fork() == 0) {
			struct store *s = store_here("wal");
			struct store_change change = {
				.data = "{\"url\":\"http://a\"}",
				.len = 18,
				.author = "default",
				.first = true,
			};
			const struct store_version *v;
			enum store_end end = store_ready(s);

			if (end == STORE_DONE)
				end = store_publish(s, &change, &v);
			if (end != STORE_DONE && end != STORE_STALE)
				fprintf(stderr, "# %s\n", store_detail(s));
			_exit((end != STORE_DONE && end != STORE_STALE) ||
			    v->version != 1);
		}
	}
	while (wait(&status) > 0)
		bad += status != 0;
	CHECK_INT(bad, 0);
	folder_remove();
}

UNIT_MAIN
