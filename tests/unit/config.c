#include "unit.h"

#include "../../agent/config.c"

#include <stdlib.h>

static char why[CONFIG_WHY];

static bool
reads(struct config *c, const char *body, const char *etag)
{
	return config_read(c, body, strlen(body), etag, why);
}

UNIT("an answer is kept byte for byte, and what matters is read out of it")
{
	static const char body[] = "{ \"version\":7, \"data\":{\"url\":"
	    "\"https:\\/\\/ip.me\",\"n\":9007199254740993},"
	    "\"poll_interval_seconds\":30 }\n";
	struct config c = { .version = 0 };

	CHECK(reads(&c, body, "\"7-ba7816bf8f01cfea\""));
	CHECK_INT(c.version, 7);
	CHECK_INT(c.interval, 30);
	CHECK_TEXT(c.body, body);
	CHECK_TEXT(c.url, "https://ip.me");
	CHECK_TEXT(c.etag, "\"7-ba7816bf8f01cfea\"");
	config_free(&c);
}

UNIT("what is no configuration is refused with a reason, the old one stays")
{
	static const char *const bad[][2] = {
		{ "", "not JSON" },
		{ "<html>", "not JSON" },
		{ "{\"version\":7,\"data\":{}", "not JSON" },
		{ "[7]", "not an object" },
		{ "7", "not an object" },
		{ "{}", "no version" },
		{ "{\"data\":{}}", "no version" },
		{ "{\"version\":\"7\",\"data\":{}}", "version is not" },
		{ "{\"version\":7.5,\"data\":{}}", "version is not" },
		{ "{\"version\":-7,\"data\":{}}", "version is not" },
		{ "{\"version\":null,\"data\":{}}", "version is not" },
		{ "{\"version\":true,\"data\":{}}", "version is not" },
		{ "{\"version\":1e99,\"data\":{}}", "version is not" },
		{ "{\"version\":[7],\"data\":{}}", "version is not" },
		{ "{\"version\":7}", "data is not" },
		{ "{\"version\":7,\"data\":[]}", "data is not" },
		{ "{\"version\":7,\"data\":null}", "data is not" },
		{ "{\"version\":7,\"version\":8,\"data\":{}}", "duplicate" },
		{ "{\"version\":7,\"data\":{\"a\":\"\xff\"}}", "not JSON" },
		{ "{\"version\":7,\"data\":{}} x", "not JSON" },
	};
	struct config c = { .version = 0 };

	CHECK(reads(&c, "{\"version\":3,\"data\":{}}", NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!reads(&c, bad[i][0], NULL));
		if (strstr(why, bad[i][1]) == NULL)
			UNIT_FAIL("%s: %s", bad[i][0], why);
		CHECK_INT(c.version, 3);
	}
	config_free(&c);
}

UNIT("a document of 32 levels still comes through in its answer")
{
	struct buf body = BUF_INIT(4096);
	struct config c = { .version = 0 };

	buf_str(&body, "{\"version\":1,\"data\":{\"a\":");
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		buf_char(&body, '[');
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		buf_char(&body, ']');
	buf_str(&body, "}}");
	CHECK(reads(&c, buf_text(&body), NULL));
	config_free(&c);
	buf_free(&body);
}

UNIT("a tag that is missing or malformed is made as the contract has it")
{
	static const char *const bad[] = { NULL, "", "7", "\"", "W/\"",
		"\"a\"b\"", "\"a\n\"", "\"\xc3\"", "\"a" };
	static const char body[] = "{\"version\":7,\"data\":{}}";
	char made[ETAG_SIZE];
	struct config c = { .version = 0 };

	etag_make(made, 7, body, strlen(body));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(reads(&c, body, bad[i]));
		CHECK_TEXT(c.etag, made);
	}
	CHECK(reads(&c, body, "W/\"7-a-gzip\""));
	CHECK_TEXT(c.etag, "W/\"7-a-gzip\"");
	config_free(&c);
}

UNIT("an interval that is out of range is not followed, the rest is")
{
	static const char *const bad[] = { "0", "-1", "1.5", "1e12", "\"30\"",
		"86401", "null", "{}" };
	struct config c = { .version = 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char body[128];

		snprintf(body, sizeof(body), "{\"version\":7,\"data\":{},"
		    "\"poll_interval_seconds\":%s}", bad[i]);
		CHECK(reads(&c, body, NULL));
		CHECK_INT(c.interval, 0);
	}
	config_free(&c);
}

UNIT("configurations are the same when version and bytes are")
{
	struct config a = { .version = 0 }, b = { .version = 0 };

	CHECK(config_same(&a, &b));
	CHECK(reads(&a, "{\"version\":7,\"data\":{}}", "\"x\""));
	CHECK(!config_same(&a, &b));
	CHECK(config_copy(&b, &a));
	CHECK(config_same(&a, &b));
	CHECK(reads(&b, "{\"version\":7,\"data\":{} }", "\"x\""));
	CHECK(!config_same(&a, &b));
	config_free(&a);
	config_free(&b);
}

UNIT_MAIN
