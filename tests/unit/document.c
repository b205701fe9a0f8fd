/*
 * Documents: what is taken, and what is refused by which name.
 */
#include "../../lib/document.c"

#include "unit.h"

static char refused[500];

static void
note(void *arg, const char *name, const char *message)
{
	size_t len = strlen(refused);

	CHECK(arg == refused);
	CHECK(*message != '\0');
	snprintf(refused + len, sizeof(refused) - len, "%s;", name);
}

/* The names that were refused. */
static const char *
read_into(struct document *d, const char *text)
{
	struct json_error error;
	struct json *json = json_parse(text, strlen(text), &error);
	bool ok;

	if (json == NULL)
		UNIT_FAIL("%s: %s", text, error.message);
	*d = (struct document){ 0 };
	refused[0] = '\0';
	ok = document_read(d, json, note, refused);
	json_free(json);
	CHECK(ok == (refused[0] == '\0'));
	return refused;
}

static const char *
refusals(const char *text)
{
	struct document d;
	const char *names = read_into(&d, text);

	document_free(&d);
	return names;
}

UNIT("a url is enough, and redirects are followed by default")
{
	struct document d;

	CHECK_TEXT(read_into(&d, "{\"url\":\"https://ip.me\"}"), "");
	CHECK_TEXT(d.url, "https://ip.me");
	CHECK(d.follow_redirects);
	CHECK(d.headers == NULL && d.proxy == NULL && d.user_agent == NULL);
	CHECK_INT(d.timeout_seconds, 0);
	document_free(&d);
}

UNIT("every known member is read, others are ignored")
{
	struct document d;

	CHECK_TEXT(read_into(&d, "{\"url\":\"http://a:8080/x?y\","
	    "\"headers\":{\"X-A\":\"b\",\"Accept\":\"\"},"
	    "\"user_agent\":\"me/1\",\"timeout_seconds\":300,"
	    "\"follow_redirects\":false,\"proxy\":\"socks5h://u:p@h:1080\","
	    "\"else\":[1e999]}"), "");
	CHECK_TEXT(d.headers, "{\"X-A\":\"b\",\"Accept\":\"\"}");
	CHECK_TEXT(d.user_agent, "me/1");
	CHECK_INT(d.timeout_seconds, 300);
	CHECK(!d.follow_redirects);
	CHECK_TEXT(d.proxy, "socks5h://u:p@h:1080");
	document_free(&d);
}

UNIT("each wrong member is refused by its name")
{
	CHECK_TEXT(refusals("{}"), "url;");
	CHECK_TEXT(refusals("[]"), ";url;");
	CHECK_TEXT(refusals("{\"url\":1,\"headers\":[],\"user_agent\":{},"
	    "\"timeout_seconds\":\"5\",\"follow_redirects\":1,"
	    "\"proxy\":false}"), "url;headers;user_agent;timeout_seconds;"
	    "follow_redirects;proxy;");
	CHECK_TEXT(refusals("{\"url\":\"http://a\",\"headers\":null,"
	    "\"user_agent\":null,\"timeout_seconds\":null,"
	    "\"follow_redirects\":null,\"proxy\":null}"),
	    "headers;user_agent;timeout_seconds;follow_redirects;proxy;");
	CHECK_TEXT(refusals("{\"url\":\"http://a\",\"timeout_seconds\":0}"),
	    "timeout_seconds;");
	CHECK_TEXT(refusals("{\"url\":\"http://a\",\"timeout_seconds\":301}"),
	    "timeout_seconds;");
	CHECK_TEXT(refusals("{\"url\":\"http://a\",\"proxy\":\"ftp://b\","
	    "\"user_agent\":\"a\\nb\"}"), "proxy;user_agent;");
}

UNIT("headers are strings with plain names, and framing is not among them")
{
	CHECK_TEXT(refusals("{\"url\":\"http://a\",\"headers\":{\"host\":"
	    "\"x\",\"CONTENT-length\":\"1\",\"Transfer-Encoding\":\"x\","
	    "\"Connection\":\"x\",\"\":\"x\",\"a b\":\"x\",\"a\":1,"
	    "\"b\":\"x\\r\\ny\",\"c\":\"\\u007f\",\"ok\":\"\xc3\xa9\"}}"),
	    "headers.host;headers.CONTENT-length;headers.Transfer-Encoding;"
	    "headers.Connection;headers.;headers.a b;headers.a;headers.b;"
	    "headers.c;");
}

UNIT("URLs that are taken")
{
	static const char *const good[] = {
		"http://a", "HTTPS://A/", "http://a?b", "http://a#b",
		"http://127.0.0.1:1/", "http://a:65535", "http://[::1]",
		"http://[2001:db8::1]:80/x", "http://a/x@y", "http://a?x@y:z",
		"http://m\xc3\xbcnchen.example/\xc3\xa9", "http://a_b.c/",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (document_url(good[i], "http https", false) != NULL)
			UNIT_FAIL("%s: %s", good[i], document_url(good[i],
			    "http https", false));
	CHECK(document_url("http://u:p@a", "http https", true) == NULL);
}

UNIT("URLs that are not")
{
	static const char *const bad[] = {
		"", "a", "/a", "//a/b", "a.example/x", "://a", "http:",
		"http:a", "http:/a", "http://", "http:///a", "http://:80",
		"http://?a", "http://#a", "ftp://a", "file:///a", "httpx://a",
		"javascript:alert(1)", "http://u@a", "http://u:p@a",
		"http://@a", "http://a b", "http://a/b c", "http://a\n",
		"http://a\x7f", "http://a\\b", "http://a:", "http://a:0",
		"http://a:65536", "http://a:8x", "http://a:-1", "http://[::1",
		"http://[]", "http://[a]", "http://[::1]x", "http://::1",
		"http://a:1:2", "http://<a>", " http://a", "http://[::1%lo]",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (document_url(bad[i], "http https", false) == NULL)
			UNIT_FAIL("\"%s\" was taken", bad[i]);
}

UNIT_MAIN
