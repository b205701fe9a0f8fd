#ifndef BUF_H
#define BUF_H
/*
 * Bytes that grow up to a cap given at birth.
 *
 * A failed addition (over the cap, or out of memory) adds nothing and sets
 * `failed`, which stays set until buf_reset: a caller may add ten times and
 * look once. `data` is NUL-terminated whenever it is not NULL.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;	/* owned; NULL until something was added */
	size_t len;	/* bytes in use, without the NUL */
	size_t cap;	/* bytes allocated */
	size_t max;	/* len never exceeds this */
	bool failed;
};

#define BUF_INIT(limit) { .data = NULL, .max = (limit) }

void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);		/* frees data; keeps max */
void buf_reset(struct buf *);		/* len = 0, failed = false */

bool buf_add(struct buf *, const void *, size_t);
bool buf_str(struct buf *, const char *);
bool buf_char(struct buf *, char);
bool buf_number(struct buf *, unsigned long long);	/* decimal */
bool buf_printf(struct buf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

/* Room for n more bytes at the end, or NULL; buf_grew says how many came. */
char *buf_room(struct buf *, size_t n);
void buf_grew(struct buf *, size_t n);

/* Removes the first n bytes; n may not exceed len. */
void buf_drop(struct buf *, size_t n);

/* Never NULL: the text so far, or "". Borrowed until the next change. */
const char *buf_text(const struct buf *);

/* Gives the text away (the caller frees it) and leaves the buf empty;
 * NULL when it failed or memory ran out. */
char *buf_give(struct buf *);

/* Writes the text to standard output and frees it. False: errno says why not
 * all of it is there; ENOMEM when the buf had failed. */
bool buf_print(struct buf *);

#endif
