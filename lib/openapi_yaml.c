/*
 * YAML, as much as a document of ours needs: one key a line, JSON where a
 * value has structure, block scalars where it has lines or could be taken for
 * something else. Text that a block scalar would change is written as a JSON
 * string, which YAML takes too.
 */
#include "openapi_yaml.h"

#include <stdarg.h>
#include <string.h>

void
openapi_line(struct buf *b, int depth, const char *fmt, ...)
{
	va_list ap;

	for (int i = 0; i < depth; i++)
		buf_str(b, "  ");
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
	buf_char(b, '\n');
}

/* Block scalars keep no leading space, no control character, and one final
 * newline at most. */
static bool
openapi_blocks(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || *text == ' ' || *text == '\n' ||
	    (len > 1 && strcmp(text + len - 2, "\n\n") == 0))
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f ||
		    (*p == ' ' && (p[1] == '\n' || p[1] == '\0')))
			return false;
	return true;
}

/* Words that stand as they are, and can be read as nothing but text. */
static bool
openapi_plain(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && ((*text >= 'A' && *text <= 'Z') ||
	    (*text >= 'a' && *text <= 'z')) &&
	    strchr(text, ' ') != NULL && strchr(text, '\n') == NULL &&
	    strstr(text, ": ") == NULL && strstr(text, " #") == NULL &&
	    text[len - 1] != ':';
}

void
openapi_text(struct buf *b, int depth, const char *key, const char *text)
{
	size_t len = strlen(text), n;

	if (!openapi_blocks(text)) {
		openapi_line(b, depth, "%s:", key);
		b->len -= b->len > 0;	/* the value follows on the line */
		buf_char(b, ' ');
		json_put_text(b, text);
		buf_char(b, '\n');
		return;
	}
	if (openapi_plain(text)) {
		openapi_line(b, depth, "%s: %s", key, text);
		return;
	}
	openapi_line(b, depth, "%s: |%s", key,
	    text[len - 1] == '\n' ? "" : "-");
	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n == 0)
			buf_char(b, '\n');
		else
			openapi_line(b, depth + 1, "%.*s", (int)n, text);
	}
}

void
openapi_json(struct buf *b, int depth, const char *key, const char *json)
{
	openapi_line(b, depth, "%s:", key);
	b->len -= b->len > 0;
	buf_char(b, ' ');
	/* raw newlines stand between tokens only */
	for (; *json != '\0'; json++)
		buf_char(b, *json == '\n' || *json == '\t' ? ' ' : *json);
	buf_char(b, '\n');
}

void
openapi_type(struct buf *b, int depth, const char *type)
{
	/* "*" would begin an alias */
	openapi_line(b, depth, *type == '*' ? "\"%s\":" : "%s:", type);
}

bool
openapi_is_json(const char *type)
{
	size_t len = strcspn(type, "; ");

	return (len == 16 && memcmp(type, "application/json", 16) == 0) ||
	    (len > 5 && memcmp(type + len - 5, "+json", 5) == 0);
}
