#ifndef FLEET_PROC_H
#define FLEET_PROC_H
/*
 * What a lighttpd and its responders take: processor time and memory, from
 * /proc (proc(5)).
 */
#include <stdint.h>

struct proc_use {
	int64_t server_us;	/* lighttpd and its workers, which are called
				 * as it is: user and system time */
	int64_t others_us;	/* its other living children */
	int64_t server_kib;	/* resident; what is shared counts once */
	int64_t others_kib;
};

/* All zero when there is no such process. */
void proc_look(long pid, struct proc_use *);

/* Of this process: processor time, and the most memory it had. */
int64_t proc_own_us(void);
int64_t proc_own_kib(void);

#endif
