#ifndef ROUTE_PARAM_H
#define ROUTE_PARAM_H
/*
 * Parameters of a row: decoding and checking. For route.c alone.
 */
#include "route.h"

enum route_fit {
	ROUTE_FITS,
	ROUTE_UNFIT,		/* well formed, but not of the kind */
	ROUTE_MALFORMED,	/* a broken escape, a NUL, or no UTF-8 */
};

/*
 * Decodes len bytes of a path segment or a query value (RFC 3986, 2.1) into
 * out, which has room for len + 1, and checks them against the kind; NULL
 * takes any text that is not empty. A UUID is put into lower case.
 */
enum route_fit route_param_read(const struct route_param *,
    const char *raw, size_t len, char *out);

/* Reads req->query into req->values by req->route. False: reply is a 400
 * that names the key. */
bool route_param_query(struct route_request *, struct route_reply *);

#endif
