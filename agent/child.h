#ifndef CHILD_H
#define CHILD_H
/*
 * One program that must not outlive the agent, with all that it starts.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "loop.h"

struct child {
	pid_t pid;	/* of the program; 0: none */
	pid_t guard;	/* of its process group, and the guard's */
	int hold;	/* closed by the end of the agent: the guard's sign */
};

/*
 * Runs words[0], looked for in PATH, in a process group of its own, with
 * nothing to read; *output (non-blocking; the caller closes it) is what it
 * writes to standard output and error. What cannot be executed ends with
 * status 127, and says so in its output. 0 or errno.
 */
int child_start(struct child *, const struct loop *, char *const *words,
    char *const *env, int *output);

/* To the program and what it started. */
void child_signal(const struct child *, int number);

/* Whether the program has ended: then what it left behind has been killed,
 * and *status is waitpid(2)'s. */
bool child_ended(struct child *, int *status);

#endif
