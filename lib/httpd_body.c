/*
 * Request bodies. Chunks are read by the letter of RFC 9112, 7.1, and no
 * more: no bare LF, no sign or prefix of a size, and a bound on extensions
 * and trailers, which are read over. llhttp is not asked here: the version
 * that Debian 12 has lets some of that pass.
 */
#include "httpd_body.h"

#include <stdbool.h>

#include "hex.h"

enum {
	HTTPD_BODY_DIGITS = 15,		/* of a chunk's size */
	HTTPD_BODY_ASIDE = 8192,	/* extensions and trailers */
};

enum {
	BODY_IDENTITY,
	BODY_SIZE,		/* digits of a size */
	BODY_EXTENSION,
	BODY_SIZE_LF,
	BODY_DATA,
	BODY_DATA_CR,
	BODY_DATA_LF,
	BODY_TRAILER,		/* the beginning of a line */
	BODY_TRAILER_LINE,
	BODY_TRAILER_LF,
	BODY_LAST_LF,
	BODY_END,
};

void
httpd_body_start(struct httpd_body *b, long long length)
{
	*b = (struct httpd_body){ .state = BODY_SIZE };
	if (length >= 0) {
		b->state = length == 0 ? BODY_END : BODY_IDENTITY;
		b->left = (unsigned long long)length;
	}
}

static bool
httpd_body_size(struct httpd_body *b, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		b->left = b->left << 4 | (unsigned)digit;
		return ++b->digits <= HTTPD_BODY_DIGITS;
	}
	if (b->digits == 0)
		return false;
	b->state = c == '\r' ? BODY_SIZE_LF : BODY_EXTENSION;
	return c == '\r' || c == ';' || c == ' ' || c == '\t';
}

/* A byte of an extension or a trailer. */
static bool
httpd_body_aside(struct httpd_body *b, char c, int after)
{
	unsigned char byte = (unsigned char)c;

	if (c == '\r') {
		b->state = after;
		return true;
	}
	return ++b->aside <= HTTPD_BODY_ASIDE &&
	    (byte >= 0x20 || c == '\t') && byte != 0x7f;
}

/* One byte of the framing. False: it may not stand there. */
static bool
httpd_body_frame(struct httpd_body *b, char c)
{
	switch (b->state) {
	case BODY_SIZE:
		return httpd_body_size(b, c);
	case BODY_EXTENSION:
		return httpd_body_aside(b, c, BODY_SIZE_LF);
	case BODY_SIZE_LF:
		b->state = b->left > 0 ? BODY_DATA : BODY_TRAILER;
		return c == '\n';
	case BODY_DATA_CR:
		b->state = BODY_DATA_LF;
		return c == '\r';
	case BODY_DATA_LF:
		b->state = BODY_SIZE;
		b->digits = 0;
		return c == '\n';
	case BODY_TRAILER:
		if (c == '\r') {
			b->state = BODY_LAST_LF;
			return true;
		}
		b->state = BODY_TRAILER_LINE;
		return c != ' ' && c != '\t' && c != ':' &&
		    httpd_body_aside(b, c, BODY_TRAILER_LF);
	case BODY_TRAILER_LINE:
		return httpd_body_aside(b, c, BODY_TRAILER_LF);
	case BODY_TRAILER_LF:
		b->state = BODY_TRAILER;
		return c == '\n';
	case BODY_LAST_LF:
		b->state = BODY_END;
		return c == '\n';
	}
	return false;
}

size_t
httpd_body_read(struct httpd_body *b, const char *bytes, size_t len,
    struct buf *into, enum httpd_body_end *end)
{
	size_t at = 0, n;

	*end = HTTPD_BODY_MORE;
	while (b->state != BODY_END && at < len) {
		if (b->state != BODY_IDENTITY && b->state != BODY_DATA) {
			if (!httpd_body_frame(b, bytes[at])) {
				*end = HTTPD_BODY_BAD;
				return at;
			}
			at++;
			continue;
		}
		n = len - at < b->left ? len - at : (size_t)b->left;
		if (!buf_add(into, bytes + at, n)) {
			*end = HTTPD_BODY_BIG;
			return at;
		}
		at += n;
		b->left -= n;
		if (b->left == 0)
			b->state = b->state == BODY_IDENTITY ? BODY_END :
			    BODY_DATA_CR;
	}
	if (b->state == BODY_END)
		*end = HTTPD_BODY_DONE;
	return at;
}
