/*
 * One write(2) for many heartbeats. lighttpd has nothing to tell a module that
 * no other request follows, so a thread writes what the last ones left; it
 * starts with the first that is gathered, takes no signals, and ends with the
 * mount. Nothing is gathered where it cannot run.
 *
 * lighttpd may fork(2), to restart or to run a program: the child has neither
 * the thread nor any right to what was gathered. The kernel hands it nothing
 * but zeros (MADV_WIPEONFORK), which is a place where nothing is noted.
 *
 * What it refuses: to hold back longer than GATHER_MS what a crash would lose.
 */
#include "gather.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "clock.h"

enum { GATHER_STACK = 512 << 10 };

/* --- with the lock ------------------------------------------------------ */

static bool
gather_due(const struct gather *g, long long now)
{
	return now - g->wrote >= GATHER_MS || now < g->wrote ||
	    g->len > sizeof(g->lines) - BEAT_LINE_MAX;
}

/* To the file of this moment: that of their slot may just be folded. Behind
 * half a line the next ones begin a new one. */
static void
gather_write(struct gather *g, long long now)
{
	size_t len = g->len, done = 0;

	g->len = 0;
	g->wrote = now;
	if (beat_ready(&g->beat, now))
		done = beat_write(&g->beat, g->lines, len);
	if (done > 0 && done < len)
		g->lines[g->len++] = '\n';
}

/* --- the thread --------------------------------------------------------- */

static void
gather_sleep(long long ms)
{
	struct timespec span = { .tv_nsec = (long)ms * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

static void *
gather_run(void *arg)
{
	struct gather *g = arg;
	long long now, left;

	pthread_mutex_lock(&g->lock);
	while (!g->ends) {
		if (g->len == 0) {
			g->idle = true;
			pthread_cond_wait(&g->some, &g->lock);
			continue;
		}
		now = clock_wall();
		if (gather_due(g, now)) {
			gather_write(g, now);
			continue;
		}
		left = GATHER_MS - (now - g->wrote);
		pthread_mutex_unlock(&g->lock);
		gather_sleep(left);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static bool
gather_start(struct gather *g)
{
	pthread_attr_t attr;
	sigset_t all, had;
	int err;

	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setstacksize(&attr, GATHER_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &had);
	err = pthread_create(&g->thread, &attr, gather_run, g);
	pthread_sigmask(SIG_SETMASK, &had, NULL);
	pthread_attr_destroy(&attr);
	return err == 0;
}

/* Whether somebody will write what was gathered. */
static bool
gather_wake(struct gather *g)
{
	if (!g->runs && !g->alone) {
		g->runs = gather_start(g);
		g->alone = !g->runs;
	}
	if (g->idle) {
		g->idle = false;
		pthread_cond_signal(&g->some);
	}
	return g->runs;
}

/* --- noting ------------------------------------------------------------- */

struct gather *
gather_open(const char *state_dir)
{
	struct gather *g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (g == MAP_FAILED)
		return NULL;
	g->alone = madvise(g, sizeof(*g), MADV_WIPEONFORK) < 0;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->some, NULL);
	beat_open(&g->beat);
	if (!beat_place(&g->beat, state_dir)) {
		munmap(g, sizeof(*g));
		return NULL;
	}
	return g;
}

void
gather_close(struct gather *g)
{
	if (g->runs) {
		pthread_mutex_lock(&g->lock);
		g->ends = true;
		pthread_cond_signal(&g->some);
		pthread_mutex_unlock(&g->lock);
		pthread_join(g->thread, NULL);
	}
	if (g->len > 0)
		gather_write(g, clock_wall());
	if (g->beat.folder != NULL)	/* else it is all zeros: of a fork */
		beat_close(&g->beat);
	munmap(g, sizeof(*g));
}

bool
gather_note(struct gather *g, const struct store_beat *beat, int status)
{
	bool ready;

	pthread_mutex_lock(&g->lock);
	ready = beat_ready(&g->beat, beat->at);
	if (ready) {
		g->len += beat_line(g->lines + g->len, beat, status);
		if (gather_due(g, beat->at) || !gather_wake(g))
			gather_write(g, beat->at);
	}
	pthread_mutex_unlock(&g->lock);
	return ready;
}
