/*
 * The strict scanner: RFC 8259 to the letter, before anything else looks at
 * bytes from outside. It keeps no tree, follows no pointer and does not
 * recurse; the only memory it takes is the names of the objects that are
 * open, which are sorted when an object closes, so that no body can make the
 * search for duplicates quadratic.
 */
#include "json_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_rune.h"

enum json_scan_state {
	JSON_SCAN_FAILED,
	JSON_SCAN_DONE,
	JSON_SCAN_VALUE,	/* a value must come */
	JSON_SCAN_ITEM,		/* a value, or the end of an empty array */
	JSON_SCAN_NAME,		/* a name must come */
	JSON_SCAN_MEMBER,	/* a name, or the end of an empty object */
	JSON_SCAN_AFTER,	/* a value is over */
};

struct json_scan {
	const char *text, *at, *end;
	struct json_error *error;	/* or NULL */
	const char *nul;		/* the first \u0000, or end */
	struct {
		char close;
		size_t names;		/* of the objects around it */
	} levels[JSON_DEPTH_MAX + 1];
	size_t depth, depth_max;
	struct json_span *names;	/* of all open objects, in raw form */
	size_t count, room;
};

__attribute__((format(printf, 3, 4))) static bool
json_scan_refuse(struct json_scan *s, const char *at, const char *fmt, ...)
{
	va_list ap;

	if (s->error == NULL)
		return false;
	s->error->offset = (size_t)(at - s->text);
	va_start(ap, fmt);
	vsnprintf(s->error->message, sizeof(s->error->message), fmt, ap);
	va_end(ap);
	return false;
}

/* What was found where something else had to come. */
static bool
json_scan_expected(struct json_scan *s, const char *what)
{
	if (s->at == s->end)
		return json_scan_refuse(s, s->at,
		    "the text ends where %s must come", what);
	if (*s->at > ' ' && *s->at < 0x7f)
		return json_scan_refuse(s, s->at, "'%c' where %s must come",
		    *s->at, what);
	return json_scan_refuse(s, s->at, "byte 0x%02x where %s must come",
	    (unsigned char)*s->at, what);
}

/* \uXXXX, or two of them that are a pair; s->at is at the backslash. */
static bool
json_scan_unicode(struct json_scan *s)
{
	const char *p = s->at;
	long high = json_rune_hex(p + 2, s->end), low;

	if (high < 0)
		return json_scan_refuse(s, p, "\\u without four hex digits");
	if (high == 0 && s->nul == s->end)
		s->nul = p;
	s->at += 6;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	low = s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u' ?
	    json_rune_hex(s->at + 2, s->end) : -1;
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return json_scan_refuse(s, p, "half of a surrogate pair");
	s->at += 6;
	return true;
}

/* From quote to quote; raw, when not NULL, gets what is between. */
static bool
json_scan_string(struct json_scan *s, struct json_span *raw)
{
	const char *start = s->at++;

	while (s->at < s->end && *s->at != '"') {
		size_t n = json_rune_utf8(s->at, (size_t)(s->end - s->at));

		if (n == 0)
			return json_scan_refuse(s, s->at, "malformed UTF-8");
		if (n == 1 && (unsigned char)*s->at < 0x20)
			return json_scan_refuse(s, s->at, "a control "
			    "character inside a string must be escaped");
		if (*s->at != '\\') {
			s->at += n;
		} else if (s->end - s->at > 1 && s->at[1] == 'u') {
			if (!json_scan_unicode(s))
				return false;
		} else if (s->end - s->at > 1 && s->at[1] != '\0' &&
		    strchr("\"\\/bfnrt", s->at[1]) != NULL) {
			s->at += 2;
		} else {
			return json_scan_refuse(s, s->at, "unknown escape");
		}
	}
	if (s->at == s->end)
		return json_scan_refuse(s, start, "a string without an end");
	if (raw != NULL)
		*raw = (struct json_span) { start + 1,
		    (size_t)(s->at - start - 1) };
	s->at++;
	return true;
}

static bool
json_scan_digits(struct json_scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start || json_scan_expected(s, "a digit");
}

static bool
json_scan_numeral(struct json_scan *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0') {
		s->at++;
		if (s->at < s->end && *s->at >= '0' && *s->at <= '9')
			return json_scan_refuse(s, s->at - 1,
			    "a number with a leading zero");
	} else if (!json_scan_digits(s)) {
		return false;
	}
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!json_scan_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return json_scan_digits(s);
	}
	return true;
}

static bool
json_scan_word(struct json_scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return json_scan_expected(s, "a value");
	s->at += n;
	return true;
}

static void
json_scan_space(struct json_scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
	    *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool
json_scan_note(struct json_scan *s, const struct json_span *name)
{
	size_t room = s->room > 0 ? s->room * 2 : 16;
	struct json_span *grown;

	if (s->count == s->room) {
		grown = realloc(s->names, room * sizeof(*grown));
		if (grown == NULL)
			return json_scan_refuse(s, s->at, "out of memory");
		s->names = grown;
		s->room = room;
	}
	s->names[s->count++] = *name;
	return true;
}

/* For qsort(3): equal names in the order in which they came. */
static int
json_scan_order(const void *a, const void *b)
{
	const struct json_span *x = a, *y = b;
	int order = json_rune_compare(x, y);

	return order != 0 ? order : (x->text > y->text) - (x->text < y->text);
}

/* Looks for duplicates among the names of the object that ends. */
static bool
json_scan_unique(struct json_scan *s, size_t from)
{
	struct json_span *names, *twice = NULL;
	size_t n = s->count - from;
	int shown;

	s->count = from;
	if (n < 2)
		return true;
	names = s->names + from;
	qsort(names, n, sizeof(*names), json_scan_order);
	for (size_t i = 1; i < n; i++)
		if (json_rune_compare(&names[i - 1], &names[i]) == 0 &&
		    (twice == NULL || names[i].text < twice->text))
			twice = &names[i];
	if (twice == NULL)
		return true;
	/* Cut between two characters, and not inside an escape. */
	for (shown = 0; shown < (int)twice->len && shown < 60;) {
		const char *p = twice->text + shown;

		json_rune_next(&p, twice->text + twice->len);
		shown = (int)(p - twice->text);
	}
	return json_scan_refuse(s, twice->text - 1, "duplicate name \"%.*s\"%s",
	    shown, twice->text, shown < (int)twice->len ? "…" : "");
}

static enum json_scan_state
json_scan_open(struct json_scan *s)
{
	char open = *s->at;

	if (s->depth == s->depth_max) {
		json_scan_refuse(s, s->at, "nested more than %zu levels deep",
		    s->depth_max);
		return JSON_SCAN_FAILED;
	}
	s->at++;
	s->levels[s->depth].close = open == '{' ? '}' : ']';
	s->levels[s->depth].names = s->count;
	s->depth++;
	return open == '{' ? JSON_SCAN_MEMBER : JSON_SCAN_ITEM;
}

static enum json_scan_state
json_scan_close(struct json_scan *s)
{
	s->depth--;
	s->at++;
	if (s->levels[s->depth].close == '}' &&
	    !json_scan_unique(s, s->levels[s->depth].names))
		return JSON_SCAN_FAILED;
	return JSON_SCAN_AFTER;
}

static enum json_scan_state
json_scan_value(struct json_scan *s)
{
	char c = s->at < s->end ? *s->at : '\0';
	bool good;

	if (c == '{' || c == '[')
		return json_scan_open(s);
	if (c == '"')
		good = json_scan_string(s, NULL);
	else if (c == '-' || (c >= '0' && c <= '9'))
		good = json_scan_numeral(s);
	else if (c == 't')
		good = json_scan_word(s, "true");
	else if (c == 'f')
		good = json_scan_word(s, "false");
	else
		good = json_scan_word(s, "null");
	return good ? JSON_SCAN_AFTER : JSON_SCAN_FAILED;
}

static enum json_scan_state
json_scan_item(struct json_scan *s)
{
	if (s->at < s->end && *s->at == ']')
		return json_scan_close(s);
	return json_scan_value(s);
}

static enum json_scan_state
json_scan_name(struct json_scan *s)
{
	struct json_span raw;

	if (s->at == s->end || *s->at != '"') {
		json_scan_expected(s, "a name in quotes");
		return JSON_SCAN_FAILED;
	}
	if (!json_scan_string(s, &raw) || !json_scan_note(s, &raw))
		return JSON_SCAN_FAILED;
	json_scan_space(s);
	if (s->at == s->end || *s->at != ':') {
		json_scan_expected(s, "a colon");
		return JSON_SCAN_FAILED;
	}
	s->at++;
	return JSON_SCAN_VALUE;
}

static enum json_scan_state
json_scan_member(struct json_scan *s)
{
	if (s->at < s->end && *s->at == '}')
		return json_scan_close(s);
	return json_scan_name(s);
}

static enum json_scan_state
json_scan_after(struct json_scan *s)
{
	char close, c = s->at < s->end ? *s->at : '\0';

	if (s->depth == 0) {
		if (s->at == s->end)
			return JSON_SCAN_DONE;
		json_scan_refuse(s, s->at, "more text after the value");
		return JSON_SCAN_FAILED;
	}
	close = s->levels[s->depth - 1].close;
	if (c == close)
		return json_scan_close(s);
	if (c == ',') {
		s->at++;
		return close == '}' ? JSON_SCAN_NAME : JSON_SCAN_VALUE;
	}
	json_scan_expected(s, close == '}' ? "a comma or }" :
	    "a comma or ]");
	return JSON_SCAN_FAILED;
}

bool
json_scan(const char *text, size_t len, size_t depth, size_t *nul,
    struct json_error *error)
{
	struct json_scan s = { .text = text, .at = text, .end = text + len,
	    .error = error, .nul = text + len, .depth_max = depth };
	enum json_scan_state state = JSON_SCAN_VALUE;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		json_scan_refuse(&s, text, "a byte order mark");
		state = JSON_SCAN_FAILED;
	}
	while (state > JSON_SCAN_DONE) {
		json_scan_space(&s);
		if (state == JSON_SCAN_VALUE)
			state = json_scan_value(&s);
		else if (state == JSON_SCAN_ITEM)
			state = json_scan_item(&s);
		else if (state == JSON_SCAN_NAME)
			state = json_scan_name(&s);
		else if (state == JSON_SCAN_MEMBER)
			state = json_scan_member(&s);
		else
			state = json_scan_after(&s);
	}
	free(s.names);
	if (nul != NULL)
		*nul = (size_t)(s.nul - text);
	return state == JSON_SCAN_DONE;
}

bool
json_check(const char *text, size_t len, struct json_error *error)
{
	return json_scan(text, len, JSON_DEPTH_MAX, NULL, error);
}

bool
json_check_around(const char *text, size_t len, struct json_error *error)
{
	return json_scan(text, len, JSON_DEPTH_MAX + 1, NULL, error);
}
