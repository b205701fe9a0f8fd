/*
 * Where things are inside a text that the scanner has passed: a member of
 * the object at the top, the numbers one after another. Finds bytes, copies
 * nothing, and never leaves the text even if it was not checked.
 */
#include <string.h>

#include "json_rune.h"
#include "json_scan.h"

static const char *
json_span_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' ||
	    *p == '\r'))
		p++;
	return p;
}

/* Behind the string that starts at p. */
static const char *
json_span_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && end - p > 1)
			p++;
	return p < end ? p + 1 : end;
}

/* Behind the value that starts at p. */
static const char *
json_span_value(const char *p, const char *end)
{
	size_t depth = 0;

	if (p < end && *p != '"' && *p != '{' && *p != '[') {
		while (p < end && strchr(",]} \t\n\r", *p) == NULL)
			p++;
		return p;
	}
	while (p < end) {
		if (*p == '"') {
			p = json_span_string(p, end);
		} else {
			depth += *p == '{' || *p == '[';
			depth -= depth > 0 && (*p == '}' || *p == ']');
			p++;
		}
		if (depth == 0)
			break;
	}
	return p;
}

static enum json_kind
json_span_kind(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* Whether the inside of a string stands for the plain text. */
static bool
json_span_is(const char *p, const char *end, const char *name)
{
	const char *name_end = name + strlen(name);

	while (p < end && name < name_end)
		if (json_rune_next(&p, end) !=
		    json_rune_plain(&name, name_end))
			return false;
	return p >= end && name >= name_end;
}

enum json_kind
json_span(const char *text, size_t len, const char *name,
    struct json_span *out)
{
	const char *end = text + len, *p = json_span_space(text, end);

	if (p == end || *p != '{')
		return JSON_NONE;
	for (p = json_span_space(p + 1, end); p < end && *p == '"';) {
		const char *inside = p + 1, *close;
		const char *value;

		p = json_span_string(p, end);
		close = p - 1;
		p = json_span_space(p, end);
		if (p == end || *p != ':')
			break;
		value = json_span_space(p + 1, end);
		p = json_span_value(value, end);
		if (p == value)
			break;
		if (json_span_is(inside, close, name)) {
			*out = (struct json_span) { value,
			    (size_t)(p - value) };
			return json_span_kind(*value);
		}
		p = json_span_space(p, end);
		if (p < end && *p == ',')
			p = json_span_space(p + 1, end);
	}
	return JSON_NONE;
}

bool
json_span_number(const char *text, size_t len, size_t *at,
    struct json_span *out)
{
	const char *p = text + *at, *end = text + len;

	while (p < end && *p != '-' && (*p < '0' || *p > '9'))
		p = *p == '"' ? json_span_string(p, end) : p + 1;
	out->text = p;
	while (p < end && *p != '\0' && strchr("+-.eE0123456789", *p) != NULL)
		p++;
	out->len = (size_t)(p - out->text);
	*at = (size_t)(p - text);
	return out->len > 0;
}
