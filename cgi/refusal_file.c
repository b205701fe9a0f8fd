/*
 * The file of refused credentials: opened when it is needed, made by the
 * first refusal, made anew when it was removed or is not what it should be.
 * Whoever waits for its lock does so for a twentieth of a second at most, or
 * for a third when he has something to count; after that it is lost.
 */
#include "refusal_inner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keep.h"
#include "log.h"
#include "token.h"

void
refusal_open(struct refusal *r)
{
	*r = (struct refusal){ .path = NULL, .fd = -1 };
}

bool
refusal_place(struct refusal *r, const char *state_dir)
{
	refusal_close(r);
	if (asprintf(&r->path, "%s/refusals", state_dir) < 0)
		r->path = NULL;
	return r->path != NULL;
}

void
refusal_close(struct refusal *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	refusal_open(r);
}

void
refusal_address(char out[REFUSAL_ADDRESS], const char *remote)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET6, remote, &six) == 1) {
		if (memcmp(&six, mapped, sizeof(mapped)) == 0) {
			inet_ntop(AF_INET, &six.s6_addr[12], out,
			    REFUSAL_ADDRESS);
			return;
		}
		memset(&six.s6_addr[8], 0, 8);
		inet_ntop(AF_INET6, &six, out, REFUSAL_ADDRESS - 3);
		strcat(out, "/64");
	} else if (inet_pton(AF_INET, remote, &four) == 1) {
		inet_ntop(AF_INET, &four, out, REFUSAL_ADDRESS);
	} else {
		snprintf(out, REFUSAL_ADDRESS, "unknown");
	}
}

/* --- the file ----------------------------------------------------------- */

bool
refusal_read(const struct refusal *r, void *into, size_t n, off_t at)
{
	return pread(r->fd, into, n, at) == (ssize_t)n;
}

void
refusal_write(const struct refusal *r, const void *from, size_t n, off_t at)
{
	if (pwrite(r->fd, from, n, at) != (ssize_t)n)
		log_debug("auth", "%s: %s", r->path, strerror(errno));
}

/* The file that lies there now; made when `make`. */
static bool
refusal_ready(struct refusal *r, bool make)
{
	static bool said;
	char folder[PATH_MAX];
	struct stat st;

	if (r->path == NULL)
		return false;
	if (r->fd >= 0 && fstat(r->fd, &st) == 0 && st.st_nlink > 0)
		return true;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = open(r->path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0),
	    0600);
	if (r->fd < 0 && make && errno == ENOENT) {
		snprintf(folder, sizeof(folder), "%s", r->path);
		*strrchr(folder, '/') = '\0';
		keep_folder(folder);
		r->fd = open(r->path, O_RDWR | O_CLOEXEC | O_CREAT, 0600);
	}
	if (r->fd < 0 && make && !said) {
		log_warn("auth", "%s: %s: wrong credentials are not counted",
		    r->path, strerror(errno));
		said = true;
	}
	return r->fd >= 0;
}

void
refusal_unlock(const struct refusal *r)
{
	flock(r->fd, LOCK_UN);
}

bool
refusal_lock(struct refusal *r, bool note, struct refusal_head *head)
{
	const struct timespec turn = { .tv_nsec = 1000000 };
	int tries = note ? REFUSAL_TURNS_NOTE : REFUSAL_TURNS;

	if (!refusal_ready(r, note))
		return false;
	while (flock(r->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EINTR && (errno != EWOULDBLOCK ||
		    --tries == 0))
			return false;
		nanosleep(&turn, NULL);
	}
	if (refusal_read(r, head, sizeof(*head), 0) &&
	    memcmp(head->magic, REFUSAL_MAGIC, sizeof(head->magic)) == 0)
		return true;
	memset(head, 0, sizeof(*head));
	memcpy(head->magic, REFUSAL_MAGIC, sizeof(head->magic));
	token_random(head->key, sizeof(head->key));
	if (ftruncate(r->fd, 0) < 0 || ftruncate(r->fd, REFUSAL_TALLIES +
	    (off_t)(REFUSAL_SPOTS * sizeof(struct refusal_tally))) < 0) {
		refusal_unlock(r);
		return false;
	}
	refusal_write(r, head, sizeof(*head), 0);
	return true;
}

bool
refusal_peek(struct refusal *r, struct refusal_head *head)
{
	return refusal_ready(r, false) &&
	    refusal_read(r, head, sizeof(*head), 0) &&
	    memcmp(head->magic, REFUSAL_MAGIC, sizeof(head->magic)) == 0;
}
