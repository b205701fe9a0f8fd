#ifndef ROSTER_H
#define ROSTER_H
/*
 * The numbers that agents have in liveness, of those that this process has
 * met: 32 to 64 bytes an agent, and half as much again while it grows.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roster {
	struct roster_entry *entries;
	size_t count, room;
	uint64_t seeds[4];
};

/* All of it is forgotten. One of zeros is an empty one. */
void roster_clear(struct roster *);

/* id: the 16 bytes of a UUID. -1: it was not met. */
long long roster_find(const struct roster *, const unsigned char id[16]);

/* number: 0 or more; replaces the one that is there. What finds no memory is
 * not remembered. */
void roster_add(struct roster *, const unsigned char id[16],
    long long number);

#endif
