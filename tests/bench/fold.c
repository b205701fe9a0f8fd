/*
 * fold: what it costs to fold the heartbeats of a fleet, and whether a
 * publish has to wait for it. The slots' files are written as the fast path
 * would, and folded by the controller's own code into its own databases.
 *
 *	fold STATE_DIR AGENTS [SEED]
 *
 * The fleet was mustered there with the same seed. Prints a line each: the
 * name of a number and the number. first, same, moved: heartbeats a second of
 * processor time, for agents not heard of before, with nothing new, and all
 * with a version that they did not have; quiet, folding: the 99th percentile
 * of a publish in microseconds, without and beside the folding of `same`, ten
 * times as much of it as a million agents make.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../cgi/beat.h"
#include "fleet_id.h"
#include "keep.h"
#include "log.h"

enum {
	FOLD_SLOT = 66667,	/* a million that poll every 30 s, in 2 s */
	FOLD_PUBLISHES = 400,
	FOLD_PAUSE_US = 5000,
};

struct fold {
	const char *folder;
	uint32_t agents;
	uint64_t seed;
	long long at;		/* of the slot that is next, ms */
	uint32_t next;		/* whose turn it is */
	struct beat beat;
	struct store *store;
};

static long long
fold_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct store *
fold_store(const struct fold *b)
{
	char path[PATH_MAX];
	const struct store_options options = {
		.path = path, .journal = "wal", .interval = 30,
		.busy_ms = 5000,
	};
	struct store *s;

	snprintf(path, sizeof(path), "%s/controller.db", b->folder);
	s = store_new(&options);
	if (s == NULL || store_ready(s) != STORE_DONE)
		log_fatal("fold: %s", s != NULL ? store_detail(s) : "memory");
	store_remember(s, true);	/* as the one process that folds does */
	return s;
}

/* The file of the next slot: each agent once, in no order of the tables'. */
static void
fold_write(struct fold *b, uint32_t count, long long version)
{
	char path[PATH_MAX], id[TOKEN_UUID];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%lld", b->beat.folder,
	    b->at / BEAT_SLOT_MS);
	file = fopen(path, "w");
	if (file == NULL)
		log_fatal("fold: %s", path);
	for (uint32_t i = 0; i < count; i++) {
		id_make(id, b->seed, b->next++ % b->agents);
		fprintf(file, "%lld %s %lld ok T 304\n", b->at, id, version);
	}
	if (fclose(file) != 0)
		log_fatal("fold: %s", path);
}

/* Folds a number of agents' beats; beats a second of processor time. */
static double
fold_round(struct fold *b, uint32_t count, long long version)
{
	long long spent = 0, before;

	for (uint32_t left = count; left > 0;) {
		uint32_t some = left < FOLD_SLOT ? left : FOLD_SLOT;

		fold_write(b, some, version);
		b->at += BEAT_SLOT_MS;
		before = fold_clock(CLOCK_PROCESS_CPUTIME_ID);
		do {
			if (!beat_fold(&b->beat, b->store,
			    b->at + BEAT_SLOT_MS))
				log_fatal("fold: %s", store_detail(b->store));
		} while (b->beat.more);
		store_checkpoint(b->store, false);
		spent += fold_clock(CLOCK_PROCESS_CPUTIME_ID) - before;
		left -= some;
	}
	return (double)count / (double)spent * 1e6;
}

/* --- publishing beside it ----------------------------------------------- */

static int
fold_order(const void *a, const void *b)
{
	long long one = *(const long long *)a, other = *(const long long *)b;

	return (one > other) - (one < other);
}

/* Publishes; how many microseconds it took. */
static long long
fold_publish_one(struct store *s)
{
	const struct store_version *v;
	char data[64];
	struct store_change change = { .data = data, .author = "fold" };
	long long before = fold_clock(CLOCK_MONOTONIC);

	change.len = (size_t)snprintf(data, sizeof(data),
	    "{\"url\":\"http://%lld\"}", before);
	if (store_publish(s, &change, &v) != STORE_DONE)
		log_fatal("fold: %s", store_detail(s));
	return fold_clock(CLOCK_MONOTONIC) - before;
}

/* The 99th percentile of publishes, in microseconds. */
static long long
fold_publish(const struct fold *b)
{
	static long long took[FOLD_PUBLISHES];
	struct store *s = fold_store(b);

	for (int i = 0; i < FOLD_PUBLISHES; i++) {
		took[i] = fold_publish_one(s);
		store_checkpoint(s, true);
		usleep(FOLD_PAUSE_US);
	}
	store_free(s);
	qsort(took, FOLD_PUBLISHES, sizeof(*took), fold_order);
	return took[FOLD_PUBLISHES * 99 / 100];
}

/* The same, while this process folds ten times what a million agents say. */
static long long
fold_beside(struct fold *b)
{
	long long *result = mmap(NULL, sizeof(*result), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long long due = fold_clock(CLOCK_MONOTONIC), left;
	pid_t child;

	if (result == MAP_FAILED || (child = fork()) < 0)
		log_fatal("fold: no second process");
	if (child == 0) {
		*result = fold_publish(b);
		_exit(0);
	}
	b->store = fold_store(b);
	while (waitpid(child, NULL, WNOHANG) == 0) {
		due += BEAT_SLOT_MS * 1000 / 10;
		fold_round(b, FOLD_SLOT, 1);
		left = due - fold_clock(CLOCK_MONOTONIC);
		if (left > 0)
			usleep((useconds_t)left);
	}
	return *result;
}

int
main(int argc, char **argv)
{
	struct fold b = { .at = 1700000000000 };

	if (argc < 3 || argc > 4)
		log_fatal("usage: fold STATE_DIR AGENTS [SEED]");
	b.folder = argv[1];
	b.agents = (uint32_t)strtoul(argv[2], NULL, 10);
	b.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	beat_open(&b.beat);
	b.store = fold_store(&b);
	if (b.agents == 0 || !beat_place(&b.beat, b.folder) ||
	    keep_folder(b.beat.folder) != 0)
		log_fatal("fold: %s", b.folder);
	fold_publish_one(b.store);
	fold_publish_one(b.store);
	printf("first %.0f\n", fold_round(&b, b.agents, 1));
	printf("same %.0f\n", fold_round(&b, 4 * FOLD_SLOT, 1));
	printf("moved %.0f\n", fold_round(&b, 4 * FOLD_SLOT, 2));
	/* a process that forks has no database open */
	store_free(b.store);
	printf("quiet %lld\n", fold_publish(&b));
	fflush(stdout);
	printf("folding %lld\n", fold_beside(&b));
	store_free(b.store);
	beat_close(&b.beat);
	return 0;
}
