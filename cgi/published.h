#ifndef PUBLISHED_H
#define PUBLISHED_H
/*
 * What comes of a change of the configuration: the store's decision as an
 * answer. Shared by whatever makes a version.
 */
#include "route.h"
#include "store.h"

/* The body of 200 and 201, for the document. */
extern const struct field published_fields[];

/* The example of a 412. */
extern const char published_stale[];

/*
 * Publishes the change in the caller's name, with his If-Match, and makes
 * the reply: 201, 200 for unchanged or a dry run, 412, 503.
 */
void published_make(const struct route_request *, struct route_reply *,
    struct store_change *);

#endif
