/*
 * Field tables: printing the schema, in the subset of JSON Schema that
 * OpenAPI 3.0.3 has (there a null is allowed by `nullable`, which counts only
 * beside `type`, and an enum must name it too).
 */
#include <string.h>

#include "json.h"

static void json_fields_schema_field(struct buf *, const struct field *);

static bool
json_fields_schema_nullable(const struct field *f)
{
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_RAW:
	case FIELD_TIME:
	case FIELD_REAL:
		return f->need == FIELD_OPTIONAL;
	case FIELD_WHOLE:
		/* never written as null: only what is read has bounds */
		return f->need == FIELD_OPTIONAL && (f->min != 0 ||
		    f->max != 0);
	default:
		return false;
	}
}

static void
json_fields_schema_word(struct buf *b, const char *type, size_t len,
    bool nullable)
{
	buf_str(b, "\"type\":");
	json_put_text_n(b, type, len);
	if (nullable)
		buf_str(b, ",\"nullable\":true");
}

static void
json_fields_schema_type(struct buf *b, const char *type, bool nullable)
{
	json_fields_schema_word(b, type, strlen(type), nullable);
}

static void
json_fields_schema_enum(struct buf *b, const char *words, bool nullable)
{
	const char *comma = "";

	buf_str(b, ",\"enum\":[");
	for (size_t n; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		buf_str(b, comma);
		json_put_text_n(b, words, n);
		comma = ",";
	}
	buf_str(b, nullable ? ",null]" : "]");
}

static void
json_fields_schema_text(struct buf *b, const struct field *f)
{
	bool nullable = json_fields_schema_nullable(f);

	json_fields_schema_type(b, "string", nullable);
	if (f->choices != NULL)
		json_fields_schema_enum(b, f->choices, nullable);
	/* Ours are bytes, the schema's are characters, of 1 to 4 bytes. */
	if (f->min > 0)
		buf_printf(b, ",\"minLength\":%lld", (f->min + 3) / 4);
	if (f->max > 0 && f->max >= f->min)
		buf_printf(b, ",\"maxLength\":%lld", f->max);
}

static void
json_fields_schema_whole(struct buf *b, const struct field *f)
{
	json_fields_schema_type(b, "integer", json_fields_schema_nullable(f));
	if (f->min == 0 && f->max == 0)
		return;
	buf_printf(b, ",\"minimum\":%lld", f->min);
	if (f->max >= f->min)
		buf_printf(b, ",\"maximum\":%lld", f->max);
}

/* One kind is a type, several are oneOf, all of them say nothing. */
static void
json_fields_schema_raw(struct buf *b, const struct field *f)
{
	const char *words = f->choices;
	bool nullable = json_fields_schema_nullable(f);
	const char *comma = "";

	if (words == NULL)
		return;
	if (strchr(words, ' ') == NULL) {
		json_fields_schema_word(b, words, strlen(words), nullable);
		return;
	}
	buf_str(b, "\"oneOf\":[");
	for (size_t n; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		buf_printf(b, "%s{", comma);
		json_fields_schema_word(b, words, n, nullable);
		buf_char(b, '}');
		comma = ",";
		nullable = false;	/* a null must fit one of them only */
	}
	buf_char(b, ']');
}

static void
json_fields_schema_items(struct buf *b, const struct field *f)
{
	json_fields_schema_type(b, "array", false);
	buf_str(b, ",\"items\":");
	if (f->fields != NULL)
		fields_schema(f->fields, b);
	else
		buf_str(b, "{}");
}

/* The members of a FIELD_OBJECT's schema, without its braces. */
static void
json_fields_schema_object(struct buf *b, const struct field *fields)
{
	const char *comma = "";
	bool required = false;

	json_fields_schema_type(b, "object", false);
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->need != FIELD_REQUIRED)
			continue;
		buf_str(b, required ? "," : ",\"required\":[");
		json_put_text(b, f->name);
		required = true;
	}
	buf_str(b, required ? "],\"properties\":{" : ",\"properties\":{");
	for (const struct field *f = fields; f->name != NULL; f++) {
		buf_str(b, comma);
		json_put_text(b, f->name);
		buf_char(b, ':');
		json_fields_schema_field(b, f);
		comma = ",";
	}
	buf_char(b, '}');
}

static void
json_fields_schema_kind(struct buf *b, const struct field *f)
{
	bool nullable = json_fields_schema_nullable(f);

	switch (f->kind) {
	case FIELD_TEXT:
		json_fields_schema_text(b, f);
		break;
	case FIELD_WHOLE:
		json_fields_schema_whole(b, f);
		break;
	case FIELD_BOOL:
		json_fields_schema_type(b, "boolean", false);
		break;
	case FIELD_TIME:
		json_fields_schema_type(b, "string", nullable);
		buf_str(b, ",\"format\":\"date-time\"");
		break;
	case FIELD_REAL:
		json_fields_schema_type(b, "number", nullable);
		break;
	case FIELD_RAW:
		json_fields_schema_raw(b, f);
		break;
	case FIELD_OBJECT:
		json_fields_schema_object(b, f->fields);
		break;
	case FIELD_ITEMS:
		json_fields_schema_items(b, f);
		break;
	}
}

static void
json_fields_schema_field(struct buf *b, const struct field *f)
{
	size_t start;

	buf_char(b, '{');
	start = b->len;
	json_fields_schema_kind(b, f);
	if (f->format != NULL && f->kind != FIELD_TIME) {
		buf_str(b, ",\"format\":");
		json_put_text(b, f->format);
	}
	if (f->doc != NULL) {
		buf_str(b, b->len > start ? ",\"description\":" :
		    "\"description\":");
		json_put_text(b, f->doc);
	}
	buf_char(b, '}');
}

void
fields_schema(const struct field *fields, struct buf *b)
{
	buf_char(b, '{');
	json_fields_schema_object(b, fields);
	buf_char(b, '}');
}
