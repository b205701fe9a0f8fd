/*
 * Reads what the controller answers. The document inside stays bytes: it is
 * scanned, never parsed and printed again. It refuses everything that is not
 * a version and an object of data, and judges nothing inside the object:
 * that is the worker's business.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etag.h"
#include "json.h"

static bool
config_wrong(char why[CONFIG_WHY], const char *what)
{
	snprintf(why, CONFIG_WHY, "%s", what);
	return false;
}

static bool
config_is_object(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", text[i]) != NULL)
		i++;
	return i < len && text[i] == '{';
}

static bool
config_whole(const struct json_span *span, long long *out)
{
	struct json *number = json_parse(span->text, span->len, NULL);
	bool whole = json_whole(number, out);

	json_free(number);
	return whole;
}

static void
config_url(struct config *c, const struct json_span *data)
{
	struct json_span span;
	struct json *url;

	if (json_span(data->text, data->len, "url", &span) != JSON_STRING)
		return;
	url = json_parse(span.text, span.len, NULL);
	if (json_text(url) != NULL)
		c->url = strdup(json_text(url));
	json_free(url);
}

static void
config_tag(struct config *c, const char *etag)
{
	char made[ETAG_SIZE];

	if (etag == NULL || !etag_fits(etag, CONFIG_ETAG)) {
		etag_make(made, c->version, c->body, c->len);
		etag = made;
	}
	snprintf(c->etag, sizeof(c->etag), "%s", etag);
}

static bool
config_members(struct config *c, const char *body, size_t len,
    char why[CONFIG_WHY])
{
	struct json_span span;
	long long interval;

	if (json_span(body, len, "version", &span) == JSON_NONE)
		return config_wrong(why, "it has no version");
	if (!config_whole(&span, &c->version) || c->version < 0)
		return config_wrong(why, "its version is not a whole number");
	if (json_span(body, len, "poll_interval_seconds", &span) ==
	    JSON_NUMBER && config_whole(&span, &interval) && interval >= 1 &&
	    interval <= CONFIG_INTERVAL_MAX)
		c->interval = (long)interval;
	if (json_span(body, len, "data", &span) != JSON_OBJECT)
		return config_wrong(why, "its data is not an object");
	config_url(c, &span);
	return true;
}

bool
config_read(struct config *c, const char *body, size_t len, const char *etag,
    char why[CONFIG_WHY])
{
	struct config fresh = { .len = len };
	struct json_error error;

	if (len > CONFIG_BODY_MAX)
		return config_wrong(why, "it is too long");
	if (!json_check_around(body, len, &error)) {
		snprintf(why, CONFIG_WHY, "it is not JSON: %s (byte %zu)",
		    error.message, error.offset);
		return false;
	}
	if (!config_is_object(body, len))
		return config_wrong(why, "it is not an object");
	if (!config_members(&fresh, body, len, why)) {
		config_free(&fresh);
		return false;
	}
	fresh.body = malloc(len + 1);
	if (fresh.body == NULL) {
		config_free(&fresh);
		return config_wrong(why, "out of memory");
	}
	memcpy(fresh.body, body, len);
	fresh.body[len] = '\0';
	config_tag(&fresh, etag);
	config_move(c, &fresh);
	return true;
}

bool
config_copy(struct config *to, const struct config *from)
{
	struct config copy = *from;

	copy.body = from->body != NULL ? malloc(from->len + 1) : NULL;
	copy.url = from->url != NULL ? strdup(from->url) : NULL;
	if ((copy.body == NULL) != (from->body == NULL) ||
	    (copy.url == NULL) != (from->url == NULL)) {
		config_free(&copy);
		return false;
	}
	if (copy.body != NULL)
		memcpy(copy.body, from->body, from->len + 1);
	config_move(to, &copy);
	return true;
}

void
config_move(struct config *to, struct config *from)
{
	config_free(to);
	*to = *from;
	*from = (struct config){ .version = 0 };
}

void
config_free(struct config *c)
{
	free(c->body);
	free(c->url);
	*c = (struct config){ .version = 0 };
}

bool
config_same(const struct config *a, const struct config *b)
{
	if (a->version != b->version || a->len != b->len ||
	    (a->body == NULL) != (b->body == NULL))
		return false;
	return a->body == NULL || memcmp(a->body, b->body, a->len) == 0;
}
