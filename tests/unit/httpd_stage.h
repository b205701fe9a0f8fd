#ifndef HTTPD_STAGE_H
#define HTTPD_STAGE_H
/*
 * A server and its clients in one loop, for the tests of httpd. Every wait
 * is for a text or the end of the connection, and is bounded by a guard.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd.h"

/* Not every test needs all of it. */
#define STAGE __attribute__((unused)) static

struct client {
	struct loop_watch watch;
	int fd;
	struct buf got;
	bool eof;
	const char *until;
	size_t less;		/* bytes that must be there at least */
};

static struct loop *t_loop;
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

STAGE void
t_plain(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	seen.ran++;
	reply->status = 200;
	reply->type = "text/plain";
	buf_str(&reply->body, "hello");
}

STAGE void
t_echo(struct route_request *req, struct route_reply *reply)
{
	seen.ran++;
	seen.body_len = req->body_len;
	reply->status = 200;
	reply->type = "text/plain";
	buf_add(&reply->body, req->body, req->body_len);
}

STAGE void
t_empty(struct route_request *req, struct route_reply *reply)
{
	const char *seen_header = req->header(req, "x-list");

	route_header(reply, "X-Seen", "%s", seen_header != NULL ?
	    seen_header : "-");
	reply->status = 204;
}

STAGE void
t_big(struct route_request *req, struct route_reply *reply)
{
	(void)req;
	reply->status = 200;
	reply->type = "text/plain";
	for (int i = 0; i < 900000; i++)
		buf_char(&reply->body, 'x');
}

STAGE void
t_on_gone(void *arg)
{
	CHECK(arg == &seen);
	seen.gone++;
	seen.later = NULL;
	loop_stop(t_loop);
}

STAGE void
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

STAGE void
t_later(struct route_request *req, struct route_reply *reply)
{
	seen.ran++;
	seen.later = httpd_later(req, reply, t_on_gone, t_on_drained, &seen);
	if (seen.stop)
		loop_stop(t_loop);
}

STAGE void
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

STAGE void
t_guard(struct loop_timer *t)
{
	(void)t;
	t_late = true;
	loop_stop(t_loop);
}

/* Runs until somebody stops the loop. */
STAGE void
t_run(const char *what)
{
	struct loop_timer guard = { .fire = t_guard };

	t_late = false;
	loop_timer_start(t_loop, &guard, 60000);
	loop_run(t_loop);
	loop_timer_stop(t_loop, &guard);
	if (t_late)
		UNIT_FAIL("waited in vain for %s after %s; got: %.300s", what,
		    t_bytes, buf_text(&client.got));
}

STAGE void
t_enough(struct loop_timer *t)
{
	(void)t;
	loop_stop(t_loop);
}

/* Lets the loop go round a few times. */
STAGE void
t_settle(void)
{
	struct loop_timer timer = { .fire = t_enough };

	for (int i = 0; i < 4; i++) {
		loop_timer_start(t_loop, &timer, 0);
		loop_run(t_loop);
	}
}

STAGE void
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
		loop_watch_stop(t_loop, &c->watch);
		loop_stop(t_loop);
	}
	if (c->until != NULL && c->got.len >= c->less &&
	    strstr(buf_text(&c->got), c->until) != NULL)
		loop_stop(t_loop);
}

STAGE void
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

STAGE void
client_send(struct client *c, const void *bytes, size_t n)
{
	t_bytes = bytes;
	CHECK_INT(send(c->fd, bytes, n, MSG_NOSIGNAL), n);
}

STAGE void
client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Reads until the text is there, NULL: until the end. */
STAGE void
client_hear(struct client *c, const char *until)
{
	c->until = until;
	if (until != NULL && c->got.len >= c->less &&
	    strstr(buf_text(&c->got), until) != NULL)
		return;
	if (!c->eof) {
		loop_watch_start(t_loop, &c->watch, c->fd, POLLIN);
		while (!c->eof && (until == NULL || c->got.len < c->less ||
		    strstr(buf_text(&c->got), until) == NULL))
			t_run(until != NULL ? until : "the end");
		loop_watch_stop(t_loop, &c->watch);
	}
	if (until != NULL && strstr(buf_text(&c->got), until) == NULL)
		UNIT_FAIL("no \"%s\" in: %.600s", until, buf_text(&c->got));
}

STAGE void
client_close(struct client *c)
{
	loop_watch_stop(t_loop, &c->watch);
	if (c->fd > 0)
		close(c->fd);
	buf_free(&c->got);
	*c = (struct client){ .fd = 0 };
}

STAGE bool
client_has(const struct client *c, const char *text)
{
	return strstr(buf_text(&c->got), text) != NULL;
}

STAGE void
t_open_with(const struct httpd_config *config)
{
	struct buf error = BUF_INIT(500);

	memset(&seen, 0, sizeof(seen));
	if (client.fd > 0)
		client_close(&client);
	httpd_close(server);
	loop_close(t_loop);
	t_loop = loop_open();
	CHECK(t_loop != NULL);
	server = httpd_open(t_loop, config, &t_table, &error);
	if (server == NULL)
		UNIT_FAIL("%s", buf_text(&error));
}

STAGE void
t_open(void)
{
	t_open_with(&httpd_defaults);
}

/* Sends it all on a new connection and reads to the end. */
STAGE void
t_ask_n(const void *bytes, size_t n)
{
	if (client.fd > 0)
		client_close(&client);
	client_open(&client);
	client_send(&client, bytes, n);
	client_hear(&client, NULL);
}

STAGE void
t_ask(const char *text)
{
	t_ask_n(text, strlen(text));
}

STAGE int
t_status(const struct client *c)
{
	int status = 0;

	sscanf(buf_text(&c->got), "HTTP/1.1 %d", &status);
	return status;
}

#define PLAIN "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST "GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* The server answers a plain request, and holds no connection after it. */
STAGE void
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

STAGE int
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

/* Opens /later on a new connection, and returns when its handler ran. */
STAGE void
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

STAGE void
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

#endif
