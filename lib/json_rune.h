#ifndef JSON_RUNE_H
#define JSON_RUNE_H
/*
 * Characters of JSON strings: for the family of json, and for whoever must
 * know where a character of UTF-8 ends.
 */
#include <stdint.h>

#include "json.h"

/* The bytes of the well-formed UTF-8 character at text (RFC 3629, 4); 0 when
 * it is malformed or len is 0. */
size_t json_rune_utf8(const char *text, size_t len);

/* The four hex digits at p, or -1. */
long json_rune_hex(const char *p, const char *end);

/* The code point of the character at *p, which moves behind it; p < end.
 * 0xffffffff stands for a byte that is none. plain: nothing is an escape;
 * next: the inside of a string that was checked. */
uint32_t json_rune_plain(const char **p, const char *end);
uint32_t json_rune_next(const char **p, const char *end);

/* Two insides of strings by their characters, however they are escaped:
 * below, equal to, or above 0. */
int json_rune_compare(const struct json_span *, const struct json_span *);

#endif
