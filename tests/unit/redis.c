/*
 * Replies of Redis: whole, in pieces, huge, and none at all.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../lib/redis.c"

static struct redis reader;

static void
begin(void)
{
	redis_stop(&reader);
	CHECK(redis_start(&reader));
}

/* A letter a reply: r(eply), e(rror), and ! for what is no Redis. */
static const char *
kinds_in(const char *bytes, size_t len, size_t piece)
{
	static char said[64];
	size_t n = 0;

	begin();
	while (len > 0) {
		size_t some = len < piece ? len : piece;
		enum redis_kind kind;

		redis_feed(&reader, bytes, some);
		bytes += some;
		len -= some;
		while ((kind = redis_read(&reader)) != REDIS_MORE) {
			CHECK(n < sizeof(said) - 1);
			said[n++] = ".re!"[kind];
			if (kind == REDIS_WRONG) {
				CHECK_INT(redis_read(&reader), REDIS_WRONG);
				said[n] = '\0';
				return said;
			}
		}
	}
	said[n] = '\0';
	return said;
}

static const char *
kinds(const char *bytes)
{
	return kinds_in(bytes, strlen(bytes), 4096);
}

static const char many[] = "+OK\r\n-ERR no\r\n:1\r\n$-1\r\n$2\r\nhi\r\n"
    "*3\r\n$7\r\nmessage\r\n$13\r\nconfig:global\r\n$2\r\n{}\r\n*0\r\n";

UNIT("every kind of reply is known, in pieces of any size")
{
	for (size_t piece = 1; piece <= sizeof(many); piece++)
		CHECK_TEXT(kinds_in(many, sizeof(many) - 1, piece),
		    "rerrrrr");
}

UNIT("an error's text, and the first word of an array, are kept, cut")
{
	char *much;

	kinds("-WRONGPASS invalid username-password pair\r\n");
	CHECK_TEXT(reader.word, "WRONGPASS invalid username-password pair");
	kinds("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n");
	CHECK_TEXT(reader.word, "message");
	kinds("*2\r\n*1\r\n$1\r\nx\r\n$1\r\ny\r\n");
	CHECK_TEXT(reader.word, "");
	much = calloc(1, 400);
	snprintf(much, 400, "-%0300d\r\n", 0);
	CHECK_TEXT(kinds(much), "e");
	CHECK_INT(strlen(reader.word), REDIS_WORD - 1);
	free(much);
}

UNIT("what is no Redis is refused, and stays so")
{
	CHECK_TEXT(kinds("HTTP/1.1 400 Bad Request\r\n\r\n"), "!");
	CHECK_TEXT(kinds("+OK\r\nINFO {}\r\n"), "r!");
	CHECK_TEXT(kinds("*-7\r\n"), "!");
	CHECK_TEXT(kinds("*99999999999999999999\r\n"), "!");
	CHECK_TEXT(kinds("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
	    "*1\r\n*1\r\n*1\r\n"), "!");
}

UNIT("an array of two thousand million elements costs nothing")
{
	CHECK_TEXT(kinds("*2147483647\r\n:1\r\n:2\r\n"), "");
	CHECK(reader.reader->len < 4096);
}

UNIT("a string that never ends is refused before it fills the memory")
{
	char *much = calloc(1, 65536);
	size_t fed = 0;

	begin();
	redis_feed(&reader, "$536870912\r\n", 12);
	while (redis_read(&reader) == REDIS_MORE) {
		redis_feed(&reader, much, 65536);
		fed += 65536;
		CHECK(fed < 2 * REDIS_MAX);
	}
	CHECK_INT(redis_read(&reader), REDIS_WRONG);
	CHECK(fed >= REDIS_MAX);
	free(much);
}

UNIT("a command's words may have any bytes")
{
	char user[] = "u", password[] = "p\r\n";
	struct broker b = { .password = password };
	struct buf out = BUF_INIT(4096);

	redis_put(&out, 2, (const char *const[]){ "PING", "a\0b" },
	    (const size_t[]){ 4, 3 });
	CHECK_INT(out.len, 23);
	CHECK(memcmp(out.data, "*2\r\n$4\r\nPING\r\n$3\r\na\0b\r\n", 23) == 0);
	buf_reset(&out);
	CHECK_INT(redis_put_auth(&out, &b), 1);
	CHECK_TEXT(buf_text(&out), "*2\r\n$4\r\nAUTH\r\n$3\r\np\r\n\r\n");
	buf_reset(&out);
	b.user = user;
	CHECK_INT(redis_put_auth(&out, &b), 1);
	CHECK_TEXT(buf_text(&out), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$3\r\n"
	    "p\r\n\r\n");
	buf_reset(&out);
	b.password = NULL;
	CHECK_INT(redis_put_auth(&out, &b), 0);
	CHECK_INT(out.len, 0);
	buf_free(&out);
	redis_stop(&reader);
}

UNIT_MAIN
