/*
 * Finds the sentence in the body of a refusal (RFC 9457's detail), so that
 * an administrator reads the worker's own words upstream.
 */
#include "words.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

static bool
words_member(const struct json *object, const char *name, char *out)
{
	const char *text = json_text(json_get(object, name));

	if (text == NULL || text[0] == '\0')
		return false;
	snprintf(out, WORDS_MAX, "%s", text);
	return true;
}

void
words_of(const struct buf *body, char out[WORDS_MAX])
{
	struct json *json;
	const char *text;
	size_t len;

	out[0] = '\0';
	if (body == NULL || body->len == 0)
		return;
	json = json_parse(body->data, body->len, NULL);
	if (json_kind(json) != JSON_OBJECT ||
	    !(words_member(json, "detail", out) ||
	    words_member(json, "message", out) ||
	    words_member(json, "error", out))) {
		text = buf_text(body);
		text += strspn(text, " \t\r\n");
		len = strcspn(text, "\r\n");
		snprintf(out, WORDS_MAX, "%.*s",
		    (int)(len < WORDS_MAX ? len : WORDS_MAX), text);
	}
	json_free(json);
}

void
words_steady(char *text)
{
	static const char *const units[] = { " milliseconds", " ms" };

	for (char *at = text; (at = strstr(at, " after ")) != NULL; at++) {
		char *digits = at + strlen(" after ");
		char *end = digits + strspn(digits, "0123456789");

		for (size_t i = 0; i < 2 && end > digits; i++)
			if (strncmp(end, units[i], strlen(units[i])) == 0) {
				end += strlen(units[i]);
				memmove(at, end, strlen(end) + 1);
				break;
			}
	}
}
