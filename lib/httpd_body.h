#ifndef HTTPD_BODY_H
#define HTTPD_BODY_H
/*
 * Request bodies: of a known length, or in chunks (RFC 9112, 6 and 7.1). For
 * httpd*.c.
 */
#include <stddef.h>

#include "buf.h"

enum httpd_body_end {
	HTTPD_BODY_MORE,	/* bytes are needed */
	HTTPD_BODY_DONE,
	HTTPD_BODY_BAD,		/* no chunks of RFC 9112 */
	HTTPD_BODY_BIG,		/* more than `into` takes */
};

struct httpd_body {
	int state;		/* its own */
	unsigned long long left;	/* of the body, or of the chunk */
	size_t digits;		/* of a chunk's size */
	size_t aside;		/* bytes of extensions and trailers */
};

/* length: of the body, or -1: it comes in chunks. */
void httpd_body_start(struct httpd_body *, long long length);

/* Takes from len bytes what belongs to the body, and says how many those
 * were. Nothing behind the body's end is touched. */
size_t httpd_body_read(struct httpd_body *, const char *, size_t len,
    struct buf *into, enum httpd_body_end *);

#endif
