#ifndef REDIS_H
#define REDIS_H
/*
 * The protocol of Redis (RESP 2), from the client's side, by hiredis' reader
 * alone. Pure: bytes in, replies out, no socket, no clock.
 *
 * Of a reply only its kind and its first word are kept, so that its size is
 * no matter; what one has to buffer is bounded by REDIS_MAX. (hiredis'
 * connections are not used: on replies that nobody asked for they abort.)
 */
#include <stdbool.h>
#include <stddef.h>

#include "broker.h"
#include "buf.h"

enum {
	REDIS_MAX = 4 << 20,	/* bytes of one string of a reply */
	REDIS_WORD = 128,
};

enum redis_kind {
	REDIS_MORE,	/* no reply is complete */
	REDIS_REPLY,
	REDIS_ERROR,	/* a reply that says what went wrong: word */
	REDIS_WRONG,	/* that is not Redis; it stays so */
};

struct redisReader;

struct redis {
	struct redisReader *reader;
	bool error;
	/* Of the last reply: the error's text, a string, or the first string
	 * of an array; cut. */
	char word[REDIS_WORD];
};

/* False: out of memory. Not moved while it is started. */
bool redis_start(struct redis *);
void redis_stop(struct redis *);	/* also one of zeroes */

/* Adds bytes, at most 64 KiB at once; redis_read until it is REDIS_MORE
 * before the next ones. */
void redis_feed(struct redis *, const char *, size_t);
enum redis_kind redis_read(struct redis *);

/* A command of words that may have any bytes. lens: NULL for texts. */
void redis_put(struct buf *, size_t count, const char *const *words,
    const size_t *lens);
/* AUTH, when there is a password; the number of replies that it will have. */
int redis_put_auth(struct buf *, const struct broker *);

#endif
