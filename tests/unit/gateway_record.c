/*
 * A reply as FastCGI records on a bare connection.
 */
#include "unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cgi/gateway_record.c"

static unsigned char got[600000];
static size_t got_len;

/* Sends the text as the reply to request 258 and reads what comes. */
static void
sent(const char *text, size_t len)
{
	struct gateway_record record = { .id = 0x0102 };
	int pair[2], status;
	pid_t pid;
	ssize_t n;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid = fork();
	if (pid == 0) {
		bool ok;

		close(pair[0]);
		buf_init(&record.out, 1 << 20);
		ok = gateway_record_write(&record, text, len) &&
		    gateway_record_end(&record, pair[1]);
		buf_free(&record.out);
		_exit(!ok);
	}
	close(pair[1]);
	got_len = 0;
	while ((n = read(pair[0], got + got_len, sizeof(got) - got_len)) > 0)
		got_len += (size_t)n;
	close(pair[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

/* Reads the records as FastCGI 1.0, section 3.3 has them. */
static void
whole(const char *text, size_t len)
{
	size_t at = 0, seen = 0, size;
	bool ended = false;

	sent(text, len);
	while (at < got_len) {
		const unsigned char *head = got + at;

		CHECK(got_len - at >= 8);
		CHECK_INT(head[0], 1);
		CHECK_INT(head[2] << 8 | head[3], 0x0102);
		size = (size_t)(head[4] << 8 | head[5]);
		CHECK(got_len - at - 8 >= size + head[6]);
		if (head[1] == 3) {
			CHECK(ended);		/* of standard output */
			CHECK_INT(size, 8);
			CHECK(memcmp(head + 8, "\0\0\0\0\0", 5) == 0);
			CHECK_INT(at + 8 + size + head[6], got_len);
			CHECK_INT(seen, len);
			return;
		}
		CHECK_INT(head[1], 6);
		CHECK(!ended);
		ended = size == 0;
		CHECK(memcmp(head + 8, text + seen, size) == 0);
		seen += size;
		at += 8 + size + head[6];
	}
	UNIT_FAIL("there is no end of the %s", "request");
}

UNIT("a reply is its bytes, an end of them, and the end of the request")
{
	whole("Status: 304 Not Modified\r\n\r\n", 28);
	whole("", 0);
}

UNIT("a reply that no record can take whole is cut into several")
{
	static char text[500000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 31 + i / 65528);
	whole(text, 65527);
	whole(text, 65528);
	whole(text, 65529);
	whole(text, 65536);
	whole(text, sizeof(text));
}

UNIT("a connection that is gone is told, and nothing is killed by it")
{
	struct gateway_record record = { .id = 1 };
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	close(pair[0]);
	buf_init(&record.out, 1 << 20);
	CHECK(gateway_record_write(&record, "x", 1));
	CHECK(!gateway_record_end(&record, pair[1]));
	buf_free(&record.out);
	close(pair[1]);
}

UNIT("a reply that does not fit is not sent by halves")
{
	struct gateway_record record = { .id = 1 };
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	buf_init(&record.out, 100);
	CHECK(!gateway_record_write(&record, (char[200]){ 0 }, 200));
	CHECK(!gateway_record_end(&record, pair[1]));
	CHECK(recv(pair[0], got, 1, MSG_DONTWAIT) < 0);
	buf_free(&record.out);
	close(pair[0]);
	close(pair[1]);
}

UNIT_MAIN
