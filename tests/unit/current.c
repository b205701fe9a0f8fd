/*
 * Reading deliveries: what is taken, and that nothing else is.
 */
#include "../../worker/current.c"

#include "unit.h"

static char refused[500];
static char why_text[500];

static void
note(void *arg, const char *name, const char *message)
{
	size_t len = strlen(refused);

	(void)arg;
	(void)message;
	snprintf(refused + len, sizeof(refused) - len, "%s;", name);
}

static struct current *
deliver(const char *body, const char *etag)
{
	struct current_offer offer = {
		.body = body, .len = strlen(body), .etag = etag,
		.via = "1.1 me",
	};
	struct buf why = BUF_INIT(sizeof(why_text) - 1);
	struct current *c;

	refused[0] = '\0';
	c = current_read(&offer, note, NULL, &why);
	snprintf(why_text, sizeof(why_text), "%s", buf_text(&why));
	CHECK((c == NULL) == (refused[0] != '\0' || why.len > 0));
	buf_free(&why);
	return c;
}

UNIT("the controller's body is taken with its version and interval")
{
	struct current *c = deliver("{\"version\":7,\"data\":{ \"url\" :"
	    "\"http://a\",\"n\":9007199254740993},"
	    "\"poll_interval_seconds\":5,\"more\":[]}",
	    "\"7-0123456789abcdef\"");
	struct buf body = BUF_INIT(1000);

	CHECK(c != NULL);
	CHECK_INT(c->version, 7);
	CHECK_INT(c->interval, 5);
	CHECK_TEXT(c->etag, "\"7-0123456789abcdef\"");
	CHECK_TEXT(c->data, "{ \"url\" :\"http://a\","
	    "\"n\":9007199254740993}");
	CHECK_TEXT(c->document.url, "http://a");
	current_body(c, NULL, &body);
	CHECK_TEXT(buf_text(&body), "{\"version\":7,\"data\":{ \"url\" :"
	    "\"http://a\",\"n\":9007199254740993},"
	    "\"poll_interval_seconds\":5}");
	buf_free(&body);
	current_drop(c);
}

UNIT("without a tag the controller's body makes its own")
{
	const char *body = "{\"version\":7,\"data\":{\"url\":\"http://a\"},"
	    "\"poll_interval_seconds\":30}";
	struct current *c = deliver(body, NULL);
	char tag[ETAG_SIZE];

	CHECK(c != NULL);
	etag_make(tag, 7, body, strlen(body));
	CHECK_TEXT(c->etag, tag);
	current_drop(c);
}

UNIT("of a bare document the tag tells the version")
{
	struct current *c = deliver(" {\"url\":\"http://a\",\"data\":1}",
	    "W/\"12-0123456789abcdef\"");

	CHECK(c != NULL);
	CHECK_INT(c->version, 12);
	CHECK_INT(c->interval, CURRENT_INTERVAL);
	current_drop(c);
	c = deliver("{\"url\":\"http://a\"}", NULL);
	CHECK(c != NULL);
	CHECK_INT(c->version, 0);
	CHECK_TEXT(c->etag, "");
	current_drop(c);
	c = deliver("{\"url\":\"http://a\"}", "\"of another kind\"");
	CHECK(c == NULL);	/* a tag has no spaces */
	c = deliver("{\"url\":\"http://a\"}", "\"foreign\"");
	CHECK(c != NULL);
	CHECK_INT(c->version, 0);
	current_drop(c);
}

UNIT("headers become lines, and Via is added unless it is there")
{
	struct current *c = deliver("{\"url\":\"http://a\",\"headers\":"
	    "{\"X-A\":\"b c\",\"Empty\":\"\"}}", NULL);

	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "X-A: b c");
	CHECK_TEXT(c->headers[1], "Empty: ");
	CHECK_TEXT(c->headers[2], "Via: 1.1 me");
	CHECK(c->headers[3] == NULL);
	current_drop(c);
	c = deliver("{\"url\":\"http://a\",\"headers\":{\"via\":\"x\"}}",
	    NULL);
	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "via: x");
	CHECK(c->headers[1] == NULL);
	current_drop(c);
}

UNIT("what a task is given to run with knows its caller's Via")
{
	struct current *c = deliver("{\"url\":\"http://a\",\"via\":\"x\"}",
	    NULL);
	struct buf body = BUF_INIT(1000);

	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "Via: 1.1 me");
	current_body(c, "1.0 \"fred\"", &body);
	current_drop(c);
	c = deliver(buf_text(&body), NULL);
	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "Via: 1.0 \"fred\", 1.1 me");
	CHECK(c->headers[1] == NULL);
	CHECK_TEXT(c->data, "{\"url\":\"http://a\",\"via\":\"x\"}");
	current_drop(c);
	buf_free(&body);
	c = deliver("{\"data\":{\"url\":\"http://a\"},\"via\":[7]}", NULL);
	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "Via: 1.1 me");
	current_drop(c);
	c = deliver("{\"data\":{\"url\":\"http://a\"},"
	    "\"via\":\"x\\r\\nCookie: y\"}", NULL);
	CHECK(c != NULL);
	CHECK_TEXT(c->headers[0], "Via: 1.1 me");
	current_drop(c);
}

UNIT("a delivery that is not one is refused with a sentence")
{
	static const char *const bad[] = {
		"", " ", "{", "[]", "null", "7", "\"x\"", "{\"url\":}",
		"{\"url\":\"http://a\",\"url\":\"http://b\"}",
		"{\"url\":\"http://a\"} x", "{\"url\":\"http://\xff\"}",
		"{\"url\":\"http://a\\u0000b\"}", "{'url':'http://a'}",
		"{\"url\":\"http://a\",\"n\":01}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (deliver(bad[i], NULL) != NULL)
			UNIT_FAIL("%s was taken", bad[i]);
		CHECK(why_text[0] != '\0');
	}
	CHECK(deliver("{\"url\":\"http://a\"}", "7") == NULL);
	CHECK(deliver("{\"url\":\"http://a\"}", "\"a\"b\"") == NULL);
}

UNIT("a wrong member is refused by its name")
{
	static const char *const rows[][2] = {
		{ "{}", "url;" },
		{ "{\"data\":{}}", "url;" },
		{ "{\"data\":7}", "url;" },
		{ "{\"version\":\"7\",\"data\":{\"url\":\"http://a\"}}",
		    "version;" },
		{ "{\"version\":1.5,\"data\":{\"url\":\"http://a\"}}",
		    "version;" },
		{ "{\"version\":-1,\"data\":{\"url\":\"http://a\"}}",
		    "version;" },
		{ "{\"version\":1,\"poll_interval_seconds\":0,"
		    "\"data\":{\"url\":\"http://a\"}}",
		    "poll_interval_seconds;" },
		{ "{\"version\":1,\"data\":{\"url\":\"ftp://a\","
		    "\"timeout_seconds\":0}}", "timeout_seconds;url;" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(deliver(rows[i][0], NULL) == NULL);
		CHECK_TEXT(refused, rows[i][1]);
	}
	CHECK(deliver("{\"version\":1,\"data\":{\"url\":\"http://a\"}}",
	    "\"2-0123456789abcdef\"") == NULL);
	CHECK_TEXT(refused, "version;");
}

UNIT("32 levels are taken inside the controller's body, 33 are not")
{
	char body[400] = "{\"version\":1,\"data\":{\"url\":\"http://a\","
	    "\"d\":";
	size_t at = strlen(body);
	struct current *c;

	memset(body + at, '[', 31);
	memset(body + at + 31, ']', 31);
	memcpy(body + at + 62, "}}", 3);
	c = deliver(body, NULL);
	CHECK(c != NULL);
	current_drop(c);
	memset(body + at, '[', 32);
	memset(body + at + 32, ']', 32);
	memcpy(body + at + 64, "}}", 3);
	CHECK(deliver(body, NULL) == NULL);
}

UNIT("what is held outlives what drops it, and same means the same")
{
	const char *text = "{\"version\":1,\"data\":{\"url\":\"http://a\"}}";
	struct current *a = deliver(text, NULL), *b = deliver(text, NULL);
	struct current *held = current_hold(a);

	CHECK(current_same(a, b) && current_same(NULL, NULL));
	CHECK(!current_same(a, NULL) && !current_same(NULL, b));
	b->version = 2;
	CHECK(!current_same(a, b));
	current_drop(a);
	CHECK_TEXT(held->document.url, "http://a");
	current_drop(held);
	current_drop(b);
	current_drop(NULL);
}

UNIT_MAIN
