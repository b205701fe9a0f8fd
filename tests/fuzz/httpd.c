/*
 * A connection gets bytes, in two pieces, and then the end. Whatever they
 * are: it closes after a bounded number of turns, what it sent is a row of
 * whole answers, and heads and bodies are the same read whole or byte by
 * byte.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd_conn.h"
#include "log.h"

static struct loop *loop;
static struct httpd *server;

static void
plain(struct route_request *req, struct route_reply *reply)
{
	TRUTH(req->body_len == 0);
	reply->status = 200;
	reply->type = "text/plain";
	buf_str(&reply->body, "hello");
}

static void
echo(struct route_request *req, struct route_reply *reply)
{
	TRUTH(req->body_len <= 100);
	TRUTH(req->content_length < 0 ||
	    req->body_len == (size_t)req->content_length);
	reply->status = 200;
	reply->type = "application/octet-stream";
	buf_add(&reply->body, req->body, req->body_len);
}

static void
streamed(struct route_request *req, struct route_reply *reply)
{
	struct httpd_request *r = httpd_later(req, reply, NULL, NULL, NULL);

	httpd_stream_start(r, 200, "", 5);
	httpd_stream_write(r, "hel", 3);
	httpd_stream_write(r, "lo", 2);
	httpd_stream_end(r);
}

static const struct route_answer answers[] = {
	{ .status = 200 }, { .status = 0 },
};
static const struct route_body body = { .max = 100 };
static const struct route rows[] = {
	{ .method = "GET", .path = "/", .answers = answers, .handle = plain },
	{ .method = "POST", .path = "/", .answers = answers, .body = &body,
	  .handle = echo },
	{ .method = "GET", .path = "/s", .answers = answers,
	  .handle = streamed },
	{ .path = NULL },
};
static const struct route *const groups[] = { rows, NULL };
static const struct route_table table = { .groups = groups };

static void
stop(struct loop_timer *t)
{
	(void)t;
	loop_stop(loop);
}

static void
turn(void)
{
	struct loop_timer timer = { .fire = stop };

	loop_timer_start(loop, &timer, 0);
	loop_run(loop);
}

/* One answer at text; the number of its bytes. */
static size_t
answer(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4), *length;
	unsigned long long n;
	int status;

	TRUTH(end != NULL);
	TRUTH(sscanf(text, "HTTP/1.1 %3d ", &status) == 1);
	len = (size_t)(end - text) + 4;
	if (status == 100)
		return len;
	TRUTH(memmem(text, len, "\r\nX-Request-ID: ", 16) != NULL);
	length = memmem(text, len, "\r\nContent-Length: ", 18);
	TRUTH((length != NULL) == (status != 204));
	if (length == NULL)
		return len;
	n = strtoull(length + 18, NULL, 10);
	/* HEAD has none of it, and then another answer or nothing follows */
	return text[len] == '\0' || strncmp(text + len, "HTTP/1.1 ", 9) == 0 ?
	    len : len + n;
}

static void
talk(const char *bytes, size_t len, size_t half)
{
	static char got[1 << 20];
	size_t n = 0, at = 0;
	ssize_t more;
	int fd[2];

	TRUTH(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	TRUTH(send(fd[1], bytes, half, MSG_NOSIGNAL) == (ssize_t)half);
	httpd_conn_open(server, fd[0], "fuzz");
	turn();
	send(fd[1], bytes + half, len - half, MSG_NOSIGNAL);
	shutdown(fd[1], SHUT_WR);
	for (int i = 0; httpd_connections(server) > 0; i++) {
		TRUTH(i < 2000);
		turn();
		while (n < sizeof(got) - 1 && (more = recv(fd[1], got + n,
		    sizeof(got) - 1 - n, 0)) > 0)
			n += (size_t)more;
	}
	while (n < sizeof(got) - 1 && (more = recv(fd[1], got + n,
	    sizeof(got) - 1 - n, 0)) > 0)
		n += (size_t)more;
	got[n] = '\0';
	while (at < n)
		at += answer(got + at, n - at);
	TRUTH(at == n);
	close(fd[1]);
}

static void
head(const char *bytes, size_t len)
{
	struct httpd_head h = { .bytes = NULL };
	const char *why = NULL;
	size_t from = 0, slow = 0;
	long whole = httpd_head_scan(bytes, len, &from, &why), piece = 0;
	int status;

	for (size_t n = 1; n <= len && piece == 0; n++)
		piece = httpd_head_scan(bytes, n, &slow, &why);
	TRUTH(whole == piece);
	TRUTH(whole >= 0 || why != NULL);
	if (whole <= 0)
		return;
	status = httpd_head_parse(&h, bytes, (size_t)whole, &why);
	TRUTH(status == 0 || (status >= 400 && status < 600 && why != NULL));
	if (status == 0) {
		TRUTH(h.path[0] == '/' || strcmp(h.path, "*") == 0);
		TRUTH(strpbrk(h.path, " \t\r\n?#") == NULL);
		TRUTH(h.length < 0 || !h.chunked);
		TRUTH(h.minor == 0 || httpd_head_get(&h, "hOST") != NULL);
	}
	httpd_head_free(&h);
}

static void
chunks(const char *bytes, size_t len, long long length)
{
	struct buf fast = BUF_INIT(200), slow = BUF_INIT(200);
	enum httpd_body_end end, step = HTTPD_BODY_MORE;
	struct httpd_body b;
	size_t at, n = 0;

	httpd_body_start(&b, length);
	at = httpd_body_read(&b, bytes, len, &fast, &end);
	TRUTH(at <= len);
	httpd_body_start(&b, length);
	if (length == 0)
		step = HTTPD_BODY_DONE;
	while (n < len && step == HTTPD_BODY_MORE)
		n += httpd_body_read(&b, bytes + n, 1, &slow, &step);
	TRUTH(step == end);
	/* a piece that is too big is refused as a whole */
	TRUTH(end == HTTPD_BODY_BIG || (n == at &&
	    strcmp(buf_text(&fast), buf_text(&slow)) == 0));
	buf_free(&fast);
	buf_free(&slow);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *bytes = (const char *)data;
	struct httpd_config config = httpd_defaults;
	struct buf error = BUF_INIT(1000);

	if (server == NULL) {
		log_setup("error", "text");
		loop = loop_open();
		config.max_header = 1000;
		server = httpd_open(loop, &config, &table, &error);
		TRUTH(server != NULL);
	}
	if (len == 0)
		return 0;
	head(bytes, len);
	chunks(bytes, len, -1);
	chunks(bytes, len, data[0]);
	talk(bytes, len, data[len - 1] % (len + 1));
	return 0;
}
