#ifndef STATE_H
#define STATE_H
/*
 * What an agent remembers: who it is, what the controller told it, and the
 * configuration that the worker acknowledged last. In a file that proves its
 * own bytes:
 *
 *	dcm-agent state 1
 *	agent_id <uuid> <first 8 hex digits of the uuid's SHA-256>
 *	controller <CONTROLLER_URL that all this came from>
 *	poll_url <absolute URL>		left out when there is none, and
 *	token <token>			so are these two, and the last three
 *	poll_interval_seconds <n>
 *	version <n>
 *	etag <tag>
 *	body <bytes>
 *	<the controller's answer>
 *	sha256 <of everything before this line>
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "config.h"
#include "token.h"

enum {
	STATE_FILE_MAX = CONFIG_BODY_MAX + 32768,
	STATE_VALUE_MAX = 4096,		/* bytes of a URL or a token */
};

/* Zeroed: new. */
struct state {
	char id[TOKEN_UUID];	/* "" before there is one */
	char *controller;	/* owned, or NULL; so are the next two */
	char *poll_url;
	char *token;
	long interval;		/* seconds; 0: never told */
	struct config good;	/* acknowledged last; version 0: none */
	bool unlocked;		/* of the file: state_lock failed so far */
};

void state_free(struct state *);	/* and zeroes */

/* Replaces one of the three texts; NULL forgets it. A text that is too long
 * or has other than printable ASCII, and want of memory: false, and the old
 * one stays. */
bool state_set(char **text, const char *value);

/*
 * Reads the file's bytes into s, which was zeroed. False, with s still
 * zeroed but for an id that could be read and proved, when one bit is wrong.
 */
bool state_parse(struct state *s, const char *text, size_t len);

enum state_end {
	STATE_READ,
	STATE_NEW,	/* there is no file */
	STATE_BAD,	/* not ours, truncated or altered; the id may be left */
	STATE_UNREADABLE,	/* errno says why */
};

/*
 * Reads path into s, which was zeroed. A file that is BAD or UNREADABLE is
 * renamed to path.bad-<time>, and aside (size bytes) gets that name, or ""
 * when it could not be renamed.
 */
enum state_end state_load(struct state *s, const char *path, char *aside,
    size_t size);

/* Writes path as keep_write does, making its folder. 0 or errno. */
int state_store(const struct state *, const char *path);

/*
 * One agent a state file: two would take turns at being the same agent. The
 * lock, path.lock, is held until the process ends; what a writer that was
 * killed left beside path (keep.h) is removed. 0; EWOULDBLOCK when another
 * process has it; or why it cannot be made. Once it is 0, not again.
 */
int state_lock(const char *path);

#endif
