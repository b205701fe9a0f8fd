/*
 * Writing: whatever text comes in, what goes out is JSON in valid UTF-8.
 */
#include <string.h>

#include "json.h"
#include "json_rune.h"

static void
json_put_escape(struct buf *b, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *short_form = c != '\0' ? strchr(from, c) : NULL;

	if (short_form != NULL)
		buf_printf(b, "\\%c", to[short_form - from]);
	else
		buf_printf(b, "\\u%04x", (unsigned)c);
}

/* How many bytes at p can be written as they are. */
static size_t
json_put_clean(const char *p, size_t len)
{
	size_t done = 0, n;

	while ((n = json_rune_utf8(p + done, len - done)) > 0) {
		if (n == 1 && ((unsigned char)p[done] < 0x20 ||
		    p[done] == '"' || p[done] == '\\'))
			break;
		done += n;
	}
	return done;
}

void
json_put_text_n(struct buf *b, const char *text, size_t len)
{
	buf_char(b, '"');
	while (len > 0) {
		size_t n = json_put_clean(text, len);

		if (n > 0) {
			buf_add(b, text, n);
		} else {
			n = 1;
			if (json_rune_utf8(text, len) == 0)
				buf_str(b, "\xef\xbf\xbd");	/* U+FFFD */
			else
				json_put_escape(b, *text);
		}
		text += n;
		len -= n;
	}
	buf_char(b, '"');
}

void
json_put_text(struct buf *b, const char *text)
{
	if (text == NULL)
		buf_str(b, "null");
	else
		json_put_text_n(b, text, strlen(text));
}

static void
json_put_all(struct buf *b, const struct json *j, bool named)
{
	const struct json *item = json_first(j);

	buf_char(b, named ? '{' : '[');
	for (; item != NULL; item = json_next(item)) {
		if (item != json_first(j))
			buf_char(b, ',');
		if (named) {
			json_put_text(b, json_name(item));
			buf_char(b, ':');
		}
		json_put(b, item);
	}
	buf_char(b, named ? '}' : ']');
}

void
json_put(struct buf *b, const struct json *j)
{
	switch (json_kind(j)) {
	case JSON_BOOL:
		buf_str(b, json_true(j) ? "true" : "false");
		break;
	case JSON_NUMBER:
		buf_str(b, json_number(j));
		break;
	case JSON_STRING:
		json_put_text(b, json_text(j));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_put_all(b, j, json_kind(j) == JSON_OBJECT);
		break;
	default:
		buf_str(b, "null");
	}
}
