/*
 * A child process that ends with the agent, however the agent ends: the
 * kernel kills the program itself (PR_SET_PDEATHSIG, prctl(2)), and a guard,
 * a process that does nothing but wait for the agent's end of a pipe to
 * close, kills what the program has started. The guard leads their process
 * group, so that its number cannot become another's before it is used.
 *
 * A program that leaves its group (a daemon) is beyond this.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Behind fork(2) only what is async-signal-safe: another thread may hold
 * malloc's lock. */
__attribute__((noreturn)) static void
child_guard(int hold)
{
	char byte;

	prctl(PR_SET_NAME, "dcm-guard");
	setpgid(0, 0);
	dup2(hold, 0);
	close_range(1, ~0u, 0);	/* locks and sockets are the agent's alone */
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	kill(0, SIGKILL);
	_exit(0);
}

static void
child_complain(const char *word)
{
	const char *why = strerrordesc_np(errno);
	const struct iovec text[] = {
		{ .iov_base = (char *)(uintptr_t)word,
		    .iov_len = strlen(word) },
		{ .iov_base = (char *)(uintptr_t)": ", .iov_len = 2 },
		{ .iov_base = (char *)(uintptr_t)why,
		    .iov_len = why != NULL ? strlen(why) : 0 },
	};

	if (writev(STDERR_FILENO, text, 3) < 0) {
		/* the status says it too */
	}
}

__attribute__((noreturn)) static void
child_become(pid_t agent, pid_t group, const struct loop *loop, int output,
    char *const *words, char *const *env)
{
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, group);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	dup2(null, STDIN_FILENO);
	close_range(3, ~0u, 0);
	/* also those that whoever started the agent ignored */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	loop_child(loop);
	if (getppid() != agent)	/* it ended before prctl */
		_exit(127);
	execvpe(words[0], words, env);
	child_complain(words[0]);
	_exit(127);
}

static void
child_kill_guard(struct child *c)
{
	kill(-c->guard, SIGKILL);
	while (waitpid(c->guard, NULL, 0) < 0 && errno == EINTR)
		;
	close(c->hold);
	*c = (struct child){ .hold = -1 };
}

static int
child_start_guard(struct child *c)
{
	sigset_t all, before;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	/* the program may signal its whole group: the guard is born deaf */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	c->guard = fork();
	if (c->guard == 0)
		child_guard(ends[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[0]);
	if (c->guard < 0) {
		int err = errno;

		close(ends[1]);
		return err;
	}
	setpgid(c->guard, c->guard);	/* who is first does it */
	c->hold = ends[1];
	return 0;
}

int
child_start(struct child *c, const struct loop *loop, char *const *words,
    char *const *env, int *output)
{
	pid_t agent = getpid();
	int ends[2], err;

	*c = (struct child){ .hold = -1 };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	err = child_start_guard(c);
	if (err != 0)
		goto out;
	c->pid = fork();
	if (c->pid == 0)
		child_become(agent, c->guard, loop, ends[1], words, env);
	if (c->pid < 0) {
		err = errno;
		child_kill_guard(c);
		goto out;
	}
	setpgid(c->pid, c->guard);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*output = ends[0];
out:
	close(ends[1]);
	if (err != 0)
		close(ends[0]);
	return err;
}

void
child_signal(const struct child *c, int number)
{
	if (c->pid != 0)
		kill(-c->guard, number);
}

bool
child_ended(struct child *c, int *status)
{
	if (c->pid == 0 || waitpid(c->pid, status, WNOHANG) != c->pid)
		return false;
	child_kill_guard(c);
	return true;
}
