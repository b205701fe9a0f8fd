/*
 * The lines of NATS: whole, in pieces, and none at all.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../../lib/nats.c"

static struct nats parser;

static void
begin(void)
{
	nats_stop(&parser);
	nats_start(&parser);
}

/* What the bytes are, in pieces of at most `piece`: a letter a line. */
static const char *
kinds_in(const char *bytes, size_t len, size_t piece)
{
	static const char letters[] = ".imPpoe";
	static char said[64];
	size_t n = 0;

	begin();
	while (len > 0) {
		size_t left = len < piece ? len : piece;
		const char *at = bytes;

		bytes += left;
		len -= left;
		for (;;) {
			enum nats_kind kind = nats_read(&parser, &at, &left);

			CHECK(n < sizeof(said) - 1);
			if (kind == NATS_WRONG) {
				said[n++] = '!';
				said[n] = '\0';
				return said;
			}
			if (kind == NATS_MORE)
				break;
			said[n++] = letters[kind];
		}
		CHECK_INT(left, 0);
	}
	said[n] = '\0';
	return said;
}

static const char *
kinds(const char *bytes)
{
	return kinds_in(bytes, strlen(bytes), 4096);
}

UNIT("each line is known, whatever the case, with or without CR")
{
	CHECK_TEXT(kinds("INFO {}\r\n+OK\r\nPING\r\nPONG\r\n"
	    "-ERR 'Stale Connection'\r\nMSG a.b 1 0\r\n\r\n"), "ioPpem");
	CHECK_TEXT(kinds("info {}\n+ok\nping\r\npong \r\n-err 'x'\n"),
	    "ioPpe");
	CHECK_TEXT(nats_rest(&parser), "");
}

UNIT("what stands behind the verb can be read until the next line")
{
	const char *at = "-ERR  'Authorization Violation'\r\nPING\r\n";
	size_t left = strlen(at);

	begin();
	CHECK_INT(nats_read(&parser, &at, &left), NATS_ERR);
	CHECK_TEXT(nats_rest(&parser), "'Authorization Violation'");
	CHECK_INT(nats_read(&parser, &at, &left), NATS_PING);
	CHECK_TEXT(nats_rest(&parser), "");
}

UNIT("messages are passed over, whatever is in them")
{
	CHECK_TEXT(kinds("MSG a 1 6\r\nPING\r\n\r\nPONG\r\n"), "mp");
	CHECK_TEXT(kinds("MSG a 1 reply 4\r\n\r\n\r\n\r\nPING\r\n"), "mP");
	CHECK_TEXT(kinds("MSG\ta  1\t0 \r\n\r\nPING\r\n"), "mP");
}

UNIT("pieces of any size are the same as the whole")
{
	static const char bytes[] = "INFO {\"a\":1}\r\nMSG a 1 10\r\n"
	    "0123456789\r\nPING\r\n+OK\r\nMSG b 2 r 3\r\nabc\r\n-ERR x\r\n";

	for (size_t piece = 1; piece <= sizeof(bytes); piece++)
		CHECK_TEXT(kinds_in(bytes, sizeof(bytes) - 1, piece),
		    "imPome");
}

UNIT("what is no line of a server is refused, and stays so")
{
	static const char *const wrong[] = {
		"HTTP/1.1 400 Bad Request\r\n", "\r\n", "PINGS\r\n",
		"+PONG\r\n", "MSG\r\n", "MSG a 1\r\n", "MSG a 1 x\r\n",
		"MSG a 1 2x\r\n", "MSG a 1 b c 2\r\n", "MSG a 1 -1\r\n",
		"MSG a 1 67108865\r\n", "MSG a 1 99999999999999999999999\r\n",
		"HMSG a 1 2 2\r\n", "SUB a 1\r\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_TEXT(kinds(wrong[i]), "!");
	CHECK_TEXT(kinds_in("PING\0\r\n", 7, 64), "!");
	CHECK_TEXT(kinds("+OK\r\nx\r\nPING\r\n"), "o!");
	CHECK_TEXT(kinds("MSG a 1 67108864\r\n"), "m");
	{
		const char *at = "PING\r\n";
		size_t left = 6;

		kinds("x\r\n");
		CHECK_INT(nats_read(&parser, &at, &left), NATS_WRONG);
	}
}

UNIT("a line without an end takes no more memory than a line may have")
{
	char *much = malloc(NATS_LINE_MAX * 3);

	memset(much, 'x', NATS_LINE_MAX * 3);
	memcpy(much, "INFO ", 5);
	CHECK_TEXT(kinds_in(much, NATS_LINE_MAX * 3, 1000), "!");
	CHECK(parser.line.cap <= NATS_LINE_MAX * 2);
	much[NATS_LINE_MAX - 1] = '\n';
	CHECK_TEXT(kinds_in(much, NATS_LINE_MAX, 1000), "i");
	free(much);
}

UNIT("of INFO the limit and TLS are looked at")
{
	struct nats_info info;

	CHECK(nats_info("{\"max_payload\":1048576,\"tls_required\":true}",
	    &info));
	CHECK_INT(info.max_payload, 1048576);
	CHECK(info.tls_required);
	CHECK(nats_info("{\"max_payload\":\"x\"}", &info));
	CHECK_INT(info.max_payload, 0);
	CHECK(!info.tls_required);
	CHECK(nats_info("{\"max_payload\":-1}", &info));
	CHECK_INT(info.max_payload, 0);
	CHECK(!nats_info("[]", &info));
	CHECK(!nats_info("{", &info));
}

UNIT("a credential is JSON text, and no line of its own")
{
	char user[] = "u\"\r\nPUB", pass[] = "p\\", token[] = "t";
	struct broker b = { .user = user, .password = pass };
	struct buf out = BUF_INIT(4096);

	nats_put_connect(&out, &b, "me");
	CHECK(strstr(buf_text(&out), "\"name\":\"me\"") != NULL);
	CHECK(strstr(buf_text(&out), "\"user\":\"u\\\"\\r\\nPUB\","
	    "\"pass\":\"p\\\\\"}\r\n") != NULL);
	CHECK(strstr(buf_text(&out), "auth_token") == NULL);
	CHECK(strchr(buf_text(&out), '\n') == out.data + out.len - 1);
	buf_reset(&out);
	b = (struct broker){ .token = token };
	nats_put_connect(&out, &b, "me");
	CHECK(strstr(buf_text(&out), ",\"auth_token\":\"t\"}\r\n") != NULL);
	CHECK(strstr(buf_text(&out), "user") == NULL);
	buf_free(&out);
}

UNIT("what is said has the form of the protocol")
{
	struct buf out = BUF_INIT(4096);

	nats_put_sub(&out, "a.b", 1);
	nats_put_pub(&out, "a.b", "\r\n{}", 4);
	nats_put_ping(&out);
	nats_put_pong(&out);
	CHECK_TEXT(buf_text(&out), "SUB a.b 1\r\nPUB a.b 4\r\n\r\n{}\r\n"
	    "PING\r\nPONG\r\n");
	buf_free(&out);
	nats_stop(&parser);
}

UNIT_MAIN
