#ifndef FAST_H
#define FAST_H
/*
 * The fast path: what lighttpd itself answers of GET /config, where an agent's
 * key or token is good. 304 when the caller has the present version, else 200
 * with its body. fast_lua.c puts it into lighttpd.
 */
#include <stdbool.h>
#include <stddef.h>

#include "front_read.h"
#include "gather.h"
#include "route.h"

/* The fields of a request that are looked at. */
enum fast_field {
	FAST_KEY, FAST_AUTHORIZATION, FAST_TAGS, FAST_CACHE, FAST_ID,
	FAST_VERSION, FAST_STATE, FAST_REQUEST,
	FAST_NOTHING,	/* it is none of those before */
	FAST_OTHER,	/* it asks for more than this can do, or could become
			 * another one's CGI variable */
};

enum {
	FAST_FIELDS = FAST_NOTHING,
	FAST_COUNT_MAX = 100,	/* fields of a request, half of
				 * GATEWAY_FIELDS_MAX */
	FAST_TARGET_SIZE = 256,
};

/* A request. Borrows; what is NULL was not sent. */
struct fast_poll {
	const char *fields[FAST_FIELDS];
	const char *method;
	const char *target;	/* as it was sent */
	const char *path;	/* what lighttpd made of it */
};

/* What goes out with the status. */
struct fast_reply {
	const char *etag, *interval;	/* borrowed until the next request */
	char id[ROUTE_ID_SIZE];
	const struct buf *body;		/* of a 200, else NULL */
};

/* A mount: the state it answers from, and the heartbeats it leaves there. */
struct fast {
	struct front_view front;
	struct gather *gather;
	char target[FAST_TARGET_SIZE];	/* the last that was plain */
};

/* False: out of memory, and there is nothing to close. */
bool fast_open(struct fast *, const char *state_dir);
void fast_close(struct fast *);

/* What a field of that name, of whatever bytes, is to it. */
enum fast_field fast_field(const char *name, size_t len);

/* 200, 304, or 0: it is the responders' to answer, or to refuse. */
int fast_answer(struct fast *, const struct fast_poll *, struct fast_reply *);

#endif
