#ifndef PUBLISH_H
#define PUBLISH_H
/*
 * What a body of POST /config asks for. Three are understood: the document,
 * {"url": …}; an envelope, {"data": {…}, "poll_interval_seconds"?,
 * "comment"?}, known by a `data` that is an object; and the document with
 * poll_interval_seconds beside url, which then stays in it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "json.h"

enum {
	PUBLISH_INTERVAL_MAX = 86400,	/* seconds */
	PUBLISH_COMMENT_MAX = 1024,	/* bytes */
	PUBLISH_AROUND_MAX = 16384,	/* bytes of an envelope beside data */
};

struct publish_body {
	const char *data;	/* the document inside the text; NULL when the
				 * text is no JSON object */
	size_t len;
	long interval;		/* 0: not said */
	char *comment;		/* owned; NULL: none */
};

/*
 * Reads text, which is borrowed as long as the body is. False: refuse was
 * called. publish_free in any case.
 */
bool publish_read(struct publish_body *, const char *text, size_t len,
    field_refusal *refuse, void *arg);
void publish_free(struct publish_body *);

#endif
