/*
 * Files for lighttpd's fast path, written under one lock from a fresh read of
 * the store. Whoever cannot write them takes `now` away, and lighttpd asks
 * the responders again: it is never told less than the truth by more than
 * the time of a lease, and that only where the folder can not be written.
 *
 * It refuses to write anything where the responders would refuse everybody,
 * and while LOG_LEVEL is debug: then each request is to be in the log.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "controller.h"
#include "front_read.h"
#include "keep.h"
#include "log.h"
#include "version.h"

enum {
	FRONT_TURN_MS = 700,	/* found well by another so shortly ago */
	FRONT_WAIT_MS = 500,	/* for the lock, when something changed */
	FRONT_TRY_MS = 5,
	FRONT_STUCK_MS = 3000,	/* who has the lock so long is not waited for */
	FRONT_STAMP = 16,	/* hex digits */
};

/* What the three files shall say. */
struct front_text {
	const struct store_version *version;
	struct buf secrets;
	char now[FRONT_LINE];
};

bool
front_place(struct front *f, const char *state_dir)
{
	front_close(f);
	f->outdated = false;
	if (asprintf(&f->folder, "%s/front", state_dir) < 0)
		f->folder = NULL;
	return f->folder != NULL;
}

void
front_close(struct front *f)
{
	free(f->folder);
	f->folder = NULL;
}

static bool
front_path(const struct front *f, char out[PATH_MAX], const char *name)
{
	return snprintf(out, PATH_MAX, "%s/%s", f->folder, name) < PATH_MAX;
}

static void
front_withdraw(struct front *f)
{
	char path[PATH_MAX];
	bool stays = front_path(f, path, "now") && unlink(path) < 0 &&
	    errno != ENOENT && errno != ENOTDIR;

	if (stays && !f->stays && !f->fails)
		log_error("front", "%s cannot be removed: %s: the fast path "
		    "may be %d s behind", path, strerror(errno),
		    FRONT_LEASE_MS / 1000);
	f->stays = stays;
}

/* --- what they shall say ------------------------------------------------ */

static bool
front_wanted(const struct controller *c)
{
	return c->store != NULL && controller_unset(c)[0] == '\0' &&
	    !log_wants(LOG_DEBUG);
}

static void
front_raised(void *arg, const char *id, long long generation)
{
	buf_printf(arg, "%s %lld\n", id, generation);
}

static void
front_agent(const struct controller *c, struct buf *out)
{
	const char *sent = c->settings.agent_key;
	unsigned char sum[TOKEN_SHA256];
	char hex[2 * TOKEN_SHA256 + 1];

	if (sent == NULL || sent[0] == '\0')
		return;
	front_key_sum(&c->key, sent, sum);
	token_hex(hex, sum, sizeof(sum));
	buf_printf(out, "agent %s\n", hex);
}

static enum store_end
front_secrets(struct controller *c, struct buf *out)
{
	char hex[2 * PASS_KEY + 1];
	enum store_end end;
	bool more;

	/* at once: what is grown leaves its secrets in freed memory */
	if (buf_room(out, (size_t)out->max) == NULL)
		return STORE_BROKEN;
	token_hex(hex, c->key.bytes, PASS_KEY);
	buf_printf(out, "key %s\n", hex);
	explicit_bzero(hex, sizeof(hex));
	front_agent(c, out);
	end = store_raised(c->store, FRONT_RAISED_MAX, front_raised, out,
	    &more);
	if (!more)
		buf_str(out, "tokens\n");
	return out->failed ? STORE_BROKEN : end;
}

static enum store_end
front_compose(struct controller *c, struct front_text *t)
{
	unsigned char sum[TOKEN_SHA256];
	char stamp[2 * TOKEN_SHA256 + 1];
	long long at = clock_wall();	/* before anything is read */
	enum store_end end;
	int err = c->key.known ? 0 : pass_load(&c->key, c->key_path);

	if (err != 0) {
		if (!c->front.fails)
			log_error("front", "%s: %s", c->key_path,
			    strerror(err));
		return STORE_BROKEN;
	}
	end = front_secrets(c, &t->secrets);
	if (end == STORE_DONE)
		end = controller_current(c, &t->version);
	if (end != STORE_DONE)
		return end;
	token_sha256(sum, t->secrets.data, t->secrets.len);
	token_hex(stamp, sum, sizeof(sum));
	snprintf(t->now, sizeof(t->now), "%lld %s %ld %.*s\n", at,
	    t->version->etag, t->version->interval, FRONT_STAMP, stamp);
	return STORE_DONE;
}

/* --- writing ------------------------------------------------------------ */

/* Whether nobody else may read it, else a backup was put back. */
static bool
front_private(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 077) == 0;
}

/* Writes a file, unless it is what it shall be. */
static bool
front_file(const struct front *f, const char *name, const char *data,
    size_t len)
{
	struct buf there = BUF_INIT(len);
	char path[PATH_MAX];
	int err = 0;

	if (!front_path(f, path, name))
		return false;
	if (!front_private(path) || keep_read_plain(path, &there) != 0 ||
	    there.len != len || memcmp(buf_text(&there), data, len) != 0)
		err = keep_write(path, data, len, 0600);
	if (there.data != NULL)
		explicit_bzero(there.data, there.len);
	buf_free(&there);
	if (err != 0 && !f->fails)
		log_error("front", "%s: %s", path, strerror(err));
	return err == 0;
}

/*
 * Opened before the store is read: whoever commits later and cannot wait for
 * the lock takes `now` away, and with it what is written to this descriptor.
 */
static int
front_open(const struct front *f)
{
	char path[PATH_MAX];
	int fd;

	if (!front_path(f, path, "now"))
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 && !f->fails)
		log_error("front", "%s: %s", path, strerror(errno));
	return fd;
}

/* The line of now is written in place, each second, and never waits for a
 * disk: a reader that sees half of it believes nothing. */
static bool
front_now(int fd, const char *line)
{
	size_t len = strlen(line);

	return pwrite(fd, line, len, 0) == (ssize_t)len &&
	    ftruncate(fd, (off_t)len) == 0;
}

/* Under the lock. */
static void
front_write(struct controller *c)
{
	struct front_text t = { .secrets = BUF_INIT(FRONT_SECRETS_MAX) };
	struct front *f = &c->front;
	enum store_end end = STORE_BROKEN;
	bool wanted = front_wanted(c), ok;
	int fd = -1;

	/* for the heartbeats of lighttpd */
	if (wanted && keep_folder(c->beat.folder) == 0)
		fd = front_open(f);
	if (fd >= 0)
		end = front_compose(c, &t);
	ok = end == STORE_DONE &&
	    front_file(f, "published", t.version->body, t.version->len) &&
	    front_file(f, "credentials", t.secrets.data, t.secrets.len) &&
	    front_now(fd, t.now);
	if (!ok)
		front_withdraw(f);
	f->fails = wanted && !ok;
	if (fd >= 0)
		close(fd);
	if (t.secrets.data != NULL)
		explicit_bzero(t.secrets.data, t.secrets.len);
	buf_free(&t.secrets);
}

static int
front_lock(const struct front *f, int wait_ms)
{
	const struct timespec pause = { .tv_nsec = FRONT_TRY_MS * 1000000L };
	char path[PATH_MAX];
	int lock;

	if (!front_path(f, path, "lock"))
		return -1;
	while ((lock = keep_lock(path, 0)) < 0 && errno == EWOULDBLOCK &&
	    (wait_ms -= FRONT_TRY_MS) >= 0)
		nanosleep(&pause, NULL);
	return lock;
}

void
front_publish(struct controller *c)
{
	struct front *f = &c->front;
	int lock;

	/* without a folder nobody reads it: a command or CGI makes none */
	if (f->folder == NULL || (f->keeps ? keep_folder(f->folder) != 0 :
	    access(f->folder, F_OK) < 0))
		return;
	lock = front_lock(f, FRONT_WAIT_MS);
	if (lock >= 0 && f->keeps)
		front_write(c);
	else
		front_withdraw(f);
	if (lock >= 0)
		close(lock);
}

/* How long ago a responder found all well; negative when it is not known. */
static long long
front_age(const struct front *f)
{
	struct buf line = BUF_INIT(FRONT_LINE);
	char path[PATH_MAX];
	long long age = -1;

	if (front_path(f, path, "now") &&
	    keep_read_plain(path, &line) == 0 && line.len > 0)
		age = clock_wall() - strtoll(line.data, NULL, 10);
	buf_free(&line);
	return age;
}

/* Another key may be the fleet's by now. Taken away once: who has read the
 * new settings writes it again. */
static bool
front_outdated(struct controller *c)
{
	struct front *f = &c->front;

	if (!f->outdated && controller_file_changed(&c->named)) {
		f->outdated = true;
		front_withdraw(f);
	}
	return f->outdated;
}

void
front_turn(struct controller *c)
{
	struct front *f = &c->front;
	long long age;
	int lock;

	if (!f->keeps || f->folder == NULL || front_outdated(c))
		return;
	age = front_age(f);
	if ((age >= 0 && age < FRONT_TURN_MS) || keep_folder(f->folder) != 0)
		return;
	lock = front_lock(f, 0);
	if (lock >= 0) {
		front_write(c);
		close(lock);
	} else if (age >= FRONT_STUCK_MS) {
		front_withdraw(f);	/* he may have committed before */
	}
}
