#include "unit.h"

#include <stdlib.h>

#include "../../lib/json.c"
#include "../../lib/json_rune.h"

static struct json_error why;

static bool
accepts(const char *text)
{
	return json_check(text, strlen(text), &why);
}

static struct json *
parse(const char *text)
{
	return json_parse(text, strlen(text), &why);
}

UNIT("what RFC 8259 calls JSON is accepted")
{
	static const char *const good[] = {
		"{}", "[]", "0", "-0", "\"\"", "true", "false", "null",
		" \t\r\n1 \n", "[1,2.5,-3e+7,0.1E-2,1e5]", "1e400",
		"{\"\":0,\" \":{\"\":[]}}", "[[],{},\"\",0]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\uDD1E\\u0000\"",
		"\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\"",
		"\"\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\"",
		"\"\xf4\x8f\xbf\xbf\"",
		"{\"a\":1,\"A\":2,\"\\u00e4\":3,\"a\\u0000\":4}",
		"[{\"a\":1},{\"a\":1}]", "{\"a\":{\"a\":1}}",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!accepts(good[i]))
			UNIT_FAIL("%s: %s", good[i], why.message);
}

UNIT("nothing else is")
{
	static const char *const bad[] = {
		"", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}",
		"{'a':1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "01",
		"-", "-a", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10",
		"00", "-01", "1_0", "NaN", "Infinity", "tru", "truee", "True",
		"nul", "nulll", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"",
		"\"\\u12g4\"", "\"\n\"", "\"\t\"", "\"\x01\"", "1 2", "{}{}",
		"[] x", "// no\n1", "[1]/**/", "\xef\xbb\xbf{}", "\xa0",
		"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"",
		"\"\\ud800\\ud800\"", "\"\\ud800\\u0041\"", "\"\\ud800\\n\"",
		"\"\x80\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xc1\xbf\"",
		"\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"",
		"\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"", "\"\xff\"", "\"\xe2\x82\"",
		"\"\xe2\x28\xa1\"", "\v1", "\f{}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (accepts(bad[i]))
			UNIT_FAIL("accepted: %s", bad[i]);
	CHECK(!json_check("1\0", 2, &why));
	CHECK(!json_check("\"\0\"", 3, &why));
	CHECK(!json_check("\"\\\0\"", 4, &why));
	CHECK(!json_check("{}", 1, NULL));
}

UNIT("every beginning of a text is refused and read no further")
{
	static const char text[] = "{\"a\":[1.5e+3,true,null,{\"b\\u00e9"
	    "\\ud834\\udd1e\xc3\xa9\":\"\\n\"}],\"c\":-0}";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *exact = malloc(n > 0 ? n : 1);
		bool good;

		memcpy(exact, text, n);
		good = json_check(exact, n, NULL);
		free(exact);
		CHECK(!good);
	}
	CHECK(accepts(text));
}

UNIT("a refusal says what and where")
{
	CHECK(!accepts("{\"url\":1,\"x\":2,\"\\u0075rl\":3}"));
	CHECK_TEXT(why.message, "duplicate name \"\\u0075rl\"");
	CHECK_INT(why.offset, 15);
	CHECK(!accepts("[1,"));
	CHECK_TEXT(why.message, "the text ends where a value must come");
	CHECK(!accepts("[1,]"));
	CHECK_TEXT(why.message, "']' where a value must come");
	CHECK_INT(why.offset, 3);
	CHECK(!accepts("\x01"));
	CHECK_TEXT(why.message, "byte 0x01 where a value must come");
	CHECK(!accepts("01"));
	CHECK_TEXT(why.message, "a number with a leading zero");
	CHECK(!accepts("{} {}"));
	CHECK_TEXT(why.message, "more text after the value");
	CHECK(!accepts("\xef\xbb\xbf{}"));
	CHECK_TEXT(why.message, "a byte order mark");
}

UNIT("names are duplicates by their characters, in one object")
{
	CHECK(!accepts("{\"a\":1,\"a\":1}"));
	CHECK(!accepts("{\"a\":1,\"b\":2,\"\\u0061\":1}"));
	CHECK(!accepts("{\"/\":1,\"\\/\":1}"));
	CHECK(!accepts("{\"\\n\":1,\"\\u000a\":1}"));
	CHECK(!accepts("{\"\xc3\xa9\":1,\"\\u00E9\":1}"));
	CHECK(!accepts("{\"\xf0\x9d\x84\x9e\":1,\"\\ud834\\udd1e\":1}"));
	CHECK(!accepts("[{\"x\":{\"a\":1,\"b\":{},\"a\":1}}]"));
	CHECK(!accepts("{\"a\":{\"b\":1},\"a\":2}"));
	CHECK(!accepts("{\"\":1,\"\":2}"));
	CHECK(accepts("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"));
}

UNIT("a long duplicate name is cut between characters in the message")
{
	char text[400] = "{\"", name[200] = "x";

	for (int i = 0; i < 60; i++)
		strcat(name, "\xc3\xa9");
	strcat(text, name);
	strcat(text, "\":1,\"");
	strcat(text, name);
	strcat(text, "\":2}");
	CHECK(!accepts(text));
	CHECK(strstr(why.message, "\xe2\x80\xa6") != NULL);
	for (size_t i = 0; why.message[i] != '\0';) {
		size_t n = json_rune_utf8(why.message + i,
		    strlen(why.message + i));

		CHECK(n > 0);
		i += n;
	}
}

UNIT("32 levels are read, 33 are not, and a million cost nothing")
{
	char text[2 * JSON_DEPTH_MAX + 3];
	char *many = malloc(1000000);

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	CHECK(json_check(text, 2 * JSON_DEPTH_MAX, &why));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	CHECK(!json_check(text, 2 * JSON_DEPTH_MAX + 2, &why));
	CHECK(json_check_around(text, 2 * JSON_DEPTH_MAX + 2, &why));
	CHECK_TEXT(why.message, "nested more than 32 levels deep");
	memset(many, '[', 1000000);
	CHECK(!json_check(many, 1000000, &why));
	free(many);
}

/* What json_check costs in comparisons is seen in processor time: quadratic
 * work on this body would be some 10^12 steps, and never end here. */
UNIT("a megabyte of names is no burden")
{
	struct buf b = BUF_INIT((size_t)1 << 24);
	bool good, twice;

	buf_char(&b, '{');
	for (int i = 0; i < 1000000; i++)
		buf_printf(&b, "\"%d\":0,", i);
	buf_str(&b, "\"x\":0}");
	good = json_check(b.data, b.len, &why);
	b.len -= 6;
	buf_str(&b, "\"0\":1}");
	twice = json_check(b.data, b.len, &why);
	buf_free(&b);
	CHECK(good);
	CHECK(!twice);
	CHECK_TEXT(why.message, "duplicate name \"0\"");
}

UNIT("a member's bytes are found as they were sent")
{
	static const char text[] = " { \"x\\\"\" : \"}\" , \"\\u0064ata\" : "
	    "{ \"n\": 9007199254740993 , \"s\":\"\\\"]}\" } , \"n\":-1.0 ,"
	    "\"t\":true,\"z\":null,\"a\":[ {} ] }";
	struct json_span span;

	CHECK(accepts(text));
	CHECK_INT(json_span(text, strlen(text), "data", &span), JSON_OBJECT);
	CHECK_INT(span.len, strlen("{ \"n\": 9007199254740993 , "
	    "\"s\":\"\\\"]}\" }"));
	CHECK(strncmp(span.text, "{ \"n\": 9007199254740993 ,", 25) == 0);
	CHECK_INT(json_span(text, strlen(text), "x\"", &span), JSON_STRING);
	CHECK(span.len == 3 && memcmp(span.text, "\"}\"", 3) == 0);
	CHECK_INT(json_span(text, strlen(text), "n", &span), JSON_NUMBER);
	CHECK(span.len == 4 && memcmp(span.text, "-1.0", 4) == 0);
	CHECK_INT(json_span(text, strlen(text), "t", &span), JSON_BOOL);
	CHECK_INT(json_span(text, strlen(text), "z", &span), JSON_NULL);
	CHECK_INT(json_span(text, strlen(text), "a", &span), JSON_ARRAY);
	CHECK(span.len == 6 && memcmp(span.text, "[ {} ]", 6) == 0);
	CHECK_INT(json_span(text, strlen(text), "s", &span), JSON_NONE);
	CHECK_INT(json_span(text, strlen(text), "", &span), JSON_NONE);
	CHECK_INT(json_span("[1]", 3, "a", &span), JSON_NONE);
	CHECK_INT(json_span("{}", 2, "a", &span), JSON_NONE);
	CHECK_INT(json_span("{\"a\":1}", 7, "a\\", &span), JSON_NONE);
}

UNIT("a value is read by name, by kind and in order")
{
	struct json *j = parse("{\"s\":\"\\u00e9\\n\",\"n\":7,\"b\":true,"
	    "\"z\":null,\"a\":[1,\"x\",{}],\"o\":{\"S\":0}}");
	const struct json *item;

	CHECK(j != NULL);
	CHECK_INT(json_kind(j), JSON_OBJECT);
	CHECK_TEXT(json_text(json_get(j, "s")), "\xc3\xa9\n");
	CHECK(json_text(json_get(j, "n")) == NULL);
	CHECK(json_text(json_get(j, "S")) == NULL);
	CHECK(json_true(json_get(j, "b")));
	CHECK(!json_true(json_get(j, "n")));
	CHECK(!json_true(NULL));
	CHECK_INT(json_kind(json_get(j, "z")), JSON_NULL);
	CHECK_INT(json_kind(json_get(j, "missing")), JSON_NONE);
	CHECK_INT(json_kind(json_get(json_get(j, "o"), "S")), JSON_NUMBER);
	CHECK(json_get(json_get(j, "a"), "x") == NULL);
	item = json_first(json_get(j, "a"));
	CHECK_INT(json_kind(item), JSON_NUMBER);
	CHECK(json_name(item) == NULL);
	item = json_next(item);
	CHECK_TEXT(json_text(item), "x");
	item = json_next(item);
	CHECK_INT(json_kind(item), JSON_OBJECT);
	CHECK(json_first(item) == NULL);
	CHECK(json_next(item) == NULL);
	CHECK_TEXT(json_name(json_first(j)), "s");
	json_free(j);
	json_free(NULL);
}

UNIT("what cannot be held as a C string is refused by the tree alone")
{
	CHECK(accepts("{\"a\":[\"x\\u0000\"]}"));
	CHECK(parse("{\"a\":[\"x\\u0000\"]}") == NULL);
	CHECK_TEXT(why.message, "\\u0000 is not allowed");
	CHECK_INT(why.offset, 8);
	CHECK(parse("{\"\\u0000\":1}") == NULL);
	CHECK(json_parse("{", 1, NULL) == NULL);
}

UNIT("a whole number is judged by its digits")
{
	static const struct {
		const char *text;
		long long value;
	} whole[] = {
		{ "0", 0 }, { "-0", 0 }, { "0e999999999999", 0 },
		{ "0.000", 0 }, { "7", 7 }, { "-86400", -86400 },
		{ "1.0", 1 }, { "1.50e1", 15 }, { "1e2", 100 },
		{ "100e-2", 1 }, { "0.00012e5", 12 }, { "1E+3", 1000 },
		{ "9007199254740992", 9007199254740992 },
		{ "-9007199254740992", -9007199254740992 },
		{ "90071992547409920e-1", 9007199254740992 },
		{ "900000000000000e1", 9000000000000000 },
		{ "10000000000000000000000000000000000000000000000000000000"
		  "000000000000000000000000000000e-79", 1000000 },
	}, broken[] = {
		{ "1.5", 0 }, { "1e400", 0 }, { "-1e400", 0 }, { "1e-1", 0 },
		{ "9007199254740993", 0 }, { "-9007199254740993", 0 },
		{ "9007199254740992.5", 0 }, { "1e16", 0 },
		{ "1.00000000000000000000000001", 0 },
		{ "1e99999999999999999999999", 0 },
		{ "1e-99999999999999999999999", 0 },
		{ "18446744073709551617", 0 }, { "\"7\"", 0 }, { "true", 0 },
		{ "null", 0 }, { "[7]", 0 }, { "{}", 0 },
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct json *j = parse(whole[i].text);
		long long value = -1;

		CHECK(j != NULL);
		if (!json_whole(j, &value))
			UNIT_FAIL("%s is not whole", whole[i].text);
		json_free(j);
		CHECK_INT(value, whole[i].value);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct json *j = parse(broken[i].text);
		long long value;
		bool is = json_whole(j, &value);

		CHECK(j != NULL);
		json_free(j);
		if (is)
			UNIT_FAIL("%s is whole", broken[i].text);
	}
	CHECK(!json_whole(NULL, &(long long){ 0 }));
}

UNIT("a value is written again with the digits it came with")
{
	struct json *j = parse("{ \"n\" : [ 9007199254740993, 1e400, -0.10,"
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "567890.5 ], \"\\u0061\\n\" : \"\\u00e9\\/\\u001f\\\"\", "
	    "\"x-1\":\"2\", \"t\":true, \"f\":false, \"z\":null, \"e\":{} }");
	struct buf b = BUF_INIT(1000);

	CHECK(j != NULL);
	json_put(&b, j);
	json_put(&b, NULL);
	json_free(j);
	CHECK_TEXT(buf_text(&b), "{\"n\":[9007199254740993,1e400,-0.10,"
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "567890.5],\"a\\n\":\"\xc3\xa9/\\u001f\\\"\",\"x-1\":\"2\","
	    "\"t\":true,\"f\":false,\"z\":null,\"e\":{}}null");
	buf_free(&b);
}

UNIT("text is written as valid UTF-8 whatever it was")
{
	struct buf b = BUF_INIT(1000);

	json_put_text(&b, "a\"\\\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9");
	CHECK_TEXT(buf_text(&b),
	    "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\xc3\xa9\"");
	buf_reset(&b);
	json_put_text(&b, "\xff" "a\xed\xa0\x80\xc3");
	CHECK_TEXT(buf_text(&b), "\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_reset(&b);
	json_put_text_n(&b, "a\0b", 3);
	json_put_text(&b, NULL);
	json_put_text(&b, "");
	CHECK_TEXT(buf_text(&b), "\"a\\u0000b\"null\"\"");
	buf_free(&b);
}

UNIT("every text survives being written and read")
{
	unsigned seed = 7;

	for (int round = 0; round < 2000; round++) {
		char text[40];
		struct buf b = BUF_INIT(1000);
		struct json *j;
		bool clean = true;

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (char)(1 + (seed >> 16) %
			    (round % 2 ? 127 : 255));
		}
		text[sizeof(text) - 1] = '\0';
		for (size_t i = 0; clean && text[i] != '\0';) {
			size_t n = json_rune_utf8(text + i, strlen(text + i));

			clean = n > 0;
			i += n;
		}
		json_put_text(&b, text);
		j = json_parse(b.data, b.len, &why);
		buf_free(&b);
		CHECK(j != NULL);
		CHECK(!clean || strcmp(json_text(j), text) == 0);
		json_free(j);
	}
}

UNIT_MAIN
