#ifndef TARGET_H
#define TARGET_H
/*
 * From a configuration to a request, and from an answer to what may be
 * passed on: the part of a hit that is the same however its answer is
 * delivered.
 */
#include "worker.h"

/*
 * Fills everything that the configuration and the settings say. The caller
 * adds arg and the callbacks; its `allow` asks target_allows. Borrows from
 * both: not kept beyond fetch_start.
 */
void target_request(const struct worker *, const struct current *,
    struct fetch_request *);

/*
 * The caller's Via, which goes on before our own: of two workers that lead to
 * each other, each finds itself there (RFC 9110, 7.6.3). NULL: he sent none,
 * or one that is passed on to nobody.
 */
const char *target_caller(const struct route_request *);
/* Adds it to the request's headers, unless the document has a Via of its own.
 * Gives what is to be freed after fetch_start; NULL: nothing was added. */
char **target_via(const struct worker *, const char *caller,
    struct fetch_request *);

bool target_allows(const struct worker *, const struct sockaddr *);

/* The headers that are passed on, "Name: value\r\n" each. */
void target_headers(const struct fetch_result *, struct buf *);

/* 502 or 504 for an end that is not FETCH_DONE, counted, and a sentence for
 * people. */
int target_failure(struct worker *, const struct fetch_result *,
    struct buf *why);

#endif
