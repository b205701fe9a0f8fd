#ifndef SANDBOX_H
#define SANDBOX_H
/*
 * Giving up what the worker does not need once it has started.
 */
#include "buf.h"

enum sandbox_end {
	SANDBOX_WHOLE,		/* no_new_privs and Landlock */
	SANDBOX_PARTLY,		/* this kernel has no Landlock */
	SANDBOX_FAILED,
};

/*
 * From here on, and for every thread and child to come: no file is written,
 * made or removed but below the folders, none is executed, and no privilege
 * can be gained. folders ends with NULL; one that is missing is left out.
 * What is open stays open. why: what it came to, for the log.
 */
enum sandbox_end sandbox_enter(const char *const *folders, struct buf *why);

#endif
