/*
 * escape.so: preloaded into a worker by worker_sandbox.bats. On SIGUSR1 it
 * tries from inside what a taken-over worker would try, and writes to
 * $STATE_DIR/escaped a line for each attempt: its name and "no" or "yes".
 * ESCAPE_TO is a folder that is not the worker's, with the file `there`.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *report;

static void
escape_say(const char *what, int done)
{
	fprintf(report, "%s: %s\n", what, done ? "yes" : "no");
}

static void
escape_open(const char *what, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	escape_say(what, fd != -1);
	if (fd != -1)
		close(fd);
}

static void
escape_run(const char *what, const char *path)
{
	char *const words[] = { (char *)(void *)path, NULL };
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execv(path, words);
		_exit(77);
	}
	waitpid(child, &status, 0);
	escape_say(what, WIFEXITED(status) && WEXITSTATUS(status) != 77);
}

static void
escape_bind(const char *what, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	escape_say(what, bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	close(fd);
}

static void
escape_try(int number)
{
	const char *to = getenv("ESCAPE_TO");

	(void)number;
	if (to == NULL || chdir(to) != 0)
		return;
	escape_open("write a file that is there", "there", O_WRONLY);
	escape_open("truncate it", "there", O_WRONLY | O_TRUNC);
	escape_say("truncate it by name", truncate("there", 0) == 0);
	escape_open("make a file", "made", O_RDWR | O_CREAT);
	escape_open("write a program", "/proc/self/exe", O_RDWR);
	escape_say("make a folder", mkdir("folder", 0700) == 0);
	escape_say("make a symbolic link", symlink("/", "link") == 0);
	escape_say("make a pipe", mkfifo("pipe", 0600) == 0);
	escape_bind("make a socket", "socket");
	escape_run("run a program", "/bin/true");
	escape_run("run a script of its own", getenv("ESCAPE_SCRIPT"));
	escape_say("rename it", rename("there", "renamed") == 0);
	escape_say("remove it", unlink("renamed") == 0 ||
	    unlink("there") == 0);
}

static void
escape_caught(int number)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/escaped.new", getenv("STATE_DIR"));
	report = fopen(path, "we");
	if (report == NULL)
		return;
	escape_try(number);
	fclose(report);
	path[strlen(path) - 4] = '\0';
	if (chdir(getenv("STATE_DIR")) == 0)
		rename("escaped.new", path);
}

__attribute__((constructor)) static void
escape_prepare(void)
{
	if (getenv("ESCAPE_TO") != NULL)
		signal(SIGUSR1, escape_caught);
}
