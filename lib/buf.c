/*
 * Bytes with a cap. Doubles its memory as it grows, refuses to pass the cap,
 * and remembers that it refused.
 */
#include "buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUF_FIRST = 64,
	BUF_DIGITS = 20,	/* of an unsigned long long */
};

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

static char *
buf_widen(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;
	char *grown;

	if (b->failed || n > b->max || b->len > b->max - n ||
	    b->len + n > SIZE_MAX / 4) {
		b->failed = true;
		return NULL;
	}
	while (cap < b->len + n + 1)
		cap *= 2;
	if (cap != b->cap || b->data == NULL) {
		grown = realloc(b->data, cap);
		if (grown == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = grown;
		b->cap = cap;
	}
	b->data[b->len] = '\0';
	return b->data + b->len;
}

char *
buf_room(struct buf *b, size_t n)
{
	/* as a rule it is there */
	if (n >= b->cap - b->len || n > b->max - b->len || b->failed)
		return buf_widen(b, n);
	b->data[b->len] = '\0';
	return b->data + b->len;
}

void
buf_grew(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

bool
buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *room = buf_room(b, n);

	if (room == NULL)
		return false;
	if (n > 0)
		memcpy(room, bytes, n);
	buf_grew(b, n);
	return true;
}

bool
buf_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool
buf_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool
buf_number(struct buf *b, unsigned long long n)
{
	char digits[BUF_DIGITS], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return buf_add(b, first, (size_t)(digits + sizeof(digits) - first));
}

bool
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t space = b->failed || b->data == NULL ? 0 : b->cap - b->len;
	va_list again;
	char *room;
	int n;

	va_copy(again, ap);
	n = vsnprintf(space > 0 ? b->data + b->len : NULL, space, fmt, again);
	va_end(again);
	/* most texts fit into what is there already */
	if (n >= 0 && (size_t)n < space && b->len + (size_t)n <= b->max) {
		b->len += (size_t)n;
		return true;
	}
	if (space > 0)
		b->data[b->len] = '\0';
	if (n < 0 || (room = buf_room(b, (size_t)n)) == NULL) {
		b->failed = true;
		return false;
	}
	vsnprintf(room, (size_t)n + 1, fmt, ap);
	buf_grew(b, (size_t)n);
	return true;
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return ok;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

const char *
buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *
buf_give(struct buf *b)
{
	char *text = NULL;

	if (!b->failed && buf_room(b, 0) != NULL) {
		text = b->data;
		b->data = NULL;
	}
	buf_free(b);
	return text;
}

bool
buf_print(struct buf *b)
{
	bool ok = !b->failed;
	int err = ENOMEM;

	if (ok) {
		ok = fwrite(buf_text(b), 1, b->len, stdout) == b->len &&
		    fflush(stdout) == 0;
		err = errno;
	}
	buf_free(b);
	errno = err;
	return ok;
}
