/*
 * References against a base.
 */
#include "../../lib/fetch_url.c"

#include "unit.h"

#include <stdlib.h>

UNIT("references are resolved as RFC 3986, 5.4 has it")
{
	static const char *const rows[][2] = {
		{ "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },
		{ "//g", "http://g/" }, { "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" }, { "#s", "http://a/b/c/d;p?q" },
		{ ";x", "http://a/b/c/;x" }, { "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" }, { "./", "http://a/b/c/" },
		{ "..", "http://a/b/" }, { "../g", "http://a/b/g" },
		{ "../..", "http://a/" }, { "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" }, { "/./g", "http://a/g" },
		{ "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" }, { "./../g", "http://a/b/g" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "https://b:8/x#f", "https://b:8/x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = fetch_resolve("http://a/b/c/d;p?q", rows[i][0],
		    NULL);

		CHECK_TEXT(got, rows[i][1]);
		free(got);
	}
}

UNIT("the origin is scheme, host and port, and nonsense resolves to nothing")
{
	bool same;

	free(fetch_resolve("http://a/b", "HTTP://A:80/c", &same));
	CHECK(same);
	free(fetch_resolve("http://a/b", "https://a/c", &same));
	CHECK(!same);
	free(fetch_resolve("http://a/b", "//a:81/c", &same));
	CHECK(!same);
	free(fetch_resolve("http://a/b", "//b/c", &same));
	CHECK(!same);
	CHECK(fetch_resolve("nothing", "g", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "http:g", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "//b c/", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "mailto:x", NULL) == NULL);
}

UNIT_MAIN
