#ifndef BODY_H
#define BODY_H
/*
 * A request's body that a field table describes.
 */
#include "json.h"
#include "route.h"

enum body_members {
	BODY_STRICT,		/* members that no row names are refused */
	BODY_LOOSE,		/* they are ignored */
};

/* Reads the body, an object, into a struct; present as for fields_read. False:
 * the reply is a 400 whose detail says that `what` is not valid. fields_free
 * in any case. */
bool body_read(const struct route_request *, struct route_reply *,
    const struct field *, void *into, unsigned long *present,
    enum body_members, const char *what);

#endif
