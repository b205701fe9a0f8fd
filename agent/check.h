#ifndef CHECK_H
#define CHECK_H
/*
 * --check: says of each thing that an agent needs whether it is as it should
 * be, and what to do.
 */
#include "fetch.h"
#include "loop.h"
#include "settings.h"

/* The settings are wrong: one line each. Prints on standard output. */
void check_settings(char *errors);

/* Everything else, one line a thing; runs the loop. The exit status: 0, or 1
 * when something is not well. */
int check_run(struct loop *, struct fetch_hub *, const struct settings *);

#endif
