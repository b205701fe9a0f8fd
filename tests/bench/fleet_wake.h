#ifndef FLEET_WAKE_H
#define FLEET_WAKE_H
/*
 * Subscribers: one connection to Redis or NATS for each agent, which is told
 * of every message. It does not look into a message: that is a hint to read.
 */
#include <stdbool.h>
#include <stdint.h>

struct fleet;

struct wake {
	int fd;
	char line[12];		/* the begin of the present line */
	uint8_t len;
};

struct wake_set {
	struct wake *all;	/* owned; NULL: nobody subscribes */
	uint32_t n;
	bool nats;
	uint32_t lost;		/* connections that broke */
};

/* What epoll(7) says of a subscriber carries this beside its number. */
#define WAKE_MARK	((uint64_t)1 << 32)

/* Connects and subscribes all of them; false: said why. */
bool wakes_open(struct fleet *);
void wakes_close(struct wake_set *);
void wakes_event(struct fleet *, uint32_t i);

#endif
