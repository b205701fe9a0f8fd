#ifndef WORDS_H
#define WORDS_H
/*
 * What a program says in the body of a refusal, for people. Pure.
 */
#include "buf.h"

enum { WORDS_MAX = 256 };

/* The `detail`, `message` or `error` of a JSON body, else its first line; cut,
 * "" when there is nothing to quote. body may be NULL. */
void words_of(const struct buf *body, char out[WORDS_MAX]);

/* Takes the times out of a message of libcurl's ("… after 3 ms: …"), so that
 * the same failure has the same words. */
void words_steady(char *text);

#endif
