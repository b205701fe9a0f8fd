/*
 * Characters: UTF-8 and the escapes of JSON, one at a time. Nothing is
 * copied or decoded into memory.
 */
#include "json_rune.h"

#include <string.h>

#include "hex.h"

size_t
json_rune_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;	/* below: overlong */
	else if (p[0] == 0xed)
		high = 0x9f;	/* above: surrogates */
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;	/* above: over U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

long
json_rune_hex(const char *p, const char *end)
{
	long value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = p + i < end ? hex_digit(p[i]) : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

uint32_t
json_rune_plain(const char **p, const char *end)
{
	const unsigned char *u = (const unsigned char *)*p;
	size_t n = json_rune_utf8(*p, (size_t)(end - *p));
	uint32_t rune;

	*p += n > 0 ? n : 1;
	if (n <= 1)
		return n == 1 ? u[0] : 0xffffffff;
	rune = u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		rune = rune << 6 | (u[i] & 0x3fu);
	return rune;
}

uint32_t
json_rune_next(const char **p, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *letter;
	uint32_t rune;
	char c;

	if (**p != '\\')
		return json_rune_plain(p, end);
	if (end - *p < 2) {
		*p = end;
		return 0xffffffff;
	}
	c = (*p)[1];
	if (c != 'u') {
		*p += 2;
		letter = strchr(from, c);
		return letter != NULL && c != '\0' ?
		    (uint32_t)to[letter - from] : (unsigned char)c;
	}
	rune = (uint32_t)json_rune_hex(*p + 2, end);
	*p += end - *p < 6 ? end - *p : 6;
	if (rune >= 0xd800 && rune <= 0xdbff && end - *p >= 6) {
		rune = 0x10000 + ((rune - 0xd800) << 10) +
		    ((uint32_t)json_rune_hex(*p + 2, end) - 0xdc00);
		*p += 6;
	}
	return rune;
}

int
json_rune_compare(const struct json_span *a, const struct json_span *b)
{
	const char *p = a->text, *q = b->text;
	const char *p_end = p + a->len, *q_end = q + b->len;

	while (p < p_end && q < q_end) {
		uint32_t x = json_rune_next(&p, p_end);
		uint32_t y = json_rune_next(&q, q_end);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (p < p_end) - (q < q_end);
}
