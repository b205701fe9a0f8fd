#ifndef BROKER_H
#define BROKER_H
/*
 * Where a broker is, and who we are there: the URLs of Redis and of NATS.
 * Pure.
 *
 *	redis://[[user]:password@]host[:port][/number]
 *	nats://[user:password@|token@]host[:port][,…]
 *
 * Users, passwords and tokens may be percent-encoded. The reading of a URL
 * never says what stands before its @.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum { BROKER_SERVERS = 16 };

struct broker {
	char *user, *password;	/* owned; or NULL */
	char *token;		/* owned; NATS; or NULL */
	char *host;		/* owned; a name or an address, no brackets */
	int port;
	int number;		/* Redis: of the database */
};

/* Servers that stand for each other. */
struct broker_list {
	struct broker at[BROKER_SERVERS];
	size_t count;		/* 1 or more once it was read */
};

/* False: error says what is wrong, as "has no good host". Free in any case. */
bool broker_redis(struct broker *, const char *url, struct buf *error);
void broker_free(struct broker *);

/* A list of one, and several by commas: a server of NATS without a credential
 * has that of the first that has one. */
bool broker_list_redis(struct broker_list *, const char *url,
    struct buf *error);
bool broker_list_nats(struct broker_list *, const char *urls,
    struct buf *error);
void broker_list_free(struct broker_list *);

#endif
