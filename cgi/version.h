#ifndef VERSION_H
#define VERSION_H
/*
 * A version as the outside sees it: the body of GET /config.
 */
#include <stddef.h>

#include "buf.h"
#include "json.h"

enum {
	VERSION_DATA_MAX = 1048576,	/* bytes of a document, at the most
					 * that CONFIG_MAX_BYTES allows */
	VERSION_BODY_MAX = VERSION_DATA_MAX + 128,
};

/* {"version":7,"data":…,"poll_interval_seconds":30}, data as it is. */
void version_body(struct buf *, long long version, const char *data,
    size_t len, long interval);

/* The document inside such a body; {} when body is NULL. */
void version_data(struct json_span *, const char *body, size_t len);

#endif
