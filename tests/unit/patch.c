/*
 * Patches between documents, and the bound on their length. What a patch is
 * made of is json_diff's own test.
 */
#include "unit.h"

#include "../../cgi/patch.c"

#include <stdlib.h>

static void
patch(struct buf *out, const char *from, const char *to)
{
	struct json_span a = { from, strlen(from) }, b = { to, strlen(to) };

	buf_reset(out);
	patch_make(out, &a, &b);
}

UNIT("a patch says what differs, to the last digit")
{
	struct buf out = BUF_INIT(1 << 20);

	patch(&out, "{\"url\":\"http://a\",\"n\":9007199254740992}",
	    "{\"n\":9007199254740993,\"url\":\"http://a\"}");
	CHECK_TEXT(buf_text(&out), "[{\"op\":\"replace\",\"path\":\"/n\","
	    "\"value\":9007199254740993}]");
	patch(&out, "{}", "{ }");
	CHECK_TEXT(buf_text(&out), "[]");
	patch(&out, "{}", "{\"url\":\"http://a\"}");
	CHECK_TEXT(buf_text(&out), "[{\"op\":\"add\",\"path\":\"/url\","
	    "\"value\":\"http://a\"}]");
	buf_free(&out);
}

/* {"<long name>":{"0":x,"1":x,…}} */
static char *
wide(char x)
{
	struct buf text = BUF_INIT(1 << 20);

	buf_str(&text, "{\"");
	for (int i = 0; i < 60000; i++)
		buf_char(&text, 'p');
	buf_str(&text, "\":{");
	for (int i = 0; i < 2000; i++)
		buf_printf(&text, "%s\"%d\":%c", i > 0 ? "," : "", i, x);
	buf_str(&text, "}}");
	return buf_give(&text);
}

UNIT("a patch that would be too long replaces the whole document")
{
	static const char whole[] =
	    "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"ppp";
	struct buf out = BUF_INIT(8 << 20);
	char *from = wide('1'), *to = wide('2');

	CHECK(from != NULL && to != NULL);
	patch(&out, from, to);
	CHECK(!out.failed);
	CHECK(out.len < strlen(to) + 64);
	CHECK(strncmp(buf_text(&out), whole, strlen(whole)) == 0);
	CHECK(json_check(buf_text(&out), out.len, NULL));
	buf_free(&out);
	free(from);
	free(to);
}

UNIT("members in another order are found all the same")
{
	struct buf out = BUF_INIT(1 << 20);

	patch(&out, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}",
	    "{\"d\":4,\"b\":2,\"e\":5,\"a\":1}");
	CHECK_TEXT(buf_text(&out), "[{\"op\":\"remove\",\"path\":\"/c\"},"
	    "{\"op\":\"add\",\"path\":\"/e\",\"value\":5}]");
	buf_free(&out);
}

UNIT_MAIN
