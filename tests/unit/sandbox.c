#include "unit.h"

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../worker/sandbox.c"

static char inside[64], outside[64];

/* What a child that sits in the sandbox could do; 0: all as it should be. */
static int
escape(void)
{
	const char *const folders[] = { inside, "/nowhere", NULL };
	struct buf why = BUF_INIT(256);
	char path[128], other[128];
	enum sandbox_end end = sandbox_enter(folders, &why);
	char *const argv[] = { NULL };
	int fd;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	if (end == SANDBOX_PARTLY)
		return 77;
	if (end != SANDBOX_WHOLE)
		return 2;
	snprintf(path, sizeof(path), "%s/made", inside);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd == -1 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0)
		return 3;
	snprintf(other, sizeof(other), "%s/made", outside);
	if (open(other, O_RDWR | O_CREAT, 0600) != -1 ||
	    mkdir(other, 0700) == 0 || symlink("/", other) == 0)
		return 4;
	snprintf(other, sizeof(other), "%s/there", outside);
	if (open(other, O_WRONLY) != -1 || open(other, O_RDWR) != -1 ||
	    truncate(other, 0) == 0 || unlink(other) == 0)
		return 5;
	if (open(other, O_RDONLY) == -1)
		return 6;
	/* Neither out of the folder nor into it under another name. */
	snprintf(path, sizeof(path), "%s/in", inside);
	if (rename(other, path) == 0 || link(other, path) == 0)
		return 7;
	snprintf(path, sizeof(path), "%s/script", inside);
	execv("/bin/true", argv);
	execv(path, argv);
	snprintf(path, sizeof(path), "%s/../%s/there", inside,
	    strrchr(outside, '/') + 1);
	if (open(path, O_WRONLY) != -1)
		return 8;
	if (mount("none", inside, "tmpfs", 0, NULL) == 0)
		return 9;
	/* A child of it fares no better. */
	if (fork() == 0)
		_exit(open(other, O_WRONLY) != -1);
	wait(&fd);
	return fd == 0 ? 0 : 10;
}

UNIT("nothing leads out of the sandbox")
{
	char path[128], clear[192];
	int status, fd;
	pid_t pid;

	strcpy(inside, "/tmp/inside.XXXXXX");
	strcpy(outside, "/tmp/outside.XXXXXX");
	CHECK(mkdtemp(inside) != NULL && mkdtemp(outside) != NULL);
	snprintf(path, sizeof(path), "%s/there", outside);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(write(fd, "kept", 4) == 4);
	close(fd);
	snprintf(path, sizeof(path), "%s/script", inside);
	fd = open(path, O_RDWR | O_CREAT, 0700);
	CHECK(write(fd, "#!/bin/sh\n", 10) == 10);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(escape());
	waitpid(pid, &status, 0);
	snprintf(clear, sizeof(clear), "rm -rf %s %s", inside, outside);
	CHECK(system(clear) == 0);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		printf("# this kernel has no Landlock\n");
		return;
	}
	CHECK_INT(WEXITSTATUS(status), 0);
}

UNIT_MAIN
