#ifndef ETAG_H
#define ETAG_H
/*
 * The entity tag of a configuration: "<version>-<16 hex digits>" with its
 * quotes, the digits being the first of the SHA-256 of the 200 body
 * (RFC 9110, 8.8.3).
 */
#include <stdbool.h>
#include <stddef.h>

enum { ETAG_SIZE = 48 };	/* with quotes and NUL, any version */

/* version: 0 or more. */
void etag_make(char out[ETAG_SIZE], long long version, const void *body,
    size_t len);

/*
 * Whether If-None-Match or If-Match names the tag: a list, weak tags, "*",
 * and a tag that a compressing proxy ended with -gzip (or -br, -deflate,
 * -zstd). A malformed rest of the list matches nothing.
 */
bool etag_match(const char *list, const char *tag);

/* The version inside a tag of ours, -1 for any other. A weak prefix and a
 * list are understood: the highest counts. */
long long etag_version(const char *list);

/* The same of one tag alone: -1 for a list too. */
long long etag_single(const char *tag);

/* Whether it is one entity tag, of whomever, strong or weak, in visible ASCII,
 * and has room in size bytes. */
bool etag_fits(const char *tag, size_t size);

#endif
