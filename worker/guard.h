#ifndef GUARD_H
#define GUARD_H
/*
 * Which addresses the worker may connect to. Loopback, private, link-local
 * and otherwise special ones (the registries of RFC 6890) are refused unless
 * a list names them. Decided on the address that is really connected to, so
 * that no spelling and no name can lead around it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "buf.h"

struct guard_net {
	unsigned char bytes[16];
	int family;		/* AF_INET or AF_INET6 */
	unsigned bits;		/* 0..32 or 0..128 */
};

/* Zeroed: nothing special is allowed. */
struct guard {
	struct guard_net *nets;	/* owned */
	size_t count;
};

/*
 * list: addresses and networks ("127.0.0.1 10.0.0.0/8, fd00::/8") by commas
 * or spaces; NULL or "": none. False: error says which is wrong. guard_free
 * in any case.
 */
bool guard_read(struct guard *, const char *list, struct buf *error);
void guard_free(struct guard *);

bool guard_allows(const struct guard *, const struct sockaddr *);

#endif
