/*
 * Hex digits, as they come from outside. By a table: random digits, as ids
 * have them, are nothing that a processor could foresee a branch by.
 */
#include "hex.h"

const signed char hex_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int
hex_pair(const char *text, size_t len)
{
	int high = len >= 2 ? hex_digit(text[0]) : -1;
	int low = high >= 0 ? hex_digit(text[1]) : -1;

	return low >= 0 ? high << 4 | low : -1;
}
