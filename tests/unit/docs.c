/*
 * The page of the API: what a table says stays text, and a JSON example
 * keeps its bytes but for the space between them.
 */
#include "../../cgi/docs_part.c"

#include "unit.h"

static struct buf page = BUF_INIT(1 << 20);

static const char *
text(const char *from)
{
	buf_reset(&page);
	docs_part_text(&page, from);
	return buf_text(&page);
}

static const char *
words(const char *from)
{
	buf_reset(&page);
	docs_part_words(&page, from);
	return buf_text(&page);
}

static const char *
json(const char *from)
{
	buf_reset(&page);
	docs_part_json(&page, from);
	return buf_text(&page);
}

UNIT("whatever HTML would read is escaped")
{
	CHECK_TEXT(text("<script>&\"'</script>"),
	    "&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;");
	CHECK_TEXT(words("a <b> `c<d` e&f"),
	    "a &lt;b&gt; <code>c&lt;d</code> e&amp;f");
	CHECK_TEXT(words("`a` b ` c"), "<code>a</code> b ` c");
	CHECK_TEXT(json("{\"<a>\":\"</pre>&\\\"x\"}"),
	    "{\n  &quot;&lt;a&gt;&quot;: "
	    "&quot;&lt;/pre&gt;&amp;\\&quot;x&quot;\n}");
}

UNIT("an example has a member a line")
{
	CHECK_TEXT(json("{\"a\":[1,{\"b\":null}],\"c\":{},\"d\":[]}"),
	    "{\n  &quot;a&quot;: [\n    1,\n    {\n      &quot;b&quot;: null\n"
	    "    }\n  ],\n  &quot;c&quot;: {},\n  &quot;d&quot;: []\n}");
	CHECK_TEXT(json("[ 1 ,\n\t2 ]"), "[\n  1,\n  2\n]");
	CHECK_TEXT(json("\"a,b:{}[] \\\\\""),
	    "&quot;a,b:{}[] \\\\&quot;");
}

UNIT("what is not JSON after all is still shown, and nothing behind it")
{
	CHECK_TEXT(json("\"open"), "&quot;open");
	CHECK_TEXT(json("\"open\\"), "&quot;open\\");
	CHECK_TEXT(json("}}"), "\n}\n}");
}

UNIT("parameters, fields and examples of a row are on its page")
{
	static const struct route_param params[] = {
		{ .name = "a<b", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,
		    .min = 1, .max = 9, .fallback = "3", .example = "<4>",
		    .doc = "a `number`" },
		{ .name = NULL },
	};
	static const struct field inner[] = {
		{ .name = "x", .kind = FIELD_BOOL, .need = FIELD_REQUIRED },
		{ .name = NULL },
	};
	static const struct field fields[] = {
		{ .name = "list", .kind = FIELD_ITEMS, .fields = inner },
		{ .name = "one", .kind = FIELD_OBJECT, .fields = inner,
		    .need = FIELD_REQUIRED, .doc = "<i>" },
		{ .name = NULL },
	};
	static const struct route_answer answers[] = {
		{ .status = 200, .doc = "fine", .type = "application/json",
		    .fields = fields, .headers = "ETag Link",
		    .example = "{\"one\":1}" },
		{ .status = 412, .doc = "gone" },
		{ .status = ROUTE_ANY, .doc = "more", .type = "*/*" },
		{ .status = 0 },
	};
	static const struct route row = { .method = "GET", .path = "/a",
		.params = params, .answers = answers, .who = ROUTE_ADMIN };

	buf_reset(&page);
	docs_part_params(&page, &row);
	docs_part_answers(&page, &row);
	CHECK(strstr(buf_text(&page), "<code>a&lt;b</code></th><td>query, "
	    "whole number, 1 to 9; else 3</td><td>a <code>number</code>"));
	CHECK(strstr(buf_text(&page), "<code>&lt;4&gt;</code>"));
	CHECK(strstr(buf_text(&page), "<code>list[].x</code>"));
	CHECK(strstr(buf_text(&page), "<code>one.x</code>"));
	CHECK(strstr(buf_text(&page), "&lt;i&gt;"));
	CHECK(strstr(buf_text(&page), "with ETag, Link"));
	CHECK(strstr(buf_text(&page), "&quot;detail&quot;: &quot;gone&quot;"));
	CHECK(strstr(buf_text(&page), "<b>other</b> more"));
	CHECK(strstr(buf_text(&page), "<a href=\"#Unauthorized\">401</a>"));
	CHECK(strstr(buf_text(&page), "#NotFound") == NULL);
}

UNIT_MAIN
