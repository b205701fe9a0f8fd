#ifndef NATS_H
#define NATS_H
/*
 * The line protocol of core NATS, from the client's side
 * (docs.nats.io/reference/reference-protocols/nats-protocol). Pure: bytes in,
 * lines out, no socket, no clock.
 *
 * What a server sends is bounded: a line by NATS_LINE_MAX, and a message is
 * passed over and never kept.
 */
#include <stdbool.h>
#include <stddef.h>

#include "broker.h"
#include "buf.h"

enum {
	NATS_LINE_MAX = 65536,		/* bytes; INFO is the longest line */
	NATS_MESSAGE_MAX = 67108864,	/* the most that a server takes */
};

enum nats_kind {
	NATS_MORE,	/* all bytes are used up, and no line is complete */
	NATS_INFO, NATS_MSG, NATS_PING, NATS_PONG, NATS_OK, NATS_ERR,
	NATS_WRONG,	/* that is not NATS; it stays so */
};

struct nats {
	struct buf line;	/* the last one, without CR LF */
	size_t skip;		/* bytes of a message that are still to come */
	bool whole;		/* line was told */
};

void nats_start(struct nats *);
void nats_stop(struct nats *);		/* frees */

/* Takes bytes until a line is complete, and moves *at and *left behind it;
 * called until it is NATS_MORE or NATS_WRONG. */
enum nats_kind nats_read(struct nats *, const char **at, size_t *left);

/* What stands behind the verb of the last line; borrowed until the next. */
const char *nats_rest(const struct nats *);

/* What of INFO is looked at. */
struct nats_info {
	long long max_payload;	/* bytes; 0: not said */
	bool tls_required;
};
/* False: it is no JSON object. */
bool nats_info(const char *text, struct nats_info *);

/* What a client says. name: of the program. */
void nats_put_connect(struct buf *, const struct broker *, const char *name);
void nats_put_sub(struct buf *, const char *subject, int sid);
void nats_put_pub(struct buf *, const char *subject, const char *payload,
    size_t len);
void nats_put_ping(struct buf *);
void nats_put_pong(struct buf *);

#endif
