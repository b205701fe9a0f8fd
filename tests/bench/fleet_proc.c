/*
 * /proc/PID/stat and /proc/PID/smaps_rollup, of a process and of its children.
 */
#include "fleet_proc.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What of a process is added up. */
struct proc_one {
	char name[32];
	int64_t us, kib;
};

/* Proportional: pages that processes share are divided among them. */
static int64_t
proc_kib(long pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void
proc_one(long pid, struct proc_one *one)
{
	char path[64], line[1024];
	unsigned long user = 0, sys = 0;
	const char *rest;
	FILE *f;

	*one = (struct proc_one){ .kib = proc_kib(pid) };
	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	/* the name in brackets may contain anything */
	if (fgets(line, sizeof(line), f) != NULL &&
	    (rest = strrchr(line, ')')) != NULL) {
		sscanf(line, "%*d (%31[^)]", one->name);
		sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		    "%lu %lu", &user, &sys);
	}
	fclose(f);
	one->us = (int64_t)(user + sys) * (1000000 / sysconf(_SC_CLK_TCK));
}

void
proc_look(long pid, struct proc_use *use)
{
	struct proc_one server, one;
	char path[64];
	long child;
	FILE *f;

	proc_one(pid, &server);
	*use = (struct proc_use){
		.server_us = server.us, .server_kib = server.kib,
	};
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fscanf(f, "%ld", &child) == 1) {
		proc_one(child, &one);
		if (strcmp(one.name, server.name) == 0) {
			use->server_us += one.us;
			use->server_kib += one.kib;
		} else {
			use->others_us += one.us;
			use->others_kib += one.kib;
		}
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
