/*
 * Crash-safe writing: temporary file, fsync, rename, fsync of the folder
 * (rename(2), fsync(2)).
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_TRIES = 10000 };	/* each lost one is another's success */

static int
keep_write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder of a path, open for fsync; -1 with errno. */
static int
keep_open_folder(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else if (slash == folder)
		slash[1] = '\0';
	else
		*slash = '\0';
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Whether fd is still what the name stands for. */
static bool
keep_is(int fd, const char *name)
{
	struct stat mine, named;

	return fstat(fd, &mine) == 0 && lstat(name, &named) == 0 &&
	    mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

/*
 * The temporary file, empty and locked by us; -1 with errno. Its name is
 * always the same, so that what a killed writer left is used again, and not
 * one more file is left for every kill. Another writer may have renamed it
 * while we waited for the lock: then it is not ours to write.
 */
static int
keep_claim(const char *name)
{
	for (int tries = 0; tries < KEEP_TRIES; tries++) {
		int fd = open(name, O_WRONLY | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC, 0600);
		int err = errno;

		if (fd < 0 && (err == EACCES || err == ELOOP ||
		    err == ENXIO) && unlink(name) == 0)
			continue;	/* left by another user, or a trap */
		if (fd < 0) {
			errno = err;
			return -1;
		}
		if (flock(fd, LOCK_EX) < 0)
			err = errno;
		else if (!keep_is(fd, name))
			err = EINTR;
		else if (ftruncate(fd, 0) < 0)
			err = errno;
		else
			return fd;
		close(fd);
		errno = err;
		if (err != EINTR)
			return -1;
	}
	errno = EBUSY;
	return -1;
}

/* Whether path is there and neither a file nor a folder nor a link to one. */
static bool
keep_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode);
}

int
keep_rename(const char *from, const char *to)
{
	if (keep_special(from) || keep_special(to))
		return ENOTSUP;
	return rename(from, to) < 0 ? errno : 0;
}

/* Fills the claimed file and puts it in the place of path. */
static int
keep_replace(int fd, const char *temporary, const char *path,
    const void *data, size_t len, mode_t mode)
{
	int err = keep_write_all(fd, data, len);

	if (err == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		err = errno;
	if (err == 0)
		err = keep_rename(temporary, path);
	if (err != 0)
		unlink(temporary);	/* before the lock is gone */
	return err;
}

int
keep_write(const char *path, const void *data, size_t len, mode_t mode)
{
	char temporary[PATH_MAX];
	int folder, fd = -1, err = 0;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary))
		return ENAMETOOLONG;
	folder = keep_open_folder(path);
	if (folder >= 0)
		fd = keep_claim(temporary);
	if (folder < 0 || fd < 0) {
		err = errno;
		goto out;
	}
	err = keep_replace(fd, temporary, path, data, len, mode);
	if (err == 0 && fsync(folder) < 0 && errno != EINVAL)
		err = errno;	/* EINVAL: not of this file system */
out:
	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	return err;
}

static int
keep_read_all(int fd, struct buf *into)
{
	for (;;) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		if (!buf_add(into, chunk, (size_t)n))
			return EFBIG;
	}
}

int
keep_read(const char *path, struct buf *into)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = keep_read_all(fd, into);
	close(fd);
	return err;
}

bool
keep_plain(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
keep_read_plain(const char *path, struct buf *into)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = keep_plain(fd) ? keep_read_all(fd, into) : ENOTSUP;
	close(fd);
	return err;
}

int
keep_folder(const char *path)
{
	char part[PATH_MAX];
	struct stat st;
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return len == 0 ? ENOENT : ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return errno;
	}
	if (stat(path, &st) < 0)
		return errno;
	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

int
keep_room(const char *path, size_t len)
{
	static const char bytes[4096];
	int folder = keep_open_folder(path);
	int err = 0, fd;

	if (folder < 0)
		return errno;
	fd = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EOPNOTSUPP && errno != EISDIR)
		err = errno;
	while (fd >= 0 && err == 0 && len > 0) {
		size_t n = len < sizeof(bytes) ? len : sizeof(bytes);

		err = keep_write_all(fd, bytes, n);
		len -= n;
	}
	if (fd >= 0)
		close(fd);
	close(folder);
	return err;
}

int
keep_lock(const char *path, int wait)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		int err = errno;

		if (err == EINTR)
			continue;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}
