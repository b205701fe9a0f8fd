/* A patch says what changed, and nothing else. */
#include "unit.h"

#include "../../lib/json_diff.c"

static const char *
diff(const char *from, const char *to)
{
	static struct buf out = BUF_INIT(4096);
	struct json *a = json_parse(from, strlen(from), NULL);
	struct json *b = json_parse(to, strlen(to), NULL);

	CHECK(a != NULL && b != NULL);
	buf_reset(&out);
	json_diff(&out, a, b);
	json_free(a);
	json_free(b);
	CHECK(!out.failed);
	return buf_text(&out);
}

UNIT("the same value has an empty patch, whatever the order of its members")
{
	CHECK_TEXT(diff("{\"a\":[1,null,true],\"b\":\"x\"}",
	    "{\"b\":\"x\", \"a\":[1,null,true]}"), "[]");
}

UNIT("members are added, removed and replaced")
{
	CHECK_TEXT(diff("{\"url\":\"http://a\",\"old\":1}",
	    "{\"url\":\"http://b\",\"new\":{\"x\":[]}}"),
	    "[{\"op\":\"replace\",\"path\":\"/url\",\"value\":\"http://b\"},"
	    "{\"op\":\"remove\",\"path\":\"/old\"},"
	    "{\"op\":\"add\",\"path\":\"/new\",\"value\":{\"x\":[]}}]");
}

UNIT("the change is named where it is, and its name is escaped (RFC 6901)")
{
	CHECK_TEXT(diff("{\"a/b\":{\"c~d\":[0,1]}}",
	    "{\"a/b\":{\"c~d\":[0,2]}}"),
	    "[{\"op\":\"replace\",\"path\":\"/a~1b/c~0d/1\",\"value\":2}]");
}

UNIT("an array grows at its end and shrinks place by place")
{
	CHECK_TEXT(diff("[1]", "[1,2,3]"),
	    "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2},"
	    "{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]");
	CHECK_TEXT(diff("[1,2,3]", "[1]"),
	    "[{\"op\":\"remove\",\"path\":\"/1\"},"
	    "{\"op\":\"remove\",\"path\":\"/1\"}]");
}

UNIT("numbers that differ beyond double precision still show")
{
	CHECK_TEXT(diff("{\"n\":9007199254740992}",
	    "{\"n\":9007199254740993}"),
	    "[{\"op\":\"replace\",\"path\":\"/n\","
	    "\"value\":9007199254740993}]");
}

UNIT("another kind replaces, also at the root")
{
	CHECK_TEXT(diff("{\"a\":[]}", "{\"a\":{}}"),
	    "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{}}]");
	CHECK_TEXT(diff("1", "\"1\""),
	    "[{\"op\":\"replace\",\"path\":\"\",\"value\":\"1\"}]");
}

UNIT("a patch that does not fit fails, and nothing else does")
{
	struct buf small = BUF_INIT(8);
	struct json *a = json_parse("{}", 2, NULL);
	struct json *b = json_parse("{\"abcdefghijk\":1}", 17, NULL);

	json_diff(&small, a, b);
	CHECK(small.failed);
	buf_free(&small);
	json_free(a);
	json_free(b);
}

UNIT_MAIN
