#ifndef FRONT_READ_H
#define FRONT_READ_H
/*
 * The files of front.h as lighttpd's fast path reads them: what they say is
 * known while they vouch for it, and nothing otherwise.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "etag.h"
#include "pass.h"

enum {
	FRONT_LOOK_MS = 10,	/* how old what is known may be */
	FRONT_AHEAD_MS = 1000,	/* of a clock that was set back */
	FRONT_STAMP_SIZE = 17,	/* 16 hex digits and the NUL */
	FRONT_NUMBER_SIZE = 19,	/* 18 digits likewise */
};

/* A token that counts from a generation on. */
struct front_raised {
	char id[TOKEN_UUID];
	size_t line;		/* the last one of an id counts */
	long long generation;
};

struct front_view {
	char *folder;		/* NULL: nowhere */
	long long begun;	/* ms since 1970: nothing older is believed */
	long long looked;
	bool good;		/* what follows is known */
	char tag[ETAG_SIZE];	/* "": never read */
	long long version;
	char interval[FRONT_NUMBER_SIZE];
	struct buf body;
	char stamp[FRONT_STAMP_SIZE];
	struct pass_key key;
	bool agent;		/* the fleet has an API key; its sum: */
	unsigned char agent_sum[TOKEN_SHA256];
	bool tokens;		/* tokens may be judged; those that are raised,
				 * in the order of their ids: */
	struct front_raised *raised;
	size_t count;
};

/* The files are in state_dir/front; now: ms since 1970. False: out of memory,
 * and there is nothing to close. */
bool front_open_view(struct front_view *, const char *state_dir,
    long long now);
void front_close_view(struct front_view *);

/* Reads what has changed, when the last look is FRONT_LOOK_MS ago. Whether
 * what is in the view is known. */
bool front_look(struct front_view *, long long now);

/* Whether the key is the fleet's. */
bool front_key_good(const struct front_view *, const char *key);

/* Whether a token of ours counts, and counts here: its generation is exactly
 * the agent's. */
bool front_token_good(const struct front_view *, const char *id,
    long long generation);

/* The sum of an API key in the file of credentials. */
void front_key_sum(const struct pass_key *, const char *sent,
    unsigned char out[TOKEN_SHA256]);

#endif
