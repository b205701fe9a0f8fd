#ifndef FLEET_ASK_H
#define FLEET_ASK_H
/*
 * What an agent says to the controller, and the tags that it may have.
 */
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "etag.h"
#include "fleet_agent.h"
#include "fleet_option.h"

enum {
	ASK_MAX = 1024,		/* bytes of a request */
	ASK_FIELDS = 16,	/* of a request by HTTP/2 */
	ASK_TAGS = 4096,	/* versions in one run */
};

struct ask_tag {
	char text[ETAG_SIZE];
	long long version;
};

struct ask {
	char head[ASK_MAX / 4];		/* of a poll: what all have in common */
	const char *key;		/* of the fleet, or NULL: tokens */
	uint64_t seed;
	bool beats, keeps;
	struct ask_tag *tags;		/* owned; the first is no tag */
	uint16_t tagged;		/* how many */
};

/* False: the secrets or the path are too long, or memory is out. Borrows. */
bool ask_open(struct ask *, const struct fleet_option *);
void ask_close(struct ask *);

/* An agent's poll into out, which takes ASK_MAX; its length. */
size_t ask_poll(const struct ask *, const struct agent_set *, uint32_t who,
    char *out);
/* Its registration, with the fleet's key. */
size_t ask_register(const struct fleet_option *, uint32_t who, char *out);
/* How many fields of HTTP/2 one of these two is; they point into the request,
 * which is changed. */
size_t ask_fields(char *request, nghttp2_nv out[ASK_FIELDS]);
/* Takes its token from the answer. False: there is none. */
bool ask_registered(struct agent_set *, uint32_t who, const char *body);
/* A publish of something new. */
size_t ask_publish(const struct fleet_option *, char *out);

/* The number of a tag, new or known; 0 for none, and when there are too many.
 * One that is not the controller's counts as of version 0: a bench also asks
 * a static file. */
uint16_t ask_tag(struct ask *, const char *text);

#endif
