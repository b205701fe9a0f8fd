#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static int step_fsync(int fd);
static int step_rename(const char *from, const char *to);

#define fsync step_fsync
#define rename step_rename
#include "../../lib/keep.c"
#undef fsync
#undef rename

/* What reached the disk, in order: "file", "name", "folder". */
static char steps[64];

static void
step(const char *what)
{
	size_t len = strlen(steps);

	snprintf(steps + len, sizeof(steps) - len, " %s", what);
}

static int
step_fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	step(S_ISDIR(st.st_mode) ? "folder" :
	    st.st_size > 0 ? "file" : "empty");
	return fsync(fd);
}

static int
step_rename(const char *from, const char *to)
{
	step("name");
	return rename(from, to);
}

static char folder[] = "/tmp/dcm-keep-XXXXXX";
static char path[64];

static void
make_folder(void)
{
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (mkdtemp(folder) == NULL)
		_exit(1);
	snprintf(path, sizeof(path), "%s/state", folder);
}

/* How many files there are; they go with the folder. */
static int
drop_folder(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int count = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		count++;
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	rmdir(folder);
	return count;
}

static const char *
content(void)
{
	static struct buf b = BUF_INIT(1000);
	int err;

	buf_reset(&b);
	err = keep_read(path, &b);
	return err == 0 ? buf_text(&b) : strerror(err);
}

UNIT("what was written is read, with the mode that was asked for")
{
	struct stat st;

	make_folder();
	CHECK_INT(keep_write(path, "one", 3, 0640), 0);
	CHECK_TEXT(content(), "one");
	CHECK_INT(keep_write(path, "two!", 4, 0600), 0);
	CHECK_TEXT(content(), "two!");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK_INT(keep_write(path, "", 0, 0644), 0);
	CHECK_TEXT(content(), "");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644);
	CHECK_INT(drop_folder(), 1);
}

UNIT("reading appends, and refuses what does not fit")
{
	struct buf b = BUF_INIT(5);

	make_folder();
	CHECK_INT(keep_write(path, "abc", 3, 0600), 0);
	CHECK(buf_str(&b, "x"));
	CHECK_INT(keep_read(path, &b), 0);
	CHECK_TEXT(buf_text(&b), "xabc");
	CHECK_INT(keep_read(path, &b), EFBIG);
	buf_free(&b);
	CHECK_INT(keep_read(folder, &b), EISDIR);
	CHECK_INT(drop_folder(), 1);
	CHECK_INT(keep_read(path, &b), ENOENT);
}

UNIT("who must not wait reads a regular file and nothing else")
{
	struct buf b = BUF_INIT(5);

	make_folder();
	CHECK_INT(keep_write(path, "abc", 3, 0600), 0);
	CHECK_INT(keep_read_plain(path, &b), 0);
	CHECK_TEXT(buf_text(&b), "abc");
	CHECK_INT(keep_read_plain(path, &b), EFBIG);
	CHECK_INT(keep_read_plain(folder, &b), ENOTSUP);
	CHECK_INT(keep_read_plain("/dev/zero", &b), ENOTSUP);
	CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
	alarm(20);		/* else for ever */
	CHECK_INT(keep_read_plain(path, &b), ENOTSUP);
	alarm(0);
	CHECK_TEXT(buf_text(&b), "abc");
	buf_free(&b);
	CHECK_INT(drop_folder(), 1);
	CHECK_INT(keep_read_plain(path, &b), ENOENT);
}

UNIT("where nothing can be written the error says so")
{
	char longer[PATH_MAX + 10];

	make_folder();
	CHECK_INT(drop_folder(), 0);
	CHECK_INT(keep_write(path, "x", 1, 0600), ENOENT);
	CHECK_INT(keep_write("/dev/null/x", "x", 1, 0600), ENOTDIR);
	CHECK_INT(keep_write("/tmp", "x", 1, 0600), EISDIR);
	CHECK(access("/tmp.new", F_OK) < 0);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	CHECK_INT(keep_write(longer, "x", 1, 0600), ENAMETOOLONG);
}

/* As somebody who may read but not write; keep_write's answer. */
static int
write_as_nobody(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setegid(65534) < 0 ||
		    seteuid(65534) < 0))
			_exit(255);
		_exit(keep_write(path, "two", 3, 0600));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 254;
}

UNIT("a folder that may not be written keeps what it has")
{
	make_folder();
	CHECK_INT(keep_write(path, "one", 3, 0644), 0);
	chmod(folder, 0555);
	CHECK_INT(write_as_nobody(), EACCES);
	chmod(folder, 0755);
	CHECK_TEXT(content(), "one");
	CHECK_INT(drop_folder(), 1);
}

UNIT("a power cut finds the bytes on disk before the name, then the name")
{
	make_folder();
	steps[0] = '\0';
	CHECK_INT(keep_write(path, "one", 3, 0600), 0);
	CHECK_TEXT(steps, " file name folder");
	CHECK_INT(drop_folder(), 1);
}

UNIT("a disk that fills up on the way leaves the old bytes and no others")
{
	struct rlimit kept, small;
	static char big[100000];
	int err;

	make_folder();
	CHECK_INT(keep_write(path, "one", 3, 0600), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &kept);
	small = kept;
	small.rlim_cur = 50000;
	setrlimit(RLIMIT_FSIZE, &small);
	err = keep_write(path, big, sizeof(big), 0600);
	setrlimit(RLIMIT_FSIZE, &kept);
	signal(SIGXFSZ, SIG_DFL);
	CHECK_INT(err, EFBIG);
	CHECK_TEXT(content(), "one");
	CHECK_INT(drop_folder(), 1);
}

/* Until it is killed: one file full of 'a', then of 'b', and so on. */
static void
write_for_ever(void)
{
	static char full[60000];

	for (unsigned i = 0;; i++) {
		memset(full, "ab"[i % 2], sizeof(full));
		if (keep_write(path, full, sizeof(full), 0600) != 0)
			_exit(1);
	}
}

static bool
is_whole(void)
{
	static struct buf b = BUF_INIT(100000);

	buf_reset(&b);
	if (keep_read(path, &b) != 0 || b.len == 0)
		return false;
	for (size_t i = 1; i < b.len; i++)
		if (b.data[i] != b.data[0])
			return false;
	return b.len == 60000 || b.len == 1;
}

UNIT("a writer killed at any moment leaves the old bytes or the new ones")
{
	unsigned seed = 4711;
	int left;

	make_folder();
	CHECK_INT(keep_write(path, "0", 1, 0600), 0);
	for (int round = 0; round < 150; round++) {
		struct timespec nap = { 0, 0 };
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			write_for_ever();
		seed = seed * 1103515245u + 12345u;
		nap.tv_nsec = (long)(seed >> 8) % 6000000;
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CHECK(WIFSIGNALED(status));
		CHECK(is_whole());
	}
	CHECK_INT(keep_write(path, "1", 1, 0600), 0);
	left = drop_folder();
	CHECK_INT(left, 1);
}

UNIT("writers at the same time leave the bytes of one of them")
{
	pid_t pids[4];
	int left;

	make_folder();
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		for (int n = 0; n < 50; n++) {
			static char full[60000];

			memset(full, 'a' + i, sizeof(full));
			if (keep_write(path, full, sizeof(full), 0600) != 0 ||
			    !is_whole())
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status = 0;

		waitpid(pids[i], &status, 0);
		CHECK_INT(status, 0);
	}
	CHECK(is_whole());
	left = drop_folder();
	CHECK_INT(left, 1);
}

UNIT("a link in the way of the temporary file is not followed")
{
	char other[64], temporary[80];

	make_folder();
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	CHECK_INT(keep_write(other, "mine", 4, 0600), 0);
	CHECK(symlink(other, temporary) == 0);
	CHECK_INT(keep_write(path, "one", 3, 0600), 0);
	CHECK_TEXT(content(), "one");
	memcpy(path, other, sizeof(path));
	CHECK_TEXT(content(), "mine");
	CHECK_INT(drop_folder(), 2);
}

UNIT("a FIFO or a device is neither moved nor replaced")
{
	struct stat st;
	char away[80];

	make_folder();
	snprintf(away, sizeof(away), "%s.away", path);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK_INT(keep_write(path, "new", 3, 0600), ENOTSUP);
	CHECK_INT(keep_rename(path, away), ENOTSUP);
	CHECK(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(unlink(path) == 0);
	CHECK(symlink("/dev/null", path) == 0);
	CHECK_INT(keep_write(path, "new", 3, 0600), ENOTSUP);
	CHECK(stat(path, &st) == 0 && S_ISCHR(st.st_mode));
	CHECK_INT(drop_folder(), 1);
}

UNIT("folders are made with all that is above them")
{
	char deep[128];
	struct stat st;

	make_folder();
	snprintf(deep, sizeof(deep), "%s/a//b/c/", folder);
	CHECK_INT(keep_folder(deep), 0);
	CHECK_INT(keep_folder(deep), 0);
	CHECK(stat(deep, &st) == 0 && (st.st_mode & 07777) == 0700);
	for (int i = 0; i < 3; i++) {
		snprintf(deep, sizeof(deep), "%s%.*s", folder, 6 - 2 * i,
		    "/a/b/c");
		CHECK(rmdir(deep) == 0);
	}
	CHECK_INT(keep_folder(""), ENOENT);
	CHECK_INT(keep_folder("/dev/null"), ENOTDIR);
	CHECK_INT(keep_folder("/dev/null/x"), ENOTDIR);
	CHECK_INT(keep_folder("/"), 0);
	CHECK_INT(drop_folder(), 0);
}

UNIT("a lock is held by one process, and ends with it")
{
	int fd, status = 0;
	pid_t pid;

	make_folder();
	fd = keep_lock(path, 0);
	CHECK(fd >= 0);
	for (int held = 1; held >= 0; held--) {
		pid = fork();
		if (pid == 0)
			_exit(keep_lock(path, 0) >= 0 ? 0 :
			    errno == EWOULDBLOCK ? 1 : 2);
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status));
		CHECK_INT(WEXITSTATUS(status), held);
		if (held)
			close(fd);
	}
	fd = keep_lock(path, 1);
	CHECK(fd >= 0);
	close(fd);
	CHECK(keep_lock("/nonexistent/x", 1) < 0);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(drop_folder(), 1);
}

UNIT_MAIN
