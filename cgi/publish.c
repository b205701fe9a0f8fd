/*
 * Reading what is to be published. The document is found as a span of bytes
 * and stays one: it is validated, never printed again.
 */
#include "publish.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "document.h"

/* An envelope, less its data. */
struct publish_envelope {
	char *data;
	long long interval;
	char *comment;
};

#define PUBLISH_AT(member) offsetof(struct publish_envelope, member)

static const struct field publish_fields[] = {
	{ .name = "data", .kind = FIELD_RAW, .need = FIELD_REQUIRED,
	    .offset = PUBLISH_AT(data), .choices = "object",
	    .doc = "The configuration; unknown members are kept" },
	{ .name = "poll_interval_seconds", .kind = FIELD_WHOLE,
	    .offset = PUBLISH_AT(interval), .min = 1,
	    .max = PUBLISH_INTERVAL_MAX, .need = FIELD_OMIT,
	    .doc = "How often agents ask; without it the present interval "
	    "stays" },
	{ .name = "comment", .kind = FIELD_TEXT,
	    .offset = PUBLISH_AT(comment), .max = PUBLISH_COMMENT_MAX,
	    .need = FIELD_OMIT, .doc = "Why, for the history" },
	{ .name = NULL },
};

/* Counts refusals on their way. */
struct publish_reading {
	field_refusal *refuse;
	void *arg;
	bool refused;
};

static void
publish_refuse(void *arg, const char *name, const char *message)
{
	struct publish_reading *r = arg;

	r->refused = true;
	r->refuse(r->arg, name, message);
}

static void
publish_malformed(struct publish_reading *r, const struct json_error *error)
{
	char message[192];

	snprintf(message, sizeof(message), "byte %zu: %s", error->offset,
	    error->message);
	publish_refuse(r, "body", message);
}

static bool
publish_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value alone, without what surrounds it. */
static void
publish_trim(struct json_span *span)
{
	while (span->len > 0 && publish_is_space(span->text[0])) {
		span->text++;
		span->len--;
	}
	while (span->len > 0 && publish_is_space(span->text[span->len - 1]))
		span->len--;
}

/* The interval that a document carries in itself. */
static void
publish_inside(struct publish_body *body, const struct json *document,
    struct publish_reading *r)
{
	const struct json *member;
	long long interval;

	member = json_get(document, "poll_interval_seconds");
	if (member == NULL)
		return;
	if (!json_whole(member, &interval) || interval < 1 ||
	    interval > PUBLISH_INTERVAL_MAX)
		publish_refuse(r, "poll_interval_seconds",
		    "must be a whole number from 1 to 86400");
	else if (body->interval != 0 && body->interval != interval)
		publish_refuse(r, "poll_interval_seconds",
		    "differs between the envelope and data");
	else
		body->interval = (long)interval;
}

static void
publish_document(struct publish_body *body, struct publish_reading *r)
{
	struct document document = { .url = NULL };
	struct json_error error;
	struct json *root = json_parse(body->data, body->len, &error);

	if (root == NULL) {
		publish_malformed(r, &error);
		return;
	}
	document_read(&document, root, publish_refuse, r);
	publish_inside(body, root, r);
	document_free(&document);
	json_free(root);
}

/* The envelope is parsed with {} for its data, which has its own depth. */
static void
publish_envelope(struct publish_body *body, const struct json_span *whole,
    struct publish_reading *r)
{
	size_t before = (size_t)(body->data - whole->text);
	struct buf shell = BUF_INIT(whole->len + 2);
	struct publish_envelope envelope = { .data = NULL };
	struct json_error error;
	struct json *root;

	buf_add(&shell, whole->text, before);
	buf_str(&shell, "{}");
	buf_add(&shell, body->data + body->len,
	    whole->len - before - body->len);
	root = json_parse(buf_text(&shell), shell.len, &error);
	if (root == NULL) {
		publish_malformed(r, &error);
	} else if (fields_read(publish_fields, root, &envelope, NULL, true,
	    publish_refuse, r)) {
		body->interval = (long)envelope.interval;
		body->comment = envelope.comment;
		envelope.comment = NULL;
	}
	fields_free(publish_fields, &envelope);
	json_free(root);
	buf_free(&shell);
}

bool
publish_read(struct publish_body *body, const char *text, size_t len,
    field_refusal *refuse, void *arg)
{
	struct publish_reading r = { refuse, arg, false };
	struct json_span whole = { text, len }, data;
	struct json_error error;

	memset(body, 0, sizeof(*body));
	publish_trim(&whole);
	if (!json_check_around(whole.text, whole.len, &error)) {
		error.offset += (size_t)(whole.text - text);
		publish_malformed(&r, &error);
		return false;
	}
	if (whole.text[0] != '{') {
		publish_refuse(&r, "body", "must be a JSON object");
		return false;
	}
	if (json_span(whole.text, whole.len, "data", &data) == JSON_OBJECT) {
		body->data = data.text;
		body->len = data.len;
		publish_envelope(body, &whole, &r);
	} else {
		body->data = whole.text;
		body->len = whole.len;
	}
	publish_document(body, &r);
	return !r.refused;
}

void
publish_free(struct publish_body *body)
{
	free(body->comment);
	memset(body, 0, sizeof(*body));
}
