#ifndef HTTPD_HEAD_H
#define HTTPD_HEAD_H
/*
 * Request heads: from bytes to method, target and fields (RFC 9112, 2 to 7),
 * or to the status that refuses them. Knows no connection. For httpd*.c.
 */
#include <stdbool.h>
#include <stddef.h>

enum { HTTPD_FIELDS_MAX = 100 };

struct httpd_field {
	char *name, *value;	/* inside bytes, or joined */
	bool joined;		/* value was allocated: several fields */
};

/* Zero, up to fields, is an empty head, also fit for httpd_head_free. */
struct httpd_head {
	char *bytes;		/* owned */
	const char *method;	/* static */
	char *path, *query;	/* inside bytes; query without "?" */
	int minor;		/* of HTTP/1.x: 0 or 1 */
	size_t count;
	long long length;	/* Content-Length; -1: none */
	bool chunked;
	bool keep;		/* the client would go on */
	bool expects;		/* 100-continue */
	struct httpd_field fields[HTTPD_FIELDS_MAX];	/* of these, count */
};

/*
 * Looks for the end of a head in len bytes of a connection; *from is where
 * to go on (0 at first). The number of bytes of the head with its empty
 * line, 0 when more are needed, -1 with why (static) when no head may
 * begin so: a bare CR or LF, a folded line, a control character.
 */
long httpd_head_scan(const char *, size_t len, size_t *from,
    const char **why);

/*
 * Reads the len bytes of a head, which are copied. 0, or the status that
 * refuses it, with why (static, or borrowed from head).
 */
int httpd_head_parse(struct httpd_head *, const char *, size_t len,
    const char **why);
void httpd_head_free(struct httpd_head *);

/* The value of a field, several joined by ", "; NULL: none. */
const char *httpd_head_get(const struct httpd_head *, const char *name);

#endif
