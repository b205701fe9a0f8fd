#include "unit.h"

#include "../../lib/etag.c"

UNIT("a tag names the version and the digest of the body")
{
	char tag[ETAG_SIZE];

	etag_make(tag, 7, "abc", 3);	/* FIPS 180-4's example */
	CHECK_TEXT(tag, "\"7-ba7816bf8f01cfea\"");
}

UNIT("a list matches when one of its tags does, weak or compressed")
{
	CHECK(etag_match("\"a\", W/\"b\"", "\"b\""));
	CHECK(etag_match("\"b-gzip\"", "\"b\""));
	CHECK(etag_match(" * ", "\"b\""));
	CHECK(!etag_match("\"a\",\"bb\"", "\"b\""));
	CHECK(!etag_match("b", "\"b\""));
	CHECK(!etag_match("\"b", "\"b\""));
	CHECK(!etag_match("", "\"b\""));
}

UNIT("the highest version of a list counts, and only tags of ours")
{
	CHECK_INT(etag_version("\"7-ba7816bf8f01cfea\""), 7);
	CHECK_INT(etag_version("\"7-ba7816bf8f01cfea\", "
	    "W/\"12-ba7816bf8f01cfea-gzip\""), 12);
	CHECK_INT(etag_version("\"7-xyz816bf8f01cfea\""), -1);
	CHECK_INT(etag_version("\"99999999999999999999-ba7816bf8f01cfea\""),
	    -1);
	CHECK_INT(etag_version("*"), -1);
}

UNIT_MAIN
