/*
 * A gauge that is right when a process was killed: what it says counts as
 * long as its lock stands. The locks belong to the open file (F_OFD_SETLK),
 * not to the process, so that whoever holds polls may also answer for the
 * metrics: closing the file after reading drops no lock of his.
 */
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static off_t
held_at(int slot)
{
	return (off_t)slot * (off_t)sizeof(int64_t);
}

static struct flock
held_lock(int slot)
{
	return (struct flock){
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = held_at(slot),
		.l_len = 1,
	};
}

int
held_open(struct held *h, const char *state_dir)
{
	char path[PATH_MAX];
	const int64_t none = 0;
	int error = EBUSY;

	h->fd = -1;
	if (snprintf(path, sizeof(path), "%s/held", state_dir) >= PATH_MAX)
		return ENAMETOOLONG;
	h->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->fd == -1)
		return errno;
	for (h->slot = 0; h->slot < HELD_SLOTS; h->slot++) {
		struct flock lock = held_lock(h->slot);

		/* what the last owner left counts from the lock on */
		if (fcntl(h->fd, F_OFD_SETLK, &lock) == 0 &&
		    pwrite(h->fd, &none, sizeof(none), held_at(h->slot)) ==
		    sizeof(none))
			return 0;
		if (errno != EAGAIN && errno != EACCES) {
			error = errno;
			break;
		}
	}
	held_close(h);
	return error;
}

void
held_close(struct held *h)
{
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
}

void
held_set(const struct held *h, long long count)
{
	int64_t number = count;

	/* the room was had when it was opened */
	if (h->fd != -1 && pwrite(h->fd, &number, sizeof(number),
	    held_at(h->slot)) < 0)
		return;
}

long long
held_sum(const char *state_dir)
{
	char path[PATH_MAX];
	long long sum = 0;
	int64_t number;
	int fd;

	if (snprintf(path, sizeof(path), "%s/held", state_dir) >= PATH_MAX)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return 0;
	for (int slot = 0; slot < HELD_SLOTS; slot++) {
		struct flock lock = held_lock(slot);

		if (pread(fd, &number, sizeof(number), held_at(slot)) !=
		    sizeof(number))
			break;	/* nobody was ever that far */
		if (fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
		    lock.l_type != F_UNLCK)
			sum += number;
	}
	close(fd);
	return sum;
}
