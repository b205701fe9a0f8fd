#ifndef CHECK_STATE_H
#define CHECK_STATE_H
/*
 * --check's look at the state file, which is not touched: not locked, not
 * put aside, not written.
 */
#include <stdbool.h>

enum { CHECK_STATE_TEXT = 8192 };

/* Whether an agent can use path; text is a sentence about it. */
bool check_state(const char *path, char text[CHECK_STATE_TEXT]);

/* The process that has it; 0: none. */
long check_state_used(const char *path);

#endif
