#ifndef PASS_H
#define PASS_H
/*
 * The tokens of agents: dcm1.<agent_id>.<generation>.<HMAC-SHA256,
 * base64url>, the HMAC over what stands before its dot.
 */
#include <stdbool.h>
#include <stddef.h>

#include "token.h"

enum {
	PASS_SIZE = 128,	/* a token with its NUL */
	PASS_KEY = 32,		/* bytes of the key */
};

struct pass_key {
	unsigned char bytes[PASS_KEY];
	struct token_mac mac;	/* that begins with them */
	bool known;
};

/*
 * Reads the key, or makes it when there is no file: 32 random bytes, mode
 * 600, the same ones for all processes that start at once. 0, EINVAL when
 * the file is not 32 bytes long, or an errno value.
 */
int pass_load(struct pass_key *, const char *path);
void pass_set(struct pass_key *, const unsigned char bytes[PASS_KEY]);
void pass_forget(struct pass_key *);

/* id: a UUID; generation: 1 or more. */
void pass_make(const struct pass_key *, const char *id, long long generation,
    char out[PASS_SIZE]);

/* Whether the text is a token of ours; gives whose, and its generation. */
bool pass_check(const struct pass_key *, const char *text,
    char id[TOKEN_UUID], long long *generation);

#endif
