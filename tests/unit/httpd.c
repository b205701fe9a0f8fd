#include "unit.h"

#include "../../lib/httpd.c"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>

/*
 * A server and its clients in one loop. Every wait is for a text or the end
 * of the connection, and is bounded by a guard.
 */
struct client {
	struct loop_watch watch;
	int fd;
	struct buf got;
	bool eof;
	const char *until;
	size_t less;		/* bytes that must be there at least */
};

static struct loop *loop;
static struct httpd *server;
static struct client client;

/* What handlers leave for the tests. */
static struct {
	int ran;
	struct httpd_request *later;
	bool stop;		/* the loop, when a later request came */
	int gone, drained;
	size_t body_len;
	bool sends;		/* at `drained` */
	long long to_send;	/* bytes */
	size_t most;		/* bytes that ever waited */
} seen;

static void
t_plain(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	seen.ran++;
	reply->status = 200;
	reply->type = "text/plain";
	buf_str(&reply->body, "hello");
}

static void
t_echo(struct route_request *req, struct route_reply *reply)
{
	seen.ran++;
	seen.body_len = req->body_len;
	reply->status = 200;
	reply->type = "text/plain";
	buf_add(&reply->body, req->body, req->body_len);
}

static void
t_empty(struct route_request *req, struct route_reply *reply)
{
	const char *seen_header = req->header(req, "x-list");

	route_header(reply, "X-Seen", "%s", seen_header != NULL ?
	    seen_header : "-");
	reply->status = 204;
}

static void
t_big(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	reply->status = 200;
	reply->type = "text/plain";
	for (int i = 0; i < 900000; i++)
		buf_char(&reply->body, 'x');
}

static void
t_on_gone(void *arg)
{
	CHECK(arg == &seen);
	seen.gone++;
	seen.later = NULL;
	loop_stop(loop);
}

static void
t_on_drained(void *arg)
{
	char bytes[8192];
	size_t waiting = 0;

	CHECK(arg == &seen);
	seen.drained++;
	if (!seen.sends)
		return;
	memset(bytes, 'y', sizeof(bytes));
	while (seen.to_send > 0 && waiting < 65536) {
		size_t n = seen.to_send < (long long)sizeof(bytes) ?
		    (size_t)seen.to_send : sizeof(bytes);

		waiting = httpd_stream_write(seen.later, bytes, n);
		seen.to_send -= (long long)n;
		if (waiting > seen.most)
			seen.most = waiting;
	}
	if (seen.to_send == 0)
		httpd_stream_end(seen.later);
}

static void
t_later(struct route_request *req, struct route_reply *reply)
{
	seen.ran++;
	seen.later = httpd_later(req, reply, t_on_gone, t_on_drained, &seen);
	if (seen.stop)
		loop_stop(loop);
}

static void
t_at_once(struct route_request *req, struct route_reply *reply)
{
	struct httpd_request *r;
	struct route_reply answer;

	r = httpd_later(req, reply, t_on_gone, NULL, &seen);
	route_reply_init(&answer, 100);
	answer.status = 200;
	httpd_reply(r, &answer);
}

static const struct route_answer t_any[] = { { .status = ROUTE_ANY }, { 0 } };
static const struct route_body t_body = { .max = 100000 };
static const struct route t_rows[] = {
	{ "GET", "/plain", .answers = t_any, .handle = t_plain },
	{ "POST", "/echo", .body = &t_body, .answers = t_any,
	  .handle = t_echo },
	{ "GET", "/empty", .answers = t_any, .handle = t_empty },
	{ "GET", "/big", .answers = t_any, .handle = t_big },
	{ "GET", "/later", .answers = t_any, .handle = t_later },
	{ "GET", "/at-once", .answers = t_any, .handle = t_at_once },
	{ 0 },
};
static const struct route *const t_groups[] = { t_rows, NULL };
static const struct route_table t_table = { .groups = t_groups };

/* --- the loop of a test ------------------------------------------------- */

static bool t_late;
static const char *t_bytes = "";	/* sent last */

static void
t_guard(struct loop_timer *t)
{
	(void)t;
	t_late = true;
	loop_stop(loop);
}

/* Runs until somebody stops the loop. */
static void
t_run(const char *what)
{
	struct loop_timer guard = { .fire = t_guard };

	t_late = false;
	loop_timer_start(loop, &guard, 10000);
	loop_run(loop);
	loop_timer_stop(loop, &guard);
	if (t_late)
		UNIT_FAIL("waited in vain for %s after %s; got: %.300s", what,
		    t_bytes, buf_text(&client.got));
}

static void
t_enough(struct loop_timer *t)
{
	(void)t;
	loop_stop(loop);
}

/* Lets the loop go round a few times. */
static void
t_settle(void)
{
	struct loop_timer timer = { .fire = t_enough };

	for (int i = 0; i < 4; i++) {
		loop_timer_start(loop, &timer, 0);
		loop_run(loop);
	}
}

static void
client_ready(struct loop_watch *w, short revents)
{
	struct client *c = LOOP_OF(struct client, watch, w);
	char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)revents;
	if (n > 0)
		CHECK(buf_add(&c->got, bytes, (size_t)n));
	else if (n == 0 || errno != EAGAIN) {
		c->eof = true;
		loop_watch_stop(loop, &c->watch);
		loop_stop(loop);
	}
	if (c->until != NULL && c->got.len >= c->less &&
	    strstr(buf_text(&c->got), c->until) != NULL)
		loop_stop(loop);
}

static void
client_open(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)httpd_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*c = (struct client){ .watch.ready = client_ready };
	buf_init(&c->got, 1 << 24);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(c->fd != -1);
	CHECK(connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}

static void
client_send(struct client *c, const void *bytes, size_t n)
{
	t_bytes = bytes;
	CHECK_INT(send(c->fd, bytes, n, MSG_NOSIGNAL), n);
}

static void
client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Reads until the text is there, NULL: until the end. */
static void
client_hear(struct client *c, const char *until)
{
	c->until = until;
	if (until != NULL && c->got.len >= c->less &&
	    strstr(buf_text(&c->got), until) != NULL)
		return;
	if (!c->eof) {
		loop_watch_start(loop, &c->watch, c->fd, POLLIN);
		while (!c->eof && (until == NULL || c->got.len < c->less ||
		    strstr(buf_text(&c->got), until) == NULL))
			t_run(until != NULL ? until : "the end");
		loop_watch_stop(loop, &c->watch);
	}
	if (until != NULL && strstr(buf_text(&c->got), until) == NULL)
		UNIT_FAIL("no \"%s\" in: %.600s", until, buf_text(&c->got));
}

static void
client_close(struct client *c)
{
	loop_watch_stop(loop, &c->watch);
	if (c->fd > 0)
		close(c->fd);
	buf_free(&c->got);
	*c = (struct client){ .fd = 0 };
}

static bool
client_has(const struct client *c, const char *text)
{
	return strstr(buf_text(&c->got), text) != NULL;
}

static void
t_open_with(const struct httpd_config *config)
{
	struct buf error = BUF_INIT(500);

	memset(&seen, 0, sizeof(seen));
	if (client.fd > 0)
		client_close(&client);
	httpd_close(server);
	loop_close(loop);
	loop = loop_open();
	CHECK(loop != NULL);
	server = httpd_open(loop, config, &t_table, &error);
	if (server == NULL)
		UNIT_FAIL("%s", buf_text(&error));
}

static void
t_open(void)
{
	t_open_with(&httpd_defaults);
}

/* Sends it all on a new connection and reads to the end. */
static void
t_ask_n(const void *bytes, size_t n)
{
	if (client.fd > 0)
		client_close(&client);
	client_open(&client);
	client_send(&client, bytes, n);
	client_hear(&client, NULL);
}

static void
t_ask(const char *text)
{
	t_ask_n(text, strlen(text));
}

static int
t_status(const struct client *c)
{
	int status = 0;

	sscanf(buf_text(&c->got), "HTTP/1.1 %d", &status);
	return status;
}

#define PLAIN "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST "GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* The server answers a plain request, and holds no connection after it. */
static void
t_sound(void)
{
	if (client.fd > 0)
		client_close(&client);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 200);
	client_close(&client);
	for (int i = 0; i < 100 && httpd_connections(server) > 0; i++)
		t_settle();
	CHECK_INT(httpd_connections(server), 0);
}

static int
t_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* --- tests -------------------------------------------------------------- */

UNIT("a request is answered with length, date, type and its id")
{
	t_open();
	client_open(&client);
	client_say(&client, "GET /plain HTTP/1.1\r\nHost: x\r\n"
	    "X-Request-ID: id-7\r\n\r\n");
	client_hear(&client, "hello");
	CHECK_INT(t_status(&client), 200);
	CHECK(client_has(&client, "\r\nContent-Length: 5\r\n"));
	CHECK(client_has(&client, "\r\nContent-Type: text/plain\r\n"));
	CHECK(client_has(&client, "\r\nX-Request-ID: id-7\r\n"));
	CHECK(client_has(&client, " GMT\r\n"));
	CHECK(!client_has(&client, "Connection:"));
	CHECK_INT(httpd_connections(server), 1);
	t_sound();
}

UNIT("requests sent ahead are answered one by one, in order")
{
	t_open();
	client_open(&client);
	for (int i = 0; i < 200; i++)
		client_say(&client, PLAIN);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 6\r\nConnection: close\r\n\r\nfinish" PLAIN);
	client_hear(&client, NULL);
	CHECK_INT(seen.ran, 201);
	CHECK(client_has(&client, "\r\n\r\nfinish"));
	t_sound();
}

UNIT("requests that come byte by byte are the same")
{
	static const char text[] = "\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "3;a=\"b\"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: 1\r\n\r\n" LAST;

	t_open();
	client_open(&client);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		client_send(&client, text + i, 1);
		t_settle();
	}
	client_hear(&client, NULL);
	CHECK(client_has(&client, "\r\n\r\nabc0123456789"));
	CHECK_INT(seen.ran, 2);
	t_sound();
}

UNIT("HEAD has the head of GET and no body; so have 204 and 304")
{
	t_open();
	client_open(&client);
	client_say(&client, "HEAD /plain HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /empty HTTP/1.1\r\nHost: x\r\nX-List: a\r\nX-List:  b \r\n"
	    "Connection: close\r\n\r\n");
	client_hear(&client, NULL);
	CHECK(client_has(&client, "Content-Length: 5\r\n"));
	CHECK(!client_has(&client, "hello"));
	CHECK(client_has(&client, "X-Seen: a, b\r\n"));
	CHECK(strstr(strstr(buf_text(&client.got), "204"),
	    "Content-Length") == NULL);
	t_sound();
}

UNIT("OPTIONS lists the methods, also for the server as a whole")
{
	t_open();
	client_open(&client);
	client_say(&client, "OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n"
	    "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 204);
	CHECK(client_has(&client, "Allow: POST\r\n"));
	t_sound();
}

UNIT("HTTP/1.0 closes, unless keep-alive is asked for; it needs no Host")
{
	t_open();
	t_ask("GET /plain HTTP/1.0\r\n\r\n");
	CHECK_INT(t_status(&client), 200);
	CHECK(client_has(&client, "Connection: close\r\n"));
	client_close(&client);
	client_open(&client);
	client_say(&client, "GET /plain HTTP/1.0\r\n"
	    "Connection: Keep-Alive\r\n\r\n");
	client_hear(&client, "hello");
	CHECK(client_has(&client, "Connection: keep-alive\r\n"));
	client_say(&client, "GET /empty HTTP/1.0\r\n\r\n");
	client_hear(&client, NULL);
	CHECK(client_has(&client, " 204 "));
	t_sound();
}

UNIT("absolute-form is a path like any other")
{
	t_open();
	t_ask("GET http://other.example:80/plain?a=1 HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n");
	CHECK_INT(t_status(&client), 400);
	CHECK(client_has(&client, "unknown query key"));
	client_close(&client);
	t_ask("GET http://other.example/plain HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n");
	CHECK_INT(t_status(&client), 200);
	t_sound();
}

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

UNIT("headers over the limit, too many, or without end are 431")
{
	static char many[40000];
	size_t n;

	t_open();
	n = (size_t)sprintf(many, "GET /plain HTTP/1.1\r\nHost: x\r\nA: ");
	memset(many + n, 'a', sizeof(many) - n);
	t_ask_n(many, sizeof(many));
	CHECK_INT(t_status(&client), 431);
	t_sound();
	memset(many, 'a', sizeof(many));
	t_ask_n(many, sizeof(many));
	CHECK_INT(t_status(&client), 431);
	t_sound();
	n = (size_t)sprintf(many, "GET /plain HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 100; i++)
		n += (size_t)sprintf(many + n, "A%d: b\r\n", i);
	n += (size_t)sprintf(many + n, "\r\n");
	t_ask_n(many, n);
	CHECK_INT(t_status(&client), 431);
	t_sound();
}

UNIT("the limit of the headers is exact")
{
	struct httpd_config config = httpd_defaults;

	config.max_header = strlen(LAST);
	t_open_with(&config);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 200);
	config.max_header--;
	t_open_with(&config);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 431);
}

UNIT("a body is asked for by 100-continue, and only when it is wanted")
{
	t_open();
	client_open(&client);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
	client_hear(&client, "HTTP/1.1 100 Continue\r\n\r\n");
	CHECK_INT(seen.ran, 0);
	client_say(&client, "abc");
	client_hear(&client, "\r\n\r\nabc");
	client_close(&client);
	client_open(&client);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 413);
	client_close(&client);
	client_open(&client);
	client_say(&client, "POST /nope HTTP/1.1\r\nHost: x\r\n"
	    "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 404);
	t_sound();
}

UNIT("a body that nobody asked for is read over, up to a limit")
{
	t_open();
	client_open(&client);
	client_say(&client, "GET /plain HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 6\r\n\r\nGET / " LAST);
	client_hear(&client, NULL);
	CHECK_INT(seen.ran, 2);
	t_sound();
	client_open(&client);
	client_say(&client, "GET /plain HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 70000\r\n\r\n");
	for (int i = 0; i < 70; i++)
		send(client.fd, junk, 1000, MSG_NOSIGNAL | MSG_DONTWAIT);
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 413);
	t_sound();
}

UNIT("half a request is 408 when the time is over, an unused one is closed")
{
	struct httpd_config config = httpd_defaults;

	config.header_ms = config.body_ms = config.idle_ms = 30;
	t_open_with(&config);
	client_open(&client);
	client_say(&client, "GET /plain HT");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 408);
	client_close(&client);
	client_open(&client);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 3\r\n\r\na");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 408);
	client_close(&client);
	client_open(&client);
	client_hear(&client, NULL);
	CHECK_INT(client.got.len, 0);
	client_close(&client);
	client_open(&client);
	client_say(&client, PLAIN);
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 200);
	t_sound();
}

UNIT("a client that sends no more is answered all the same")
{
	t_open();
	client_open(&client);
	client_say(&client, PLAIN PLAIN);
	shutdown(client.fd, SHUT_WR);
	client_hear(&client, NULL);
	CHECK_INT(seen.ran, 2);
	client_close(&client);
	client_open(&client);
	client_say(&client, "GET /plain HTT");
	shutdown(client.fd, SHUT_WR);
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 400);
	client_close(&client);
	client_open(&client);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 3\r\n\r\na");
	shutdown(client.fd, SHUT_WR);
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 400);
	t_sound();
}

/* Opens /later on a new connection, and returns when its handler ran. */
static void
t_hold(struct client *c, const char *version)
{
	char text[100];

	snprintf(text, sizeof(text), "GET /later HTTP/%s\r\nHost: x\r\n\r\n",
	    version);
	seen.stop = true;
	client_open(c);
	client_say(c, text);
	t_run("the handler");
	seen.stop = false;
	CHECK(seen.later != NULL);
}

static void
t_reply(const char *text)
{
	struct route_reply reply;

	route_reply_init(&reply, 1000);
	reply.status = 200;
	reply.type = "text/plain";
	buf_str(&reply.body, text);
	httpd_reply(seen.later, &reply);
	seen.later = NULL;
}

UNIT("an answer may come later, even at once, and the connection goes on")
{
	t_open();
	t_hold(&client, "1.1");
	client_say(&client, PLAIN);
	t_settle();
	CHECK_INT(seen.ran, 1);		/* the second waits for the first */
	t_reply("late");
	client_hear(&client, "hello");
	CHECK(client_has(&client, "\r\n\r\nlateHTTP/1.1 200"));
	client_say(&client, "GET /at-once HTTP/1.1\r\nHost: x\r\n\r\n" LAST);
	client_hear(&client, NULL);
	CHECK_INT(seen.ran, 3);
	CHECK_INT(seen.gone, 0);
	t_sound();
}

UNIT("nothing ticks while an answer is waited for")
{
	uint64_t turns;

	t_open();
	t_hold(&client, "1.1");
	t_settle();
	turns = loop_turns(loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(loop, &timer, 100);
	loop_run(loop);
	CHECK_INT(loop_turns(loop) - turns, 1);
	t_reply("late");
	client_hear(&client, "late");
	turns = loop_turns(loop);
	loop_timer_start(loop, &timer, 100);
	loop_run(loop);
	CHECK_INT(loop_turns(loop) - turns, 1);
	t_sound();
}

UNIT("a client that is gone is noticed while its answer is waited for")
{
	t_open();
	t_hold(&client, "1.1");
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	CHECK_INT(seen.gone, 1);
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("a client that only sends no more is still answered later")
{
	t_open();
	t_hold(&client, "1.1");
	shutdown(client.fd, SHUT_WR);
	t_settle();
	CHECK_INT(seen.gone, 0);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK(client_has(&client, "HTTP/1.1 200 OK"));
	CHECK(client_has(&client, "\r\n\r\nlate"));
	t_sound();
	t_hold(&client, "1.0");
	shutdown(client.fd, SHUT_WR);
	t_settle();
	t_reply("late");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 200);
	t_sound();
}

UNIT("a stream of unknown length is chunked, and ends with its last chunk")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 206, "Content-Type: a/b\r\n", -1);
	CHECK(httpd_stream_write(seen.later, "one", 3) > 0);
	client_hear(&client, "3\r\none\r\n");
	CHECK(client_has(&client, "HTTP/1.1 206 Partial Content\r\n"));
	CHECK(client_has(&client, "\r\nTransfer-Encoding: chunked\r\n"));
	httpd_stream_write(seen.later, "0123456789", 10);
	httpd_stream_write(seen.later, "", 0);
	httpd_stream_end(seen.later);
	client_hear(&client, "a\r\n0123456789\r\n0\r\n\r\n");
	client_say(&client, LAST);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "hello"));
	t_sound();
}

UNIT("a stream of known length has exactly that")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", 5);
	httpd_stream_write(seen.later, "12345678", 8);
	httpd_stream_end(seen.later);
	client_say(&client, LAST);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "Content-Length: 5\r\n"));
	CHECK(client_has(&client, "\r\n\r\n12345HTTP/1.1 200 OK"));
	t_sound();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", 5);
	httpd_stream_write(seen.later, "1234", 4);
	httpd_stream_end(seen.later);	/* too little: broken off */
	client_hear(&client, NULL);
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("a stream for HTTP/1.0 ends with the connection")
{
	t_open();
	t_hold(&client, "1.0");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "until the end", 13);
	httpd_stream_end(seen.later);
	client_hear(&client, NULL);
	CHECK(!client_has(&client, "chunked"));
	CHECK(client_has(&client, "\r\n\r\nuntil the end"));
	t_sound();
}

UNIT("a stream that is broken off has no last chunk")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part");
	httpd_stream_abort(seen.later);
	client_hear(&client, NULL);
	CHECK(!client_has(&client, "\r\n0\r\n"));
	CHECK_INT(seen.gone, 0);
	t_sound();
}

UNIT("a stream's client that is gone, or has only sent all, is told apart")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part\r\n");
	shutdown(client.fd, SHUT_WR);
	client_hear(&client, "part\r\n0");	/* a zero goes before */
	CHECK_INT(seen.gone, 0);
	httpd_stream_write(seen.later, "more", 4);
	httpd_stream_end(seen.later);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "04\r\nmore\r\n0\r\n\r\n"));
	t_sound();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part\r\n");
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	t_sound();
}

UNIT("a reader that is slow makes the writer wait, not the memory grow")
{
	t_open();
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 12000000;
	httpd_stream_start(seen.later, 200, "", seen.to_send);
	t_on_drained(&seen);
	t_settle();
	CHECK(seen.to_send > 0);
	client.less = 12000000;
	client_hear(&client, "yyyy");
	CHECK(seen.drained > 1);
	CHECK(seen.most < 65536 + 8192 + 200);
	t_sound();
}

UNIT("a reader that takes nothing for too long is dropped")
{
	struct httpd_config config = httpd_defaults;

	config.write_ms = 50;
	t_open_with(&config);
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 100000000;
	httpd_stream_start(seen.later, 200, "", -1);
	t_on_drained(&seen);
	while (seen.gone == 0)
		t_run("gone");
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("a long answer is sent whole")
{
	t_open();
	t_ask("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK(client_has(&client, "Content-Length: 900000\r\n"));
	CHECK(client.got.len > 900000);
	t_sound();
}

UNIT("at the limit the longest idle connection makes room")
{
	struct httpd_config config = httpd_defaults;
	struct client crowd[4];

	config.max_connections = 4;
	config.reserved = 1;
	t_open_with(&config);
	for (int i = 0; i < 4; i++) {
		client_open(&crowd[i]);
		client_say(&crowd[i], PLAIN);
		client_hear(&crowd[i], "hello");
	}
	CHECK_INT(httpd_connections(server), 4);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 200);
	client_hear(&crowd[0], NULL);
	CHECK(crowd[0].eof);
	client_say(&crowd[1], PLAIN);
	for (int i = 0; i < 4; i++)
		client_close(&crowd[i]);
	t_sound();
}

UNIT("at the limit, with none idle, callers wait and are served in turn")
{
	struct httpd_config config = httpd_defaults;
	struct client crowd[2];
	uint64_t turns;

	config.max_connections = 2;
	config.reserved = 0;
	t_open_with(&config);
	t_hold(&crowd[0], "1.1");
	struct httpd_request *first = seen.later;
	t_hold(&crowd[1], "1.1");
	client_open(&client);
	client_say(&client, LAST);
	t_settle();
	turns = loop_turns(loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(loop, &timer, 50);
	loop_run(loop);
	CHECK_INT(loop_turns(loop) - turns, 1);	/* it does not spin */
	CHECK_INT(seen.ran, 2);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 200);
	seen.later = first;
	t_reply("late");
	client_hear(&crowd[0], "late");
	client_close(&crowd[0]);
	client_close(&crowd[1]);
	t_sound();
}

UNIT("without descriptors accepting pauses, does not spin, and comes back")
{
	struct rlimit limit, none;
	uint64_t turns;

	t_open();
	t_hold(&client, "1.1");
	struct client other;
	client_open(&other);
	client_say(&other, LAST);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = limit;
	none.rlim_cur = (rlim_t)other.fd;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	t_settle();
	turns = loop_turns(loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(loop, &timer, 50);
	loop_run(loop);
	turns = loop_turns(loop) - turns;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_INT(turns, 1);
	CHECK_INT(httpd_connections(server), 1);
	client_hear(&other, NULL);
	CHECK_INT(t_status(&other), 200);
	client_close(&other);
	t_reply("late");
	client_hear(&client, "late");
	t_sound();
}

static void
t_idle(void *arg)
{
	*(bool *)arg = true;
	loop_stop(loop);
}

UNIT("draining closes what is idle and finishes what runs")
{
	struct client idle;
	bool done = false;

	t_open();
	client_open(&idle);
	client_say(&idle, PLAIN);
	client_hear(&idle, "hello");
	t_hold(&client, "1.1");
	httpd_drain(server, t_idle, &done);
	client_hear(&idle, NULL);
	CHECK(!done);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK(client_has(&client, "Connection: close\r\n"));
	client_close(&client);
	client_close(&idle);
	while (!done)
		t_run("the end of draining");
	CHECK_INT(httpd_connections(server), 0);
	done = false;
	httpd_drain(server, t_idle, &done);
	CHECK(done);
}

UNIT("closing tells those who answer later")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_close(server);
	server = NULL;
	CHECK_INT(seen.gone, 1);
	client_close(&client);
}

UNIT("an address in use is said, with the address")
{
	struct buf error = BUF_INIT(500);
	struct httpd_config config = httpd_defaults;
	char want[100];

	t_open();
	config.port = httpd_port(server);
	CHECK(httpd_open(loop, &config, &t_table, &error) == NULL);
	snprintf(want, sizeof(want), "cannot listen on 127.0.0.1 port %ld: "
	    "Address already in use", config.port);
	CHECK_TEXT(buf_text(&error), want);
	buf_free(&error);
	config.bind = "no address";
	CHECK(httpd_open(loop, &config, &t_table, &error) == NULL);
	CHECK(strstr(buf_text(&error), "no address") != NULL);
	buf_free(&error);
	httpd_close(server);
	loop_close(loop);
}

UNIT_MAIN
