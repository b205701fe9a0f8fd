#ifndef FLEET_CONN_H
#define FLEET_CONN_H
/*
 * The fleet's connections: each carries one request at a time, of any agent.
 * By HTTP/2 several of them share one of TCP (fleet_h2.h).
 */
#include <stdbool.h>
#include <stdint.h>

#include "etag.h"
#include "fleet_ask.h"
#include "llhttp.h"

enum conn_state {
	CONN_IDLE,		/* open or not */
	CONN_CALLS,		/* waits for a connection */
	CONN_ASKS,		/* sends, or waits for the answer */
};

struct conn {
	int fd;			/* -1, and by HTTP/2 */
	int32_t stream;		/* by HTTP/2; 0: none */
	uint32_t who;		/* an agent, or CONN_PUBLISH */
	enum conn_state state;
	bool fresh;		/* nothing was asked on it before */
	bool began, done;	/* the answer */
	uint16_t len, sent;	/* of out */
	uint16_t got;		/* of a body, which takes its place */
	int status;		/* of the answer; 0: none yet */
	int64_t asked;		/* us: when the agent had it */
	llhttp_t parser;
	char name[8];		/* of a field; longer ones are cut */
	uint8_t named;
	uint8_t tagged;
	char etag[ETAG_SIZE];
	char out[ASK_MAX];
};
#define CONN_PUBLISH	(UINT32_MAX - 1)

struct conn_set {
	struct conn *all;	/* owned; one more than n: for publishing */
	uint32_t n;
	uint32_t *idle;		/* owned: the numbers of idle ones */
	uint32_t idles;
	uint32_t calls;		/* made so far */
};

struct fleet;

/* So many, over so many sockets. False: out of memory, or of descriptors,
 * which is said. */
bool conns_open(struct conn_set *, uint32_t n, uint32_t sockets);
void conns_close(struct conn_set *);

/* Asks for an agent; there must be an idle one. */
void conns_ask(struct fleet *, uint32_t who);
/* Publishes, unless that is still under way: false. */
bool conns_publish(struct fleet *);
/* epoll(7) says so of number i. */
void conns_event(struct fleet *, uint32_t i, uint32_t events);
/* Gives up what was asked before `since`. */
void conns_overdue(struct fleet *, int64_t since);

/* What becomes of one that asked: it is idle afterwards, and by HTTP/1.1
 * closed, unless it is kept. */
void conn_answered(struct fleet *, struct conn *, int status, bool keeps);
void conn_fail(struct fleet *, struct conn *);

#endif
