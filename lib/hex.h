#ifndef HEX_H
#define HEX_H
/*
 * Hex digits, read.
 */
#include <stddef.h>

/* The value of a hex digit, of either case, or -1. */
int hex_digit(char);
/* The value of the two digits at text, or -1. */
int hex_pair(const char *text, size_t len);

#endif
