/*
 * /proc/PID/stat and /proc/PID/statm, of a process and of its children.
 */
#include "fleet_proc.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t
proc_us(long pid)
{
	char path[64], line[1024];
	unsigned long user = 0, sys = 0;
	const char *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* the name in brackets may contain anything */
	if (fgets(line, sizeof(line), f) != NULL &&
	    (rest = strrchr(line, ')')) != NULL)
		sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		    "%lu %lu", &user, &sys);
	fclose(f);
	return (int64_t)(user + sys) * (1000000 / sysconf(_SC_CLK_TCK));
}

static int64_t
proc_kib(long pid)
{
	char path[64];
	unsigned long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void
proc_look(long pid, struct proc_use *use)
{
	char path[64];
	long child;
	FILE *f;

	*use = (struct proc_use){
		.server_us = proc_us(pid),
		.server_kib = proc_kib(pid),
	};
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fscanf(f, "%ld", &child) == 1) {
		use->others_us += proc_us(child);
		use->others_kib += proc_kib(child);
	}
	fclose(f);
}

int64_t
proc_own_us(void)
{
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	return ((int64_t)own.ru_utime.tv_sec + own.ru_stime.tv_sec) *
	    1000000 + own.ru_utime.tv_usec + own.ru_stime.tv_usec;
}

int64_t
proc_own_kib(void)
{
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	return own.ru_maxrss;
}
