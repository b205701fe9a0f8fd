/*
 * Reading what is delivered. It is checked as a whole before anything comes
 * of it; the document's bytes are kept as they came.
 */
#include "current.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "etag.h"

/* One reading under way. */
struct current_reading {
	struct current *into;
	field_refusal *refuse;
	void *arg;
	struct buf *why;
	bool ok;
};

static void
current_refuse(struct current_reading *r, const char *name,
    const char *message)
{
	r->ok = false;
	r->refuse(r->arg, name, message);
}

static void
current_fail(struct current_reading *r, const char *why)
{
	r->ok = false;
	buf_str(r->why, why);
}

/* A whole number among the members of the body; otherwise when there is
 * none. */
static long long
current_number(struct current_reading *r, const struct current_offer *offer,
    const char *name, long long min, long long max, long long otherwise)
{
	struct json_span span;
	struct json *json;
	long long number;
	char message[80];

	if (json_span(offer->body, offer->len, name, &span) == JSON_NONE)
		return otherwise;
	json = json_parse(span.text, span.len, NULL);
	if (!json_whole(json, &number) || number < min || number > max) {
		snprintf(message, sizeof(message), "must be a whole number "
		    "from %lld to %lld", min, max);
		current_refuse(r, name, message);
		number = otherwise;
	}
	json_free(json);
	return number;
}

/* The envelope's own members; document is set to the bytes of the data. */
static void
current_envelope(struct current_reading *r, const struct current_offer *offer,
    struct json_span *document)
{
	long long tag = offer->etag != NULL ? etag_version(offer->etag) : -1;
	struct current *c = r->into;

	document->text = offer->body;
	document->len = offer->len;
	c->interval = CURRENT_INTERVAL;
	c->version = tag > 0 ? tag : 0;
	if (json_span(offer->body, offer->len, "data", document) !=
	    JSON_OBJECT) {
		document->text = offer->body;
		document->len = offer->len;
		return;
	}
	c->version = current_number(r, offer, "version", 0,
	    1LL << 53, c->version);
	c->interval = (long)current_number(r, offer, "poll_interval_seconds",
	    1, 86400, CURRENT_INTERVAL);
	if (tag >= 0 && tag != c->version)
		current_refuse(r, "version", "is not the one of the ETag");
	if (offer->etag == NULL && c->version > 0)
		etag_make(c->etag, c->version, offer->body, offer->len);
}

bool
current_via_plain(const char *via)
{
	size_t len = strlen(via);

	for (size_t i = 0; i < len && len <= CURRENT_VIA; i++)
		if (via[i] < ' ' || via[i] > '~')
			return false;
	return len <= CURRENT_VIA;
}

/* The `via` of an envelope; current_body wrote it, or somebody else. */
static struct json *
current_caller(const struct current_offer *offer,
    const struct json_span *document)
{
	struct json_span span;
	struct json *caller;

	if (document->text == offer->body ||
	    json_span(offer->body, offer->len, "via", &span) != JSON_STRING)
		return NULL;
	caller = json_parse(span.text, span.len, NULL);
	if (caller != NULL && !current_via_plain(json_text(caller))) {
		json_free(caller);
		return NULL;
	}
	return caller;
}

static bool
current_add_header(struct current *c, size_t at, const char *name,
    const char *value)
{
	return asprintf(&c->headers[at], "%s: %s", name, value) >= 0;
}

static void
current_headers(struct current_reading *r, const struct json *document,
    const char *caller, const char *via)
{
	const struct json *headers = json_get(document, "headers"), *item;
	struct current *c = r->into;
	size_t n = 0;
	bool ok = true;

	for (item = json_first(headers); item != NULL; item = json_next(item))
		n++;
	c->headers = calloc(n + 2, sizeof(*c->headers));
	if (c->headers == NULL) {
		current_fail(r, "out of memory");
		return;
	}
	n = 0;
	for (item = json_first(headers); item != NULL;
	    item = json_next(item)) {
		ok = ok && current_add_header(c, n++, json_name(item),
		    json_text(item));
		if (strcasecmp(json_name(item), "Via") == 0)
			via = NULL;
	}
	if (via != NULL && caller != NULL)
		ok = ok && asprintf(&c->headers[n], "Via: %s, %s", caller,
		    via) >= 0;
	else if (via != NULL)
		ok = ok && current_add_header(c, n, "Via", via);
	if (!ok)
		current_fail(r, "out of memory");
}

static void
current_document(struct current_reading *r, const struct json_span *span,
    const struct current_offer *offer)
{
	struct json *caller = current_caller(offer, span);
	struct current *c = r->into;
	struct json_error error;
	struct json *json = json_parse(span->text, span->len, &error);

	if (json == NULL) {
		current_fail(r, error.message);
		return;
	}
	if (!document_read(&c->document, json, r->refuse, r->arg))
		r->ok = false;
	else
		current_headers(r, json, json_text(caller), offer->via);
	json_free(json);
	json_free(caller);
	c->data = strndup(span->text, span->len);
	c->len = span->len;
	if (c->data == NULL)
		current_fail(r, "out of memory");
}

struct current *
current_read(const struct current_offer *offer, field_refusal *refuse,
    void *arg, struct buf *why)
{
	struct current_reading r = { NULL, refuse, arg, why, true };
	struct json_error error;
	struct json_span document;

	if (!json_check_around(offer->body, offer->len, &error)) {
		buf_printf(why, "%s (at byte %zu)", error.message,
		    error.offset);
		return NULL;
	}
	if (offer->body[strspn(offer->body, " \t\r\n")] != '{') {
		buf_str(why, "the body must be a JSON object");
		return NULL;
	}
	r.into = calloc(1, sizeof(*r.into));
	if (r.into == NULL) {
		buf_str(why, "out of memory");
		return NULL;
	}
	r.into->refs = 1;
	r.into->since = clock_wall();
	if (offer->etag != NULL && !etag_fits(offer->etag, CURRENT_ETAG))
		current_fail(&r, "the ETag is malformed");
	else if (offer->etag != NULL)
		snprintf(r.into->etag, CURRENT_ETAG, "%s", offer->etag);
	if (r.ok)
		current_envelope(&r, offer, &document);
	if (r.ok)
		current_document(&r, &document, offer);
	if (r.ok)
		return r.into;
	current_drop(r.into);
	return NULL;
}

struct current *
current_hold(struct current *c)
{
	c->refs++;
	return c;
}

void
current_drop(struct current *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	for (char **h = c->headers; h != NULL && *h != NULL; h++)
		free(*h);
	free(c->headers);
	free(c->data);
	document_free(&c->document);
	free(c);
}

bool
current_same(const struct current *a, const struct current *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->version == b->version && a->interval == b->interval &&
	    strcmp(a->etag, b->etag) == 0 && a->len == b->len &&
	    memcmp(a->data, b->data, a->len) == 0;
}

void
current_body(const struct current *c, const char *caller, struct buf *out)
{
	buf_printf(out, "{\"version\":%lld,\"data\":", c->version);
	buf_add(out, c->data, c->len);
	buf_printf(out, ",\"poll_interval_seconds\":%ld", c->interval);
	if (caller != NULL) {
		buf_str(out, ",\"via\":");
		json_put_text(out, caller);
	}
	buf_str(out, "}");
}
