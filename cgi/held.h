#ifndef HELD_H
#define HELD_H
/*
 * How many polls all processes hold now. Each that holds has a slot in the
 * file STATE_DIR/held: 8 bytes, its count, under a lock that the kernel drops
 * with the process, however it ends.
 */

enum { HELD_SLOTS = 64 };

struct held {
	int fd;			/* -1: not open */
	int slot;
};

/* Takes a free slot. 0, or errno: then nothing is counted. */
int held_open(struct held *, const char *state_dir);
void held_close(struct held *);

/* This process's count; nothing when it is not open. */
void held_set(const struct held *, long long count);

/* The sum over the processes that live; 0 when nobody ever held. */
long long held_sum(const char *state_dir);

#endif
