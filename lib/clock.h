#ifndef CLOCK_H
#define CLOCK_H
/*
 * The time, in whole milliseconds.
 */

long long clock_wall(void);	/* since 1970; may be set back */
long long clock_steady(void);	/* since some start; never goes back */
long long clock_busy(void);	/* of a processor, by this thread */

#endif
