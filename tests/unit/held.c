/*
 * The gauge of held polls: over processes, and after one was killed.
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../../cgi/held.c"

static char folder[64];

/* One for all; a name that was made may end with an X as well. */
static void
here(void)
{
	if (folder[0] != '\0')
		return;
	strcpy(folder, "/tmp/held.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
}

static void
gone(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/held", folder);
	unlink(path);
	rmdir(folder);
}

UNIT("where nobody ever held, nothing is held")
{
	here();
	CHECK_INT(held_sum(folder), 0);
	CHECK_INT(held_sum("/nowhere"), 0);
}

UNIT("the counts of several are added, and reading drops no lock")
{
	struct held a, b;

	here();
	CHECK_INT(held_open(&a, folder), 0);
	CHECK_INT(held_open(&b, folder), 0);
	CHECK(a.slot != b.slot);
	held_set(&a, 3);
	held_set(&b, 40000);
	CHECK_INT(held_sum(folder), 40003);
	CHECK_INT(held_sum(folder), 40003);
	held_close(&a);
	CHECK_INT(held_sum(folder), 40000);
	/* the slot that is free again begins with none */
	CHECK_INT(held_open(&a, folder), 0);
	CHECK_INT(a.slot, 0);
	CHECK_INT(held_sum(folder), 40000);
	held_close(&b);
	held_close(&a);
	CHECK_INT(held_sum(folder), 0);
}

UNIT("a process that is killed holds nothing")
{
	struct held a;
	int ready[2], status;
	char byte;
	pid_t pid;

	here();
	CHECK(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		if (held_open(&a, folder) == 0)
			held_set(&a, 7);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK_INT(held_sum(folder), 7);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(held_sum(folder), 0);
	close(ready[0]);
	close(ready[1]);
}

UNIT("when all slots are taken, one more is refused")
{
	struct held all[HELD_SLOTS], more;

	here();
	for (int i = 0; i < HELD_SLOTS; i++) {
		CHECK_INT(held_open(&all[i], folder), 0);
		held_set(&all[i], 1);
	}
	CHECK_INT(held_open(&more, folder), EBUSY);
	CHECK_INT(more.fd, -1);
	held_set(&more, 5);
	CHECK_INT(held_sum(folder), HELD_SLOTS);
	for (int i = 0; i < HELD_SLOTS; i++)
		held_close(&all[i]);
	CHECK_INT(held_open(&more, "/nowhere"), ENOENT);
	gone();
}

UNIT_MAIN
