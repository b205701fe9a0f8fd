#ifndef HEX_H
#define HEX_H
/*
 * Hex digits, read.
 */
#include <stddef.h>

extern const signed char hex_values[256];	/* one more than the value */

/* The value of a hex digit, of either case, or -1. */
static inline int
hex_digit(char c)
{
	return hex_values[(unsigned char)c] - 1;
}

/* The value of the two digits at text, or -1. */
int hex_pair(const char *text, size_t len);

#endif
