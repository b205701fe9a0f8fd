/*
 * Parameters: percent-encoding, UTF-8, and the kinds a row may ask for.
 *
 * A plus sign is a plus sign: what HTML forms make of it is no part of
 * RFC 3986. An empty pair, a key without "=", a key twice are mistakes of the
 * caller, and are said to be.
 */
#include "route_param.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "json_rune.h"
#include "text.h"
#include "token.h"

static bool
route_param_decode(const char *raw, size_t len, char *out)
{
	int byte;

	for (size_t i = 0; i < len; i++) {
		char c = raw[i];

		if (c == '%') {
			byte = hex_pair(raw + i + 1, len - i - 1);
			if (byte < 0)
				return false;
			c = (char)byte;
			i += 2;
		}
		if (c == '\0')
			return false;
		*out++ = c;
	}
	*out = '\0';
	return true;
}

static bool
route_param_utf8(const char *text, bool *control)
{
	const char *end = text + strlen(text);

	for (*control = false; text < end;) {
		uint32_t rune = json_rune_plain(&text, end);

		if (rune == 0xffffffff)
			return false;
		if (rune < 0x20 || (rune >= 0x7f && rune < 0xa0))
			*control = true;
	}
	return true;
}

static bool
route_param_whole(const struct route_param *p, const char *text)
{
	long long n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return false;
	return n >= p->min && n <= p->max;
}

static bool
route_param_fits(const struct route_param *p, char *text, bool control)
{
	size_t len = strlen(text);

	if (p == NULL)
		return len > 0;
	switch (p->kind) {
	case ROUTE_WHOLE:
		return route_param_whole(p, text);
	case ROUTE_UUID:
		if (!token_is_uuid(text))
			return false;
		for (; *text != '\0'; text++)
			if (*text >= 'A' && *text <= 'F')
				*text = (char)(*text - 'A' + 'a');
		return true;
	case ROUTE_WORD:
		return text_among(p->choices, text);
	case ROUTE_TEXT:
		return len > 0 && !control &&
		    (p->max == 0 || len <= (size_t)p->max);
	case ROUTE_FLAG:
		return text_among("true false", text);
	}
	return false;
}

enum route_fit
route_param_read(const struct route_param *p, const char *raw, size_t len,
    char *out)
{
	bool control;

	if (!route_param_decode(raw, len, out) ||
	    !route_param_utf8(out, &control))
		return ROUTE_MALFORMED;
	return route_param_fits(p, out, control) ? ROUTE_FITS : ROUTE_UNFIT;
}

static void
route_param_expected(const struct route_param *p, char *out, size_t size)
{
	switch (p->kind) {
	case ROUTE_WHOLE:
		snprintf(out, size, "a whole number from %lld to %lld",
		    p->min, p->max);
		break;
	case ROUTE_UUID:
		snprintf(out, size, "a UUID");
		break;
	case ROUTE_WORD:
		snprintf(out, size, "one of: %s", p->choices);
		break;
	case ROUTE_TEXT:
		snprintf(out, size,
		    "text of 1 to %lld bytes without control characters",
		    p->max > 0 ? p->max : (long long)ROUTE_QUERY_MAX);
		break;
	case ROUTE_FLAG:
		snprintf(out, size, "true or false");
		break;
	}
}

static int
route_param_find(const struct route *r, const char *key)
{
	for (int i = 0; i < ROUTE_PARAMS_MAX && r->params != NULL &&
	    r->params[i].name != NULL; i++)
		if (r->params[i].in == ROUTE_IN_QUERY &&
		    strcmp(r->params[i].name, key) == 0)
			return i;
	return -1;
}

/* One key=value. key and text have room for the whole query. */
static bool
route_param_pair(struct route_request *req, struct route_reply *reply,
    const char *pair, size_t len, char *key, char *text)
{
	const char *equals = memchr(pair, '=', len);
	size_t keylen = equals != NULL ? (size_t)(equals - pair) : len;
	const struct route_param *p;
	char expected[512];
	enum route_fit fit;
	int i;

	if (route_param_read(NULL, pair, keylen, key) != ROUTE_FITS) {
		route_problem(req, reply, 400, "a query key is %s",
		    keylen == 0 ? "empty" : "malformed");
		return false;
	}
	i = route_param_find(req->route, key);
	if (i < 0) {
		route_problem(req, reply, 400, "unknown query key \"%.64s\"",
		    key);
		return false;
	}
	if (req->values[i] != NULL) {
		route_problem(req, reply, 400, "query key \"%s\" is repeated",
		    key);
		return false;
	}
	p = &req->route->params[i];
	fit = equals == NULL ? ROUTE_UNFIT :
	    route_param_read(p, equals + 1, len - keylen - 1, text);
	if (fit != ROUTE_FITS) {
		route_param_expected(p, expected, sizeof(expected));
		route_problem(req, reply, 400, "query key \"%s\" %s %s", key,
		    fit == ROUTE_MALFORMED ? "is malformed, expected" :
		    "must be", expected);
		return false;
	}
	req->values[i] = strdup(text);
	if (req->values[i] == NULL)
		route_problem(req, reply, 500, "out of memory");
	return req->values[i] != NULL;
}

bool
route_param_query(struct route_request *req, struct route_reply *reply)
{
	char key[ROUTE_QUERY_MAX + 1], text[ROUTE_QUERY_MAX + 1];
	const char *pair = req->query;

	if (*pair == '\0')
		return true;
	if (strlen(pair) > ROUTE_QUERY_MAX) {
		route_problem(req, reply, 400,
		    "the query is longer than %d bytes", ROUTE_QUERY_MAX);
		return false;
	}
	for (;;) {
		size_t len = strcspn(pair, "&");

		if (!route_param_pair(req, reply, pair, len, key, text))
			return false;
		if (pair[len] == '\0')
			return true;
		pair += len + 1;
	}
}
