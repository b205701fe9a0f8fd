#ifndef JSON_SCAN_H
#define JSON_SCAN_H
/*
 * The scanner's own door, for the family of json only.
 */
#include "json.h"

/* As json_check, with at most depth levels (JSON_DEPTH_MAX + 1 at most); nul,
 * when not NULL, is set to the offset of the first \u0000 escape, or to len
 * when there is none. */
bool json_scan(const char *text, size_t len, size_t depth, size_t *nul,
    struct json_error *error);

/* The next number at or after *at in a text that was checked; *at moves
 * behind it. False: there is none. */
bool json_span_number(const char *text, size_t len, size_t *at,
    struct json_span *out);

#endif
