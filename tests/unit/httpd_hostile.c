#include "httpd_stage.h"

#include "../../lib/httpd_head.c"

static const char junk[4096];

#define RAW(bytes) bytes, sizeof(bytes) - 1

/* Each is refused, and the connection is over. */
static const struct {
	int status;
	const char *bytes;
	size_t n;		/* 0: up to the NUL */
} hostile[] = {
	{ 400, "GET /plain HTTP/1.1\nHost: x\n\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\rHost: x\r\r", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\n Host: x\r\n\r\n", 0 },
	{ 400, " GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, RAW("GET /pl\0in HTTP/1.1\r\nHost: x\r\n\r\n") },
	{ 400, RAW("GET /plain HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n") },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n", 0 },
	{ 400, "GET /plain\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nA\xff: b\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost:\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x y\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x, y/z\r\n\r\n", 0 },
	{ 400, "GET plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET http:///plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET ftp://x/plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET /plain#x HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 505, "GET /plain\r\n\r\n", 0 },
	{ 400, "GET  /plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 505, "GET /plain HTTP/1.1 x\r\nHost: x\r\n\r\n", 0 },
	{ 400, "GET /plain HTTX/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 505, "GET /plain HTTP/2.0\r\nHost: x\r\n\r\n", 0 },
	{ 505, "GET /plain HTTP/1.2\r\nHost: x\r\n\r\n", 0 },
	{ 505, "GET /plain HTTP/0.9\r\nHost: x\r\n\r\n", 0 },
	{ 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0 },
	{ 400, RAW("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03") },
	{ 501, "BREW /plain HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
	    "0\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.0\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
	{ 501, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
	    "chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0 },
	{ 501, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: identity\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
	    "Content-Length: 3\r\n\r\nabc", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
	    "Content_Length: 4\r\n\r\nabc", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 3, 3\r\n\r\nabc", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: +3\r\n\r\nabc", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 0x3\r\n\r\nabc", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: -1\r\n\r\n", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 18446744073709551617\r\n\r\nx", 0 },
	{ 400, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length:\r\n\r\n", 0 },
	{ 413, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 100001\r\n\r\n", 0 },
	{ 417, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n"
	    "Content-Length: 3\r\n\r\n", 0 },
	{ 400, "GET /plain HTTP/1.1\r\nHost: x\r\nX-Api-Key: a\r\n"
	    "X_Api_Key: b\r\n\r\n", 0 },
#define CHUNKS "POST /echo HTTP/1.1\r\nHost: x\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"
	{ 400, CHUNKS "3\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "3\r\nabc\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "3\r\nabcd\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "3\r\nabc\r\n0\n\n", 0 },
	{ 400, CHUNKS "-3\r\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "0x3\r\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS " 3\r\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "\r\n", 0 },
	{ 400, CHUNKS "10000000000000003\r\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "3;a=\nb\r\nabc\r\n0\r\n\r\n", 0 },
	{ 400, CHUNKS "0\r\n folded: 1\r\n\r\n", 0 },
	{ 400, CHUNKS "0\r\nA: b\n\r\n", 0 },
	{ 413, CHUNKS "fffffff\r\n", 0 }
};

UNIT("hostile requests are refused in problem+json; the next one is served")
{
	int before;

	t_open();
	t_sound();
	before = t_descriptors();
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		const char *bytes = hostile[i].bytes;
		size_t n = hostile[i].n > 0 ? hostile[i].n : strlen(bytes);

		client_open(&client);
		client_send(&client, bytes, n);
		if (hostile[i].status == 413)
			for (int k = 0; k < 30; k++)
				send(client.fd, junk, 4096, MSG_NOSIGNAL |
				    MSG_DONTWAIT);
		client_hear(&client, NULL);
		if (t_status(&client) != hostile[i].status)
			UNIT_FAIL("%s\ngets %d: %s", bytes,
			    t_status(&client), buf_text(&client.got));
		CHECK(client_has(&client,
		    "Content-Type: application/problem+json\r\n"));
		CHECK(client_has(&client, "\r\nConnection: close\r\n"));
		CHECK(client_has(&client, "\"request_id\":\""));
		CHECK(client_has(&client, "\r\nX-Request-ID: "));
		t_sound();
		CHECK_INT(t_descriptors(), before);
	}
	CHECK_INT(seen.ran, sizeof(hostile) / sizeof(*hostile) + 1);
}

UNIT("8-bit bytes in a header's value are let be")
{
	t_open();
	t_ask("GET /plain HTTP/1.1\r\nHost: x\r\nA: \xc3\xa4\xff\r\n"
	    "Connection: close\r\n\r\n");
	CHECK_INT(t_status(&client), 200);
	t_sound();
}

UNIT_MAIN
