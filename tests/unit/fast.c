/*
 * The fast path's judgement, from the files that a responder writes.
 */
#include "unit.h"

#include "../../cgi/fast.c"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../cgi/front.h"
#include "fast_here.h"

UNIT("the fleet's key and a token are answered, anything else is not")
{
	struct fast_poll p;

	begin();
	p = poll_of(FAST_KEY, "agent");
	CHECK_INT(asks(&p), 200);
	CHECK_TEXT(reply.etag, etag);
	CHECK_TEXT(reply.interval, "30");
	CHECK_TEXT(buf_text(reply.body), fast.front.body.data);
	CHECK(token_is_uuid(reply.id));
	p = poll_of(FAST_KEY, "admin");
	CHECK_INT(asks(&p), 0);
	p = poll_of(FAST_KEY, "");
	CHECK_INT(asks(&p), 0);
	CHECK_INT(asks_token(one, 1), 200);
	CHECK_INT(asks_token(one, 2), 0);
	CHECK_INT(asks_token(two, 1), 0);
	CHECK_INT(asks_token(two, 2), 200);
	CHECK_INT(asks_token(two, 22), 0);
	p = poll_of(FAST_AUTHORIZATION, token_of(one, 1));
	CHECK_INT(asks(&p), 200);
	p.fields[FAST_KEY] = "agent";
	CHECK_INT(asks(&p), 0);
	end();
}

UNIT("a token that was altered anywhere is left to the responders")
{
	struct fast_poll p;

	begin();
	p = poll_of(FAST_AUTHORIZATION, token_of(one, 1));
	for (size_t i = 0; bearer[i] != '\0'; i++) {
		char was = bearer[i];

		bearer[i] = was == 'A' ? 'B' : 'A';
		CHECK_INT(asks(&p), 0);
		bearer[i] = '\0';
		CHECK_INT(asks(&p), 0);
		bearer[i] = was;
	}
	strcat(bearer, "x");
	CHECK_INT(asks(&p), 0);
	end();
}

UNIT("a tag that is older is answered, one that may be newer is not")
{
	char text[ETAG_SIZE + 8];

	begin();
	CHECK_INT(asks_tag(etag), 304);
	CHECK(reply.body == NULL);
	snprintf(text, sizeof(text), "W/%s", etag);
	CHECK_INT(asks_tag(text), 304);
	snprintf(text, sizeof(text), "%.*s-gzip\"", (int)strlen(etag) - 1,
	    etag);
	CHECK_INT(asks_tag(text), 304);
	CHECK_INT(asks_tag("\"0-0123456789abcdef\""), 200);
	CHECK_INT(asks_tag("\"1-0123456789abcdef\""), 0);
	CHECK_INT(asks_tag("\"0-0123456789abcdef-other\""), 0);
	CHECK_INT(asks_tag("\"0-0123456789abcdef\", \"0-1\""), 0);
	CHECK_INT(asks_tag("\"99999999999999999999-0123456789abcdef\""), 0);
	CHECK_INT(asks_tag("*") + asks_tag("") + asks_tag("\""), 0);
	end();
}

UNIT("what asks for more than the path itself is left to the responders")
{
	struct fast_poll p;
	char target[FAST_TARGET_SIZE + 2];

	begin();
	p = poll_of(FAST_KEY, "agent");
	p.target = "/config?x=1";
	CHECK_INT(asks(&p), 0);
	p.target = "/%63onfig";
	CHECK_INT(asks(&p), 0);
	memset(target, 'a', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	p.target = p.path = target;
	CHECK_INT(asks(&p), 0);
	p = poll_of(FAST_KEY, "agent");
	CHECK_INT(asks(&p), 200);
	p.path = NULL;		/* it is known by now */
	CHECK_INT(asks(&p), 200);
	p.target = NULL;
	CHECK_INT(asks(&p), 0);
	p = poll_of(FAST_KEY, "agent");
	p.method = "POST";
	CHECK_INT(asks(&p), 0);
	p.method = "HEAD";
	CHECK_INT(asks(&p), 200);
	p.fields[FAST_CACHE] = "max-age=0";
	CHECK_INT(asks(&p), 200);
	p.fields[FAST_CACHE] = "max-age=0, No-Cache";
	CHECK_INT(asks(&p), 0);
	end();
}

UNIT("a name that could fold into another one's variable is not overlooked")
{
	static const char *const other[] = {
		"X_Api_Key", "X-Api_Key", "x.api.key", "Range", "expect",
		"CONTENT-LENGTH", "Transfer-Encoding", "Upgrade", "a b", "\xc3",
	};

	CHECK_INT(fast_field("X-Api-Key", 9), FAST_KEY);
	CHECK_INT(fast_field("AUTHORIZATION", 13), FAST_AUTHORIZATION);
	CHECK_INT(fast_field("if-none-match", 13), FAST_TAGS);
	CHECK_INT(fast_field("X-Agent-ID", 10), FAST_ID);
	CHECK_INT(fast_field("Host", 4), FAST_NOTHING);
	CHECK_INT(fast_field("Host\0", 5), FAST_OTHER);
	CHECK_INT(fast_field("X\rApi-Key", 9), FAST_OTHER);
	CHECK_INT(fast_field("X-Api-Ke\0", 9), FAST_OTHER);
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		CHECK_INT(fast_field(other[i], strlen(other[i])), FAST_OTHER);
}

UNIT("a poll is one line that says what it said, and how it was answered")
{
	static const char upper[] = "3F2B8C1E-5D4A-4F6B-9A7C-0E1D2C3B4A5F";
	static const char *const wrong[] = {
		"1000000000000000000", "", "-1", "+1", " 1", "1 ", "0x1",
	};
	struct fast_poll p;

	begin();
	p = poll_of(FAST_KEY, "agent");
	CHECK_INT(asks(&p), 200);
	CHECK_TEXT(noted(), "- - - F 200");
	p.fields[FAST_ID] = upper;
	p.fields[FAST_VERSION] = "7";
	p.fields[FAST_STATE] = "no-worker";
	p.fields[FAST_TAGS] = etag;
	CHECK_INT(asks(&p), 304);
	CHECK_TEXT(noted(), "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f 7 no-worker "
	    "F 304");
	p.fields[FAST_ID] = "x\n1 2 3";
	p.fields[FAST_STATE] = "ok F\n";
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		p.fields[FAST_VERSION] = wrong[i];
		CHECK_INT(asks(&p), 304);
		CHECK_TEXT(noted(), "- - - F 304");
	}
	p = poll_of(FAST_AUTHORIZATION, token_of(one, 1));
	p.fields[FAST_VERSION] = "999999999999999999";
	p.fields[FAST_STATE] = "ok";
	p.fields[FAST_ID] = upper;
	CHECK_INT(asks(&p), 200);
	CHECK_TEXT(noted(), "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f "
	    "999999999999999999 ok T 200");
	p.fields[FAST_ID] = two;
	CHECK_INT(asks(&p), 0);
	CHECK_INT(strlen(noted()), 36 + 1 + 18 + 1 + 8);
	end();
}

UNIT("a request id is echoed when it is one, else made")
{
	struct fast_poll p;
	char text[] = "0123456789012345678901234567890123456789"
	    "0123456789012345678901234";

	begin();
	p = poll_of(FAST_KEY, "agent");
	p.fields[FAST_REQUEST] = text + 1;
	CHECK_INT(asks(&p), 200);
	CHECK_TEXT(reply.id, text + 1);
	p.fields[FAST_REQUEST] = text;
	CHECK_INT(asks(&p), 200);
	CHECK(token_is_uuid(reply.id));
	end();
}

UNIT("what a folder without files, or a vanished one, says is nothing")
{
	struct fast_poll p;
	char line[128];

	begin();
	p = poll_of(FAST_KEY, "agent");
	CHECK_INT(asks(&p), 200);
	snprintf(line, sizeof(line), "rm -rf %s/front", folder);
	CHECK(system(line) == 0);
	CHECK_INT(asks(&p), 0);
	end();
}

/* What a file of the front is, with one byte of it changed. */
static void
spoil(const char *name, struct buf *was, size_t at, unsigned char byte)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/front/%s", folder, name);
	if (was->len == 0)
		CHECK_INT(keep_read(path, was), 0);
	f = fopen(path, "we");
	CHECK(f != NULL);
	for (size_t i = 0; i < was->len; i++)
		fputc(i == at ? byte : (unsigned char)was->data[i], f);
	CHECK(fclose(f) == 0);
}

/* "now" is of now, wherever its time stands. */
static void
freshen(struct buf *now)
{
	char time[16], path[PATH_MAX];
	int fd;

	snprintf(time, sizeof(time), "%013lld", clock_wall());
	if (now != NULL) {
		memcpy(now->data, time, 13);
		return;
	}
	snprintf(path, sizeof(path), "%s/front/now", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(pwrite(fd, time, 13, 0) == 13);
	close(fd);
}

UNIT("a byte that differs in any file is not believed, or changes nothing")
{
	static const char *const names[] = { "now", "published",
	    "credentials" };
	static const unsigned char bytes[] = { 0, '\n', ' ', '9', 0xff };
	struct fast_poll p;

	begin();
	p = poll_of(FAST_AUTHORIZATION, token_of(one, 1));
	for (size_t i = 0; i < 3; i++) {
		struct buf was = BUF_INIT(1 << 20);

		spoil(names[i], &was, (size_t)-1, 0);
		for (size_t at = 0; at < was.len * sizeof(bytes); at++) {
			freshen(i == 0 ? &was : NULL);
			if ((unsigned char)was.data[at / sizeof(bytes)] ==
			    bytes[at % sizeof(bytes)])
				continue;
			fast.front.stamp[0] = fast.front.tag[0] = '\0';
			spoil(names[i], &was, at / sizeof(bytes),
			    bytes[at % sizeof(bytes)]);
			/* what now says itself, nobody vouches for */
			if (asks(&p) != 0 && (i > 0 || strcmp(strchr(
			    fast.front.tag, '-'), strchr(etag, '-')) != 0))
				UNIT_FAIL("%s, byte %zu", names[i],
				    at / sizeof(bytes));
		}
		freshen(i == 0 ? &was : NULL);
		spoil(names[i], &was, (size_t)-1, 0);
		CHECK_INT(asks(&p), 200);
		buf_free(&was);
	}
	end();
}

UNIT("a moment that is before the start, too old or ahead is not believed")
{
	long long now = clock_wall(), was;

	begin();
	fast.front.looked = 0;
	CHECK(front_look(&fast.front, now + 20));
	was = fast.front.begun;
	CHECK(front_look(&fast.front, now + FRONT_LEASE_MS - 1000));
	CHECK(!front_look(&fast.front, now + FRONT_LEASE_MS + 5000));
	/* set back, and more than a second */
	CHECK(!front_look(&fast.front, now - 5000));
	CHECK_INT(fast.front.begun, now - 5000);
	CHECK(front_look(&fast.front, now + 100));
	fast.front.begun = now + 60000;
	CHECK(!front_look(&fast.front, now + 200));
	fast.front.begun = was;
	CHECK(front_look(&fast.front, now + 300));
	end();
}

UNIT("an answer does not fail for its heartbeat, but for the file it needs")
{
	struct fast_poll p;

	begin();
	p = poll_of(FAST_KEY, "agent");
	CHECK_INT(asks(&p), 200);
	close(fast.gather->beat.fd);
	fast.gather->beat.fd = open("/dev/full", O_WRONLY);
	CHECK_INT(asks(&p), 200);
	free(fast.gather->beat.folder);
	fast.gather->beat.folder = strdup("/dev/null/beats");
	fast.gather->beat.slot = 0;
	CHECK_INT(asks(&p), 0);
	end();
}

UNIT_MAIN
