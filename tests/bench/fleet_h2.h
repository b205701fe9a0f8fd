#ifndef FLEET_H2_H
#define FLEET_H2_H
/*
 * HTTP/2 without TLS, known beforehand (RFC 9113, 3.3), as proxies speak it to
 * the server behind them: several requests at once on one connection. Each is
 * a struct conn of its own (fleet_conn.h), of those that share a link.
 */
#include <stdbool.h>
#include <stdint.h>

struct conn;
struct fleet;
struct h2_link;

struct h2_set {
	struct h2_link *all;	/* owned */
	uint32_t n, streams;	/* links; requests at once on each */
};

/* Of an event of epoll(7): it is a link's. */
#define H2_MARK	((uint64_t)1 << 33)

/* The most memory that so many links take, in bytes. */
uint64_t h2_size(uint32_t n, uint32_t streams);
/* False: out of memory. */
bool h2_open(struct h2_set *, uint32_t n, uint32_t streams);
void h2_close(struct h2_set *);

/* Asks what stands in c->out, as HTTP/1.1. It goes with h2_flush. */
void h2_ask(struct fleet *, struct conn *c);
/* Sends what has been asked. */
void h2_flush(struct fleet *);
/* No answer is awaited any more. */
void h2_forget(struct fleet *, struct conn *c);
/* epoll(7) says so of link i. */
void h2_event(struct fleet *, uint32_t i, uint32_t events);

#endif
