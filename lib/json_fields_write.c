/*
 * Field tables: writing a struct as a JSON object.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"

/* RFC 3339, always with milliseconds, so that texts sort as times do. */
static void
json_fields_put_time(struct buf *b, long long ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (ms <= 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099) {
		buf_str(b, "null");
		return;
	}
	buf_printf(b, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (int)(ms % 1000));
}

/* The shorter of the two forms that reads back as the same number. */
static void
json_fields_put_real(struct buf *b, double value)
{
	char text[40];

	if (!isfinite(value) || value < 0) {
		buf_str(b, "null");
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) < value || strtod(text, NULL) > value)
		snprintf(text, sizeof(text), "%.17g", value);
	buf_str(b, text);
}

static void
json_fields_put(const struct field *f, const char *at, struct buf *b)
{
	const char *text;

	switch (f->kind) {
	case FIELD_TEXT:
		json_put_text(b, *(char *const *)(const void *)at);
		break;
	case FIELD_RAW:
		text = *(char *const *)(const void *)at;
		buf_str(b, text != NULL ? text : "null");
		break;
	case FIELD_WHOLE:
		buf_printf(b, "%lld", *(const long long *)(const void *)at);
		break;
	case FIELD_BOOL:
		buf_str(b, *(const bool *)(const void *)at ? "true" : "false");
		break;
	case FIELD_TIME:
		json_fields_put_time(b, *(const long long *)(const void *)at);
		break;
	case FIELD_REAL:
		json_fields_put_real(b, *(const double *)(const void *)at);
		break;
	case FIELD_OBJECT:
		fields_write(f->fields, at, b);
		break;
	case FIELD_ITEMS:
		break;
	}
}

/* Whether the value is the one that FIELD_OMIT leaves out. */
static bool
json_fields_void(const struct field *f, const char *at)
{
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_RAW:
		return *(char *const *)(const void *)at == NULL;
	case FIELD_WHOLE:
	case FIELD_TIME:
		return *(const long long *)(const void *)at == 0;
	case FIELD_BOOL:
		return !*(const bool *)(const void *)at;
	case FIELD_REAL:
		return !(*(const double *)(const void *)at > 0);
	default:
		return false;
	}
}

void
fields_write(const struct field *fields, const void *from, struct buf *b)
{
	bool first = true;

	buf_char(b, '{');
	for (const struct field *f = fields; f->name != NULL; f++) {
		const char *at = (const char *)from + f->offset;

		if (f->kind == FIELD_ITEMS ||
		    (f->need == FIELD_OMIT && json_fields_void(f, at)))
			continue;
		if (!first)
			buf_char(b, ',');
		first = false;
		json_put_text(b, f->name);
		buf_char(b, ':');
		json_fields_put(f, at, b);
	}
	buf_char(b, '}');
}
