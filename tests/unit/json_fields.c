#include "unit.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "../../lib/json_fields.c"
#include "../../lib/json_fields_write.c"
#include "../../lib/json_fields_schema.c"

struct inner {
	char *word;
	long long count;
};

struct sample {
	char *host, *state, *meta, *any;
	long long port, free_number, at;
	bool flag;
	double lag;
	struct inner inner;
};

static const struct field inner_fields[] = {
	{ "word", FIELD_TEXT, offsetof(struct inner, word), FIELD_OPTIONAL,
	  0, 0, NULL, NULL, NULL, NULL },
	{ "count", FIELD_WHOLE, offsetof(struct inner, count),
	  FIELD_REQUIRED, 0, 0, NULL, NULL, NULL, NULL },
	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL },
};

static const struct field fields[] = {
	{ "host", FIELD_TEXT, offsetof(struct sample, host), FIELD_REQUIRED,
	  1, 5, NULL, "hostname", NULL, "whose \"name\"" },
	{ "state", FIELD_TEXT, offsetof(struct sample, state),
	  FIELD_OPTIONAL, 0, 0, "ok failed no-worker", NULL, NULL, NULL },
	{ "meta", FIELD_RAW, offsetof(struct sample, meta), FIELD_OPTIONAL,
	  0, 20, "string object", NULL, NULL, NULL },
	{ "any", FIELD_RAW, offsetof(struct sample, any), FIELD_OMIT,
	  0, 0, NULL, NULL, NULL, "anything" },
	{ "port", FIELD_WHOLE, offsetof(struct sample, port),
	  FIELD_OPTIONAL, 1, 65535, NULL, NULL, NULL, NULL },
	{ "number", FIELD_WHOLE, offsetof(struct sample, free_number),
	  FIELD_OMIT, 1, 0, NULL, "int64", NULL, NULL },
	{ "at", FIELD_TIME, offsetof(struct sample, at), FIELD_OPTIONAL,
	  0, 0, NULL, NULL, NULL, NULL },
	{ "flag", FIELD_BOOL, offsetof(struct sample, flag), FIELD_OMIT,
	  0, 0, NULL, NULL, NULL, NULL },
	{ "lag", FIELD_REAL, offsetof(struct sample, lag), FIELD_OPTIONAL,
	  0, 0, NULL, NULL, NULL, NULL },
	{ "inner", FIELD_OBJECT, offsetof(struct sample, inner),
	  FIELD_OPTIONAL, 0, 0, NULL, NULL, inner_fields, NULL },
	{ "rows", FIELD_ITEMS, 0, FIELD_OPTIONAL, 0, 0, NULL, NULL,
	  inner_fields, NULL },
	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL },
};

static struct buf said = BUF_INIT(10000);
static unsigned long present;

static void
refuse(void *arg, const char *name, const char *message)
{
	++*(int *)arg;
	buf_printf(&said, "%s %s;", name, message);
}

/* The refusals, or "" when body was read into s. */
static const char *
read_body(const char *body, bool strict, struct sample *s)
{
	struct json_error why;
	struct json *j = json_parse(body, strlen(body), &why);
	int count = 0;
	bool good;

	buf_reset(&said);
	memset(s, 0, sizeof(*s));
	good = fields_read(fields, j, s, &present, strict, refuse, &count);
	json_free(j);
	if (good != (count == 0))
		return "count and answer differ";
	return buf_text(&said);
}

/* The same, where only the refusals matter. */
static const char *
refusals(const char *body, bool strict)
{
	struct sample s;
	const char *text = read_body(body, strict, &s);

	fields_free(fields, &s);
	return text;
}

UNIT("a body is read into its struct, and who is there is told")
{
	struct sample s;

	CHECK_TEXT(read_body("{\"host\":\"a\",\"port\":65535,\"flag\":true,"
	    "\"meta\":{\"k\":[1.50]},\"any\":null,\"number\":7,"
	    "\"state\":\"no-worker\",\"stranger\":1}", false, &s), "");
	CHECK_TEXT(s.host, "a");
	CHECK_TEXT(s.state, "no-worker");
	CHECK_TEXT(s.meta, "{\"k\":[1.50]}");
	CHECK_TEXT(s.any, "null");
	CHECK_INT(s.port, 65535);
	CHECK_INT(s.free_number, 7);
	CHECK(s.flag);
	CHECK_INT(present, 0xbf);
	fields_free(fields, &s);
	CHECK(s.host == NULL && s.meta == NULL);
	fields_free(fields, &s);
}

UNIT("what may be missing may be null where it is written as null")
{
	struct sample s;

	CHECK_TEXT(read_body("{\"host\":\"a\",\"state\":null,\"meta\":null,"
	    "\"port\":null}", true, &s), "");
	CHECK(s.state == NULL && s.meta == NULL);
	CHECK_INT(present, 1);
	fields_free(fields, &s);
	CHECK_TEXT(refusals("{\"host\":null}", false),
	    "host must be a string from 1 to 5 bytes;");
	CHECK_TEXT(refusals("{\"host\":\"a\",\"flag\":null}", false),
	    "flag must be true or false;");
}

UNIT("what does not fit is refused by name, with what is allowed")
{
	static const char *const rows[][2] = {
		{ "{}", "host is missing;" },
		{ "[]", " must be a JSON object;host is missing;" },
		{ "{\"host\":\"\"}",
		  "host must be a string from 1 to 5 bytes;" },
		{ "{\"host\":\"123456\"}",
		  "host must be a string from 1 to 5 bytes;" },
		{ "{\"host\":1}", "host must be a string from 1 to 5 bytes;" },
		{ "{\"host\":\"a\",\"state\":\"no\"}",
		  "state must be one of ok, failed or no-worker;" },
		{ "{\"host\":\"a\",\"state\":\"ok failed\"}",
		  "state must be one of ok, failed or no-worker;" },
		{ "{\"host\":\"a\",\"state\":\"\"}",
		  "state must be one of ok, failed or no-worker;" },
		{ "{\"host\":\"a\",\"meta\":[]}",
		  "meta must be string or object;" },
		{ "{\"host\":\"a\",\"meta\":\"1234567890123456789\"}",
		  "meta must be at most 20 bytes of JSON;" },
		{ "{\"host\":\"a\",\"port\":0}",
		  "port must be a whole number from 1 to 65535;" },
		{ "{\"host\":\"a\",\"port\":1.5}",
		  "port must be a whole number from 1 to 65535;" },
		{ "{\"host\":\"a\",\"port\":\"30\"}",
		  "port must be a whole number from 1 to 65535;" },
		{ "{\"host\":\"a\",\"port\":1000000000000}",
		  "port must be a whole number from 1 to 65535;" },
		{ "{\"host\":\"a\",\"number\":0}",
		  "number must be a whole number of at least 1;" },
		{ "{\"host\":\"a\",\"flag\":1}",
		  "flag must be true or false;" },
		{ "{\"port\":-1,\"flag\":\"true\"}", "host is missing;"
		  "port must be a whole number from 1 to 65535;"
		  "flag must be true or false;" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_TEXT(refusals(rows[i][0], false), rows[i][1]);
}

UNIT("one byte is one byte")
{
	static const struct field rows[] = {
		{ .name = "word", .kind = FIELD_TEXT, .min = 1 },
		{ .name = NULL },
	};
	struct json *root = json_parse("{\"word\":\"\"}", 11, NULL);
	char *word = NULL;
	int count = 0;

	buf_reset(&said);
	CHECK(!fields_read(rows, root, &word, NULL, true, refuse, &count));
	CHECK_INT(count, 1);
	CHECK_TEXT(buf_text(&said),
	    "word must be a string of at least 1 byte;");
	json_free(root);
}

UNIT("strangers are refused where no strangers are wanted, not for ever")
{
	struct buf b = BUF_INIT(100000);
	size_t count = 0;

	CHECK_TEXT(refusals("{\"host\":\"a\",\"HOST\":1,\"rows\":[]}", true),
	    "HOST is not a member that is known here;");
	buf_str(&b, "{\"host\":\"a\"");
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, ",\"%d\":%d", i, i);
	buf_char(&b, '}');
	for (const char *p = refusals(buf_text(&b), true); *p; p++)
		count += *p == ';';
	buf_free(&b);
	CHECK_INT(count, FIELD_REFUSALS);
}

UNIT("a struct is written with all its members, and what is omitted is not")
{
	char host[] = "h\n", word[] = "w", raw[] = "{\"a\": 1}";
	struct sample s = { .host = host, .at = 1769428800123, .lag = 0.1,
		.inner = { word, 1LL << 53 } };
	struct buf b = BUF_INIT(10000);

	fields_write(fields, &s, &b);
	CHECK_TEXT(buf_text(&b), "{\"host\":\"h\\n\",\"state\":null,"
	    "\"meta\":null,\"port\":0,\"at\":\"2026-01-26T12:00:00.123Z\","
	    "\"lag\":0.1,\"inner\":{\"word\":\"w\","
	    "\"count\":9007199254740992}}");
	buf_reset(&b);
	s = (struct sample) { .meta = raw, .any = raw, .port = -1,
		.free_number = -9, .flag = true, .lag = -1 };
	fields_write(fields, &s, &b);
	CHECK_TEXT(buf_text(&b), "{\"host\":null,\"state\":null,"
	    "\"meta\":{\"a\": 1},\"any\":{\"a\": 1},\"port\":-1,"
	    "\"number\":-9,\"at\":null,\"flag\":true,\"lag\":null,"
	    "\"inner\":{\"word\":null,\"count\":0}}");
	buf_free(&b);
}

UNIT("reals and times are always JSON")
{
	static const struct {
		double value;
		const char *text;
	} reals[] = {
		{ 0, "0" }, { 1.5, "1.5" }, { 1e300, "1e+300" },
		{ 1.0 / 3, "0.33333333333333331" }, { NAN, "null" },
		{ INFINITY, "null" }, { -0.5, "null" },
	};
	struct buf b = BUF_INIT(10000);
	static const long long never[] = { 0, -1, 1LL << 62, 253402300800000 };

	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		buf_reset(&b);
		json_fields_put_real(&b, reals[i].value);
		CHECK_TEXT(buf_text(&b), reals[i].text);
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		buf_reset(&b);
		json_fields_put_time(&b, never[i]);
		CHECK_TEXT(buf_text(&b), "null");
	}
	buf_reset(&b);
	json_fields_put_time(&b, 253402300799999);
	CHECK_TEXT(buf_text(&b), "\"9999-12-31T23:59:59.999Z\"");
	buf_free(&b);
}

UNIT("the schema is one line of JSON that says what the reader checks")
{
	struct buf b = BUF_INIT(10000);

	fields_schema(fields, &b);
	CHECK(json_check(b.data, b.len, NULL));
	CHECK_TEXT(buf_text(&b), "{\"type\":\"object\",\"required\":["
	    "\"host\"],\"properties\":{"
	    "\"host\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5,"
	    "\"format\":\"hostname\",\"description\":\"whose \\\"name\\\"\"},"
	    "\"state\":{\"type\":\"string\",\"nullable\":true,\"enum\":["
	    "\"ok\",\"failed\",\"no-worker\",null]},"
	    "\"meta\":{\"oneOf\":[{\"type\":\"string\",\"nullable\":true},"
	    "{\"type\":\"object\"}]},"
	    "\"any\":{\"description\":\"anything\"},"
	    "\"port\":{\"type\":\"integer\",\"nullable\":true,\"minimum\":1,"
	    "\"maximum\":65535},"
	    "\"number\":{\"type\":\"integer\",\"minimum\":1,"
	    "\"format\":\"int64\"},"
	    "\"at\":{\"type\":\"string\",\"nullable\":true,"
	    "\"format\":\"date-time\"},"
	    "\"flag\":{\"type\":\"boolean\"},"
	    "\"lag\":{\"type\":\"number\",\"nullable\":true},"
	    "\"inner\":{\"type\":\"object\",\"required\":[\"count\"],"
	    "\"properties\":{\"word\":{\"type\":\"string\","
	    "\"nullable\":true},\"count\":{\"type\":\"integer\"}}},"
	    "\"rows\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
	    "\"required\":[\"count\"],\"properties\":{\"word\":{"
	    "\"type\":\"string\",\"nullable\":true},\"count\":{"
	    "\"type\":\"integer\"}}}}}}");
	buf_free(&b);
}

UNIT_MAIN
