#ifndef CURRENT_H
#define CURRENT_H
/*
 * A configuration that is, was or will be in force. It never changes once it
 * is read: another one takes its place as a whole, and whoever works with
 * this one holds it to the end.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "document.h"

enum {
	CURRENT_BODY_MAX = 1048576 + 4096,	/* bytes of a delivery */
	CURRENT_ETAG = 128,		/* with quotes and NUL */
	CURRENT_INTERVAL = 30,		/* seconds, when none is given */
	CURRENT_VIA = 1024,		/* bytes of a caller's Via */
};

struct current {
	unsigned refs;
	long long version;	/* 0: it came without one */
	char etag[CURRENT_ETAG];	/* "" when there is none */
	long interval;		/* seconds */
	long long since;	/* ms since 1970 */
	char *data;		/* the document, byte for byte */
	size_t len;
	struct document document;
	char **headers;		/* to send, "Name: value"; ends with NULL */
};

/* Whether a caller's Via may be carried on: printable, and not too long. */
bool current_via_plain(const char *via);

/* What was delivered. Borrowed. */
struct current_offer {
	const char *body;	/* NUL-terminated */
	size_t len;
	const char *etag;	/* of the ETag header; NULL: none */
	const char *via;	/* a header to send with the others; NULL */
};

/*
 * Reads the controller's body, known by a `data` member that is an object,
 * or a bare document; then the version is the tag's. NULL: refuse was called
 * for each wrong member, or why says what is wrong with the whole. Gives one
 * reference.
 */
struct current *current_read(const struct current_offer *,
    field_refusal *refuse, void *arg, struct buf *why);

struct current *current_hold(struct current *);
void current_drop(struct current *);	/* or NULL */

/* Whether both say the same, since aside. Either may be NULL. */
bool current_same(const struct current *, const struct current *);

/* The body of GET /config; or, with the caller's Via (else NULL), what a task
 * of his runs with: read again, he stands before whom offer.via names. */
void current_body(const struct current *, const char *caller, struct buf *);

#endif
