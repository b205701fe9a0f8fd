/*
 * URLs of brokers: what is read, and what is refused without a secret in it.
 */
#include "unit.h"

#include <string.h>

#include "../../lib/broker.c"

static struct broker one;
static struct broker_list list;
static char error[200];

static bool
redis(const char *url)
{
	struct buf why = BUF_INIT(1000);
	bool good;

	broker_free(&one);
	good = broker_redis(&one, url, &why);
	snprintf(error, sizeof(error), "%s", buf_text(&why));
	buf_free(&why);
	return good;
}

static bool
nats(const char *url)
{
	struct buf why = BUF_INIT(1000);
	bool good;

	broker_list_free(&list);
	good = broker_list_nats(&list, url, &why);
	snprintf(error, sizeof(error), "%s", buf_text(&why));
	buf_free(&why);
	return good;
}

UNIT("redis:// has a host, and what it need not have")
{
	CHECK(redis("redis://host"));
	CHECK_TEXT(one.host, "host");
	CHECK_INT(one.port, 6379);
	CHECK_INT(one.number, 0);
	CHECK(one.user == NULL && one.password == NULL);
	CHECK(redis("redis://us%65r:p%40ss@[::1]:7/15"));
	CHECK_TEXT(one.user, "user");
	CHECK_TEXT(one.password, "p@ss");
	CHECK_TEXT(one.host, "::1");
	CHECK_INT(one.port, 7);
	CHECK_INT(one.number, 15);
	CHECK(redis("redis://:a@b:c@host:1/"));
	CHECK(one.user == NULL);
	CHECK_TEXT(one.password, "a@b:c");
	broker_free(&one);
}

UNIT("redis:// that is malformed is refused, and no secret is said")
{
	static const char *const wrong[] = {
		"redis://", "redis://secret@host", "redis://u:secret@",
		"redis://u:secret@ho st", "redis://u:secret@host:0",
		"redis://u:secret@host:65536", "redis://u:secret@host:",
		"redis://u:secret@host:1x", "redis://u:secret@host/x",
		"redis://u:secret%0@host", "redis://u:secret%00@host",
		"redis://u:secret%zz@host", "rediss://u:secret@host",
		"redis://u:secret@[::1", "redis://u:secret@[::1]x",
		"nats://u:secret@host", "redis://u:secret@host?x=1",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(!redis(wrong[i]));
		CHECK(error[0] != '\0');
		CHECK(strstr(error, "secret") == NULL);
	}
	broker_free(&one);
}

UNIT("nats:// takes a user and a password, a token, or neither")
{
	CHECK(nats("nats://host"));
	CHECK_INT(list.count, 1);
	CHECK_INT(list.at[0].port, 4222);
	CHECK(list.at[0].user == NULL && list.at[0].token == NULL);
	CHECK(nats("nats://u:p@host:1/"));
	CHECK_TEXT(list.at[0].user, "u");
	CHECK_TEXT(list.at[0].password, "p");
	CHECK(nats("nats://t%2fken@host"));
	CHECK_TEXT(list.at[0].token, "t/ken");
	CHECK(list.at[0].user == NULL);
	broker_list_free(&list);
}

UNIT("several servers share the credential of the first that has one")
{
	CHECK(nats("nats://a, nats://u:p@b:1,nats://t@c"));
	CHECK_INT(list.count, 3);
	CHECK_TEXT(list.at[0].host, "a");
	CHECK_TEXT(list.at[0].user, "u");
	CHECK_TEXT(list.at[0].password, "p");
	CHECK_TEXT(list.at[1].host, "b");
	CHECK_INT(list.at[1].port, 1);
	CHECK_TEXT(list.at[2].token, "t");
	CHECK(list.at[2].user == NULL);
	broker_list_free(&list);
}

UNIT("nats:// that is malformed is refused, and no secret is said")
{
	static const char *const wrong[] = {
		"", "nats://", "nats://u:secret@", "nats://:secret@host",
		"tls://u:secret@host", "nats://u:secret@host,",
		"nats://u:secret@host,redis://host", "nats://@host",
		"nats://u:secret@host/path", "nats://secret%@host",
		"nats://a,nats://a,nats://a,nats://a,nats://a,nats://a,"
		"nats://a,nats://a,nats://a,nats://a,nats://a,nats://a,"
		"nats://a,nats://a,nats://a,nats://a,nats://secret@a",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(!nats(wrong[i]));
		CHECK(error[0] != '\0');
		CHECK(strstr(error, "secret") == NULL);
	}
	broker_list_free(&list);
}

UNIT_MAIN
