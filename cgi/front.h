#ifndef FRONT_H
#define FRONT_H
/*
 * What lighttpd's fast path (fast.h) answers polls from: three files in
 * STATE_DIR/front, folder mode 700, files mode 600. They are a copy; the
 * committed row is the truth.
 *
 *   published    the body of the present version's 200
 *   credentials  lines: "key HEX", the key of the tokens; "agent HEX", the
 *                HMAC-SHA256 under that key of FRONT_LABEL and the fleet's
 *                API key, when there is one; "ID GENERATION" for each agent
 *                whose token was raised; "tokens", unless that are too many
 *   now          "MS TAG INTERVAL STAMP": when a responder last found the
 *                other two to be what the store says (since 1970); the ETag,
 *                which has the SHA-256 of published in it; seconds; the
 *                first 16 hex digits of the SHA-256 of credentials
 *
 * Who reads them believes nothing that does not fit the line of now, and
 * nothing when that is missing or FRONT_LEASE_MS old.
 */
#include <stdbool.h>

#define FRONT_LABEL	"X-API-Key: "

enum {
	FRONT_LEASE_MS = 10000,
	FRONT_RAISED_MAX = 20000,	/* tokens; more: lighttpd knows none */
	FRONT_LINE = 160,		/* of now, at most */
	FRONT_SECRETS_MAX = (FRONT_RAISED_MAX + 4) * 80,	/* likewise */
};

struct controller;

struct front {
	char *folder;	/* NULL: nowhere */
	bool keeps;	/* a responder that lives on writes the files; others
			 * take `now` away, for the next turn of one */
	bool fails;	/* the last time they could not be written: said */
	bool stays;	/* nor `now` be removed: said */
	bool outdated;	/* the settings are no longer those of their file */
};

/* The files are in state_dir/front from now on. False: out of memory. */
bool front_place(struct front *, const char *state_dir);
void front_close(struct front *);		/* keeps stays */

/*
 * After a commit that changed the version or a token: when it returns, the
 * files say so, or there is no `now`. Never fails visibly.
 */
void front_publish(struct controller *);

/* Mends what is missing or behind, and says in `now` that all is well;
 * unless another process just did. Takes `now` away where another has been at
 * it for 3 s. Whose settings are no longer those of DCM_CONFIG says so no
 * more: they are read again with the next request. */
void front_turn(struct controller *);

#endif
