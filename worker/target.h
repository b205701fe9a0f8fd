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

bool target_allows(const struct worker *, const struct sockaddr *);

/* The headers that are passed on, "Name: value\r\n" each. */
void target_headers(const struct fetch_result *, struct buf *);

/* 502 or 504 for an end that is not FETCH_DONE, counted, and a sentence for
 * people. */
int target_failure(struct worker *, const struct fetch_result *,
    struct buf *why);

#endif
