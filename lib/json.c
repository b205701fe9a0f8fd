/*
 * The tree: cJSON builds it from what the scanner has passed. cJSON never
 * sees a number: they are blanked to 0 before it reads, because it would turn
 * them into doubles (2^53+1 into 2^53) and stops after 63 digits; each then
 * gets its own text back.
 */
#include "json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

#define JSON_WHOLE_MAX (1LL << 53)
enum { JSON_DIGITS = 16 };	/* of JSON_WHOLE_MAX */

struct json_numbers {
	const char *text;
	size_t len, at;
};

static const cJSON *
json_item(const struct json *j)
{
	return (const cJSON *)(const void *)j;
}

static const struct json *
json_of(const cJSON *item)
{
	return (const struct json *)(const void *)item;
}

/* The text with each number as 0 and spaces; the caller frees it. */
static char *
json_blank(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	struct json_span number;
	size_t at = 0;

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	while (json_span_number(text, len, &at, &number)) {
		memset(copy + (number.text - text), ' ', number.len);
		copy[number.text - text] = '0';
	}
	return copy;
}

/* Gives every number of the tree its text. In cJSON a number has no
 * valuestring; cJSON_Delete frees it all the same. The depth is bounded by
 * the scanner. */
static bool
json_restore(cJSON *item, struct json_numbers *numbers)
{
	struct json_span span;

	for (; item != NULL; item = item->next) {
		if (cJSON_IsNumber(item)) {
			if (!json_span_number(numbers->text, numbers->len,
			    &numbers->at, &span))
				return false;
			item->valuestring = cJSON_malloc(span.len + 1);
			if (item->valuestring == NULL)
				return false;
			memcpy(item->valuestring, span.text, span.len);
			item->valuestring[span.len] = '\0';
		} else if (!json_restore(item->child, numbers)) {
			return false;
		}
	}
	return true;
}

struct json *
json_parse(const char *text, size_t len, struct json_error *error)
{
	struct json_numbers numbers = { text, len, 0 };
	const char *why = "out of memory";
	cJSON *root = NULL;
	char *copy;
	size_t nul;

	if (!json_scan(text, len, JSON_DEPTH_MAX, &nul, error))
		return NULL;
	if (nul < len) {
		why = "\\u0000 is not allowed";
		goto out;
	}
	copy = json_blank(text, len);
	if (copy != NULL)
		root = cJSON_ParseWithLength(copy, len);
	free(copy);
	if (root != NULL && !json_restore(root, &numbers)) {
		cJSON_Delete(root);
		root = NULL;
	}
out:
	if (root == NULL && error != NULL) {
		error->offset = nul;
		snprintf(error->message, sizeof(error->message), "%s", why);
	}
	return (struct json *)(void *)root;
}

void
json_free(struct json *j)
{
	cJSON_Delete((cJSON *)(void *)j);
}

enum json_kind
json_kind(const struct json *j)
{
	const cJSON *item = json_item(j);

	if (item == NULL)
		return JSON_NONE;
	switch (item->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

const struct json *
json_get(const struct json *object, const char *name)
{
	if (json_kind(object) != JSON_OBJECT)
		return NULL;
	return json_of(cJSON_GetObjectItemCaseSensitive(json_item(object),
	    name));
}

const char *
json_text(const struct json *j)
{
	return json_kind(j) == JSON_STRING ? json_item(j)->valuestring : NULL;
}

const char *
json_number(const struct json *j)
{
	return json_kind(j) == JSON_NUMBER ? json_item(j)->valuestring : NULL;
}

bool
json_true(const struct json *j)
{
	return cJSON_IsTrue(json_item(j));
}

/* The exponent of a number, cut where nothing could change any more. */
static long
json_exponent(const char *p)
{
	bool minus = *p == '-';
	long value = 0;

	p += *p == '-' || *p == '+';
	for (; *p >= '0' && *p <= '9'; p++)
		if (value < 100000000)
			value = value * 10 + (*p - '0');
	return minus ? -value : value;
}

/*
 * A number as digits times a power of ten, the digits without zeros at either
 * end: it is whole if the power is not negative. More than 16 such digits are
 * over 2^53 or not whole, so they need not be held.
 */
static bool
json_decimal(const char *p, long long *digits, long *power)
{
	long long value = 0;
	long count = 0, zeros = 0, scale = 0;
	bool point = false;

	for (; *p == '.' || (*p >= '0' && *p <= '9'); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		scale -= point;
		if (*p == '0') {
			zeros += count > 0;
			continue;
		}
		if (count + zeros >= JSON_DIGITS)
			return false;
		for (; zeros > 0; zeros--, count++)
			value *= 10;
		value = value * 10 + (*p - '0');
		count++;
	}
	*digits = value;
	*power = scale + zeros + (*p != '\0' ? json_exponent(p + 1) : 0);
	return true;
}

bool
json_whole(const struct json *j, long long *out)
{
	const char *p;
	long long value;
	long power;
	bool minus;

	if (json_kind(j) != JSON_NUMBER)
		return false;
	p = json_number(j);
	minus = *p == '-';
	if (!json_decimal(p + minus, &value, &power))
		return false;
	if (value == 0)
		power = 0;
	if (power < 0 || power > JSON_DIGITS)
		return false;
	for (; power > 0; power--) {
		if (value > JSON_WHOLE_MAX / 10)
			return false;
		value *= 10;
	}
	if (value > JSON_WHOLE_MAX)
		return false;
	*out = minus ? -value : value;
	return true;
}

const struct json *
json_first(const struct json *j)
{
	return j != NULL ? json_of(json_item(j)->child) : NULL;
}

const struct json *
json_next(const struct json *j)
{
	return j != NULL ? json_of(json_item(j)->next) : NULL;
}

const char *
json_name(const struct json *j)
{
	return j != NULL ? json_item(j)->string : NULL;
}
