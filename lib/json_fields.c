/*
 * Field tables: reading a body into a struct, and freeing that. The table is
 * trusted, the body is not: whatever is wrong with it is said by name, and
 * not more than a score of times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* One reading under way. */
struct json_reading {
	const struct field *fields;
	char *into;
	field_refusal *refuse;
	void *arg;
	int refused;
};

static void
json_fields_refuse(struct json_reading *r, const char *name,
    const char *message)
{
	if (r->refused < FIELD_REFUSALS)
		r->refuse(r->arg, name, message);
	r->refused++;
}

/* "a, b or c" */
static void
json_fields_words(struct buf *b, const char *list)
{
	while (*list != '\0') {
		size_t n = strcspn(list, " ");
		const char *rest = list + n + strspn(list + n, " ");

		buf_add(b, list, n);
		if (*rest != '\0')
			buf_str(b, rest[strcspn(rest, " ")] != '\0' ? ", " :
			    " or ");
		list = rest;
	}
}

static void
json_fields_bounds(struct buf *b, const struct field *f, const char *unit)
{
	if (f->max < f->min)
		buf_printf(b, " of at least %lld%.*s", f->min,
		    (int)strlen(unit) - (f->min == 1 && *unit != '\0'), unit);
	else if (f->max != 0 || f->min != 0)
		buf_printf(b, " from %lld to %lld%s", f->min, f->max, unit);
}

/* Refuses with what the row allows. */
static void
json_fields_must(struct json_reading *r, const struct field *f)
{
	struct buf b = BUF_INIT(1000);

	buf_str(&b, "must be ");
	if (f->kind == FIELD_BOOL) {
		buf_str(&b, "true or false");
	} else if (f->kind == FIELD_WHOLE) {
		buf_str(&b, "a whole number");
		json_fields_bounds(&b, f, "");
	} else if (f->kind == FIELD_RAW) {
		json_fields_words(&b, f->choices);
	} else if (f->choices != NULL) {
		buf_str(&b, "one of ");
		json_fields_words(&b, f->choices);
	} else {
		buf_str(&b, "a string");
		json_fields_bounds(&b, f, " bytes");
	}
	json_fields_refuse(r, f->name, buf_text(&b));
	buf_free(&b);
}

static void
json_fields_text(struct json_reading *r, const struct field *f,
    const struct json *value)
{
	const char *text = json_text(value);
	char **to = (char **)(void *)(r->into + f->offset);
	long long len;

	if (text == NULL) {
		json_fields_must(r, f);
		return;
	}
	len = (long long)strlen(text);
	if (len < f->min || (f->max > 0 && len > f->max) ||
	    (f->choices != NULL && !text_among(f->choices, text)))
		json_fields_must(r, f);
	else if ((*to = strdup(text)) == NULL)
		json_fields_refuse(r, f->name, "out of memory");
}

static void
json_fields_whole(struct json_reading *r, const struct field *f,
    const struct json *value)
{
	long long *to = (long long *)(void *)(r->into + f->offset), number;
	bool bound = f->min != 0 || f->max != 0;

	if (!json_whole(value, &number) || (bound && number < f->min) ||
	    (bound && f->max >= f->min && number > f->max))
		json_fields_must(r, f);
	else
		*to = number;
}

static void
json_fields_raw(struct json_reading *r, const struct field *f,
    const struct json *value)
{
	static const char *const kinds[] = { "null", "boolean", "number",
		"string", "array", "object" };
	char **to = (char **)(void *)(r->into + f->offset);
	struct buf b = BUF_INIT(f->max > 0 ? (size_t)f->max :
	    (size_t)1 << 30);
	char message[64] = "out of memory";

	if (f->choices != NULL &&
	    !text_among(f->choices, kinds[json_kind(value)])) {
		json_fields_must(r, f);
		return;
	}
	json_put(&b, value);
	*to = buf_give(&b);
	if (*to == NULL) {
		if (f->max > 0)
			snprintf(message, sizeof(message), "must be at most "
			    "%lld bytes of JSON", f->max);
		json_fields_refuse(r, f->name, message);
	}
}

static void
json_fields_bool(struct json_reading *r, const struct field *f,
    const struct json *value)
{
	bool *to = (bool *)(void *)(r->into + f->offset);

	if (json_kind(value) != JSON_BOOL)
		json_fields_must(r, f);
	else
		*to = json_true(value);
}

static bool
json_fields_reads(const struct field *f)
{
	return f->kind == FIELD_TEXT || f->kind == FIELD_WHOLE ||
	    f->kind == FIELD_BOOL || f->kind == FIELD_RAW;
}

static bool
json_fields_missing(const struct field *f, const struct json *value)
{
	if (value == NULL)
		return true;
	return json_kind(value) == JSON_NULL && f->need == FIELD_OPTIONAL &&
	    (f->kind == FIELD_TEXT || f->kind == FIELD_RAW ||
	    f->kind == FIELD_WHOLE);
}

static void
json_fields_one(struct json_reading *r, const struct field *f,
    const struct json *value)
{
	if (f->kind == FIELD_TEXT)
		json_fields_text(r, f, value);
	else if (f->kind == FIELD_WHOLE)
		json_fields_whole(r, f, value);
	else if (f->kind == FIELD_BOOL)
		json_fields_bool(r, f, value);
	else
		json_fields_raw(r, f, value);
}

static void
json_fields_strangers(struct json_reading *r, const struct json *object)
{
	const struct json *item;

	for (item = json_first(object); item != NULL; item = json_next(item)) {
		const struct field *f = r->fields;

		while (f->name != NULL && strcmp(f->name, json_name(item)) != 0)
			f++;
		if (f->name == NULL)
			json_fields_refuse(r, json_name(item),
			    "is not a member that is known here");
	}
}

bool
fields_read(const struct field *fields, const struct json *object, void *into,
    unsigned long *present, bool strict, field_refusal *refuse, void *arg)
{
	struct json_reading r = { fields, into, refuse, arg, 0 };
	unsigned long seen = 0, bit = 1;

	if (json_kind(object) != JSON_OBJECT) {
		json_fields_refuse(&r, "", "must be a JSON object");
		strict = false;
	}
	for (const struct field *f = fields; f->name != NULL; f++, bit <<= 1) {
		const struct json *value = json_get(object, f->name);

		if (!json_fields_reads(f))
			continue;
		if (!json_fields_missing(f, value)) {
			seen |= bit;
			json_fields_one(&r, f, value);
		} else if (f->need == FIELD_REQUIRED) {
			json_fields_refuse(&r, f->name, "is missing");
		}
	}
	if (strict)
		json_fields_strangers(&r, object);
	if (present != NULL)
		*present = seen;
	return r.refused == 0;
}

void
fields_free(const struct field *fields, void *of)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		char *at = (char *)of + f->offset;

		if (f->kind == FIELD_TEXT || f->kind == FIELD_RAW) {
			free(*(char **)(void *)at);
			*(char **)(void *)at = NULL;
		} else if (f->kind == FIELD_OBJECT && f->fields != NULL) {
			fields_free(f->fields, at);
		}
	}
}
