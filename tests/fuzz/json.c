/*
 * What the scanner passes, the tree reads, writes and reads again; members
 * are found where they are; field tables refuse or fill, and what they write
 * is JSON. What the scanner refuses, nobody reads.
 */
#include "fuzz.h"

#include <string.h>

#include "json.h"
#include "json_scan.h"

struct sample {
	char *text, *word, *raw;
	long long whole;
	bool flag;
};

static const struct field fields[] = {
	{ "text", FIELD_TEXT, offsetof(struct sample, text), FIELD_OPTIONAL,
	  1, 20, NULL, NULL, NULL, NULL },
	{ "word", FIELD_TEXT, offsetof(struct sample, word), FIELD_OMIT,
	  0, 0, "a bb", NULL, NULL, NULL },
	{ "raw", FIELD_RAW, offsetof(struct sample, raw), FIELD_REQUIRED,
	  0, 50, "string object", NULL, NULL, NULL },
	{ "whole", FIELD_WHOLE, offsetof(struct sample, whole),
	  FIELD_OPTIONAL, 1, 300, NULL, NULL, NULL, NULL },
	{ "flag", FIELD_BOOL, offsetof(struct sample, flag), FIELD_OMIT,
	  0, 0, NULL, NULL, NULL, NULL },
	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL },
};

static void
refuse(void *count, const char *name, const char *message)
{
	TRUTH(name != NULL && message[0] != '\0');
	++*(int *)count;
}

/* Two values are the same when they are written the same. */
static void
same(const struct json *a, const struct json *b)
{
	struct buf x = BUF_INIT(1 << 24), y = BUF_INIT(1 << 24);

	json_put(&x, a);
	json_put(&y, b);
	TRUTH(!x.failed && !y.failed);
	TRUTH(strcmp(buf_text(&x), buf_text(&y)) == 0);
	buf_free(&x);
	buf_free(&y);
}

static void
numbers(const struct json *j)
{
	const struct json *item;
	long long value;

	for (item = json_first(j); item != NULL; item = json_next(item))
		numbers(item);
	if (!json_whole(j, &value))
		return;
	TRUTH(value >= -(1LL << 53) && value <= 1LL << 53);
	/* So small, the double is the number itself. */
	TRUTH(strtod(json_number(j), NULL) == (double)value);
}

static void
members(const struct json *root, const char *text, size_t len)
{
	const struct json *item;
	int count = 0;

	for (item = json_first(root); item != NULL && count < 50; count++) {
		struct json_span span;
		struct json *alone;

		TRUTH(json_get(root, json_name(item)) == item);
		TRUTH(json_span(text, len, json_name(item), &span) ==
		    json_kind(item));
		TRUTH(span.text > text && span.len < len);
		TRUTH(span.text + span.len < text + len);
		alone = json_parse(span.text, span.len, NULL);
		TRUTH(alone != NULL);
		same(alone, item);
		json_free(alone);
		item = json_next(item);
	}
}

static void
tables(const struct json *root)
{
	struct sample s = { .text = NULL };
	struct buf out = BUF_INIT(1 << 20);
	int refused = 0;
	bool good = fields_read(fields, root, &s, NULL, true, refuse,
	    &refused);

	TRUTH(good == (refused == 0));
	TRUTH(refused <= FIELD_REFUSALS);
	fields_write(fields, &s, &out);
	TRUTH(json_check(out.data, out.len, NULL));
	buf_free(&out);
	fields_free(fields, &s);
}

static void
parsed(const struct json *root, const char *text, size_t len)
{
	struct buf out = BUF_INIT(1 << 24);
	struct json *again;

	json_put(&out, root);
	TRUTH(!out.failed);
	again = json_parse(out.data, out.len, NULL);
	TRUTH(again != NULL);
	same(root, again);
	json_free(again);
	buf_free(&out);
	numbers(root);
	if (json_kind(root) == JSON_OBJECT)
		members(root, text, len);
	tables(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct json_error error = { .offset = 0 };
	struct json_span span;
	struct buf out = BUF_INIT(1 << 24);
	struct json *root;
	size_t nul;
	bool good = json_scan(text, len, JSON_DEPTH_MAX, &nul, &error);

	TRUTH(nul <= len);
	TRUTH(good == json_check(text, len, NULL));
	TRUTH(!good || json_check_around(text, len, NULL));
	TRUTH(good || (error.offset <= len && error.message[0] != '\0'));
	root = json_parse(text, len, &error);
	TRUTH((root != NULL) == (good && nul == len));
	if (root != NULL)
		parsed(root, text, len);
	json_free(root);
	/* Not what the contract asks of it, but it must not leave. */
	if (json_span(text, len, "url", &span) != JSON_NONE)
		TRUTH(span.text >= text && span.len <= len &&
		    span.text + span.len <= text + len);
	json_put_text_n(&out, text, len);
	TRUTH(json_check(out.data, out.len, NULL));
	buf_free(&out);
	return 0;
}
