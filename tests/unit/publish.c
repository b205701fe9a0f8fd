/*
 * The three bodies of POST /config, and what is wrong with others.
 */
#include "unit.h"

#include "../../cgi/publish.c"

static char refused[900];

static void
note(void *arg, const char *field, const char *message)
{
	size_t at = strlen(refused);

	(void)arg;
	snprintf(refused + at, sizeof(refused) - at, "%s: %s\n", field,
	    message);
}

static bool
reads(struct publish_body *body, const char *text)
{
	refused[0] = '\0';
	return publish_read(body, text, strlen(text), note, NULL);
}

/* Whether text is refused, and one of the rows begins like that. */
static bool
refuses(const char *text, const char *row)
{
	struct publish_body body;
	bool ok = reads(&body, text);

	publish_free(&body);
	if (ok || strstr(refused, row) == NULL)
		printf("# %s -> %s\n", text, ok ? "accepted" : refused);
	return !ok && strstr(refused, row) != NULL;
}

static void
check_data(const char *text, const char *data, long interval)
{
	struct publish_body body;

	if (!reads(&body, text))
		UNIT_FAIL("%s: %s", text, refused);
	CHECK_INT(body.len, strlen(data));
	CHECK(memcmp(body.data, data, body.len) == 0);
	CHECK_INT(body.interval, interval);
	publish_free(&body);
}

UNIT("a document is taken byte for byte, less what surrounds it")
{
	check_data("{\"url\":\"http://a\"}", "{\"url\":\"http://a\"}", 0);
	check_data(" \r\n{ \"url\" : \"http://a\",\"n\":9007199254740993 }\n",
	    "{ \"url\" : \"http://a\",\"n\":9007199254740993 }", 0);
}

UNIT("an envelope is known by data that is an object")
{
	check_data("{\"data\":{ \"url\":\"http://a\"}}",
	    "{ \"url\":\"http://a\"}", 0);
	check_data("{\"poll_interval_seconds\":5,\"d\\u0061ta\":"
	    "{\"url\":\"http://a\"}}", "{\"url\":\"http://a\"}", 5);
	check_data("{\"data\":7,\"url\":\"http://a\"}",
	    "{\"data\":7,\"url\":\"http://a\"}", 0);
	CHECK(refuses("{\"data\":7}", "url: "));
	CHECK(refuses("{\"data\":{\"url\":\"http://a\"},\"x\":1}", "x: "));
	CHECK(refuses("{\"data\":{\"url\":\"http://a\"},\"url\":\"\"}",
	    "url: "));
	CHECK(refuses("{\"data\":{\"url\":\"http://a\"},\"comment\":1}",
	    "comment: "));
}

UNIT("a comment comes with an envelope; in a document it is a member")
{
	struct publish_body body;

	CHECK(reads(&body, "{\"data\":{\"url\":\"http://a\"},"
	    "\"comment\":\"why\"}"));
	CHECK_TEXT(body.comment, "why");
	publish_free(&body);
	CHECK(reads(&body, "{\"url\":\"http://a\",\"comment\":\"why\"}"));
	CHECK(body.comment == NULL);
	publish_free(&body);
}

UNIT("an interval beside url stays in the document")
{
	check_data("{\"url\":\"http://a\",\"poll_interval_seconds\":86400}",
	    "{\"url\":\"http://a\",\"poll_interval_seconds\":86400}", 86400);
}

UNIT("two intervals must agree")
{
	check_data("{\"data\":{\"url\":\"http://a\","
	    "\"poll_interval_seconds\":5},\"poll_interval_seconds\":5}",
	    "{\"url\":\"http://a\",\"poll_interval_seconds\":5}", 5);
	CHECK(refuses("{\"data\":{\"url\":\"http://a\","
	    "\"poll_interval_seconds\":5},\"poll_interval_seconds\":6}",
	    "poll_interval_seconds: differs"));
}

UNIT("an interval is a whole number from 1 to 86400")
{
	static const char *const wrong[] = {
		"0", "-1", "1.5", "1000000000000", "\"30\"", "null", "true",
		"86401", "1e30", "[]",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[128];

		snprintf(text, sizeof(text), "{\"url\":\"http://a\","
		    "\"poll_interval_seconds\":%s}", wrong[i]);
		CHECK(refuses(text, "poll_interval_seconds: "));
		snprintf(text, sizeof(text), "{\"data\":{\"url\":\"http://a\""
		    "},\"poll_interval_seconds\":%s}", wrong[i]);
		CHECK(refuses(text, "poll_interval_seconds: "));
	}
}

UNIT("what is no strict JSON object is refused with the place")
{
	CHECK(refuses("", "body: byte 0"));
	CHECK(refuses(" {\"url\":", "body: byte 8"));
	CHECK(refuses("[]", "body: must be a JSON object"));
	CHECK(refuses("\"http://a\"", "body: must be a JSON object"));
	CHECK(refuses("{\"url\":\"http://a\"} x", "body: byte 19"));
	CHECK(refuses("{\"url\":\"http://a\",\"url\":\"http://b\"}",
	    "body: byte"));
	CHECK(refuses("{\"url\":\"http://a\",\"x\":\"\xff\"}",
	    "body: byte"));
	CHECK(refuses("{\"data\":{\"url\":\"http://a\",\"url\":1}}",
	    "body: byte"));
}

/* {"url":"http://a","x":[[…]]} with so many levels in all. */
static void
nest(char *out, int levels)
{
	out += sprintf(out, "{\"url\":\"http://a\",\"x\":");
	for (int i = 1; i < levels; i++)
		*out++ = '[';
	for (int i = 1; i < levels; i++)
		*out++ = ']';
	memcpy(out, "}", 2);
}

UNIT("a NUL around the value is no space")
{
	static const char behind[] = "{\"url\":\"http://a\"}\0";
	static const char before[] = "\0{\"url\":\"http://a\"}";
	struct publish_body body;

	CHECK(!publish_read(&body, behind, sizeof(behind) - 1, note, NULL));
	publish_free(&body);
	CHECK(!publish_read(&body, before, sizeof(before) - 1, note, NULL));
	publish_free(&body);
}

UNIT("a document may have 32 levels, in an envelope too")
{
	char inner[256], text[512];
	struct publish_body body;

	nest(inner, 32);
	CHECK(reads(&body, inner));
	publish_free(&body);
	snprintf(text, sizeof(text), "{\"data\":%s}", inner);
	CHECK(reads(&body, text));
	publish_free(&body);
	nest(inner, 33);
	CHECK(refuses(inner, "body: "));
	snprintf(text, sizeof(text), "{\"data\":%s}", inner);
	CHECK(refuses(text, "body: "));
}

UNIT_MAIN
