#include "httpd_stage.h"

#include "../../lib/httpd.c"

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

static bool
t_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
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

UNIT("a body that trickles is 408 in the end")
{
	struct httpd_config config = httpd_defaults;

	config.body_ms = 40;
	t_open_with(&config);
	client_open(&client);
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 100000\r\n\r\n");
	for (int i = 0; i < 100000 && !t_readable(client.fd); i++) {
		send(client.fd, "x", 1, MSG_NOSIGNAL);
		t_settle();
		poll(NULL, 0, 5);
	}
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 408);
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

static struct sockaddr_storage
t_peer(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM }, *found;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };

	CHECK(getaddrinfo(address, NULL, &hints, &found) == 0);
	memcpy(&peer, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return peer;
}

UNIT("callers on loopback are known in every spelling")
{
	static const struct {
		const char *address, *remote;
		bool loopback;
	} peers[] = {
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.9.9.9", "127.9.9.9", true },
		{ "::1", "::1", true },
		{ "::ffff:127.0.0.1", "127.0.0.1", true },
		{ "192.0.2.1", "192.0.2.1", false },
		{ "::ffff:192.0.2.1", "192.0.2.1", false },
		{ "2001:db8::1", "2001:db8::1", false },
	};
	char remote[64];

	for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
		struct sockaddr_storage peer = t_peer(peers[i].address);

		CHECK_INT(httpd_is_loopback(&peer), peers[i].loopback);
		httpd_remote(&peer, peer.ss_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
		    remote, sizeof(remote));
		CHECK_TEXT(remote, peers[i].remote);
	}
}

UNIT("the places kept for loopback are not given to others")
{
	struct httpd_config config = httpd_defaults;
	struct sockaddr_storage far = t_peer("192.0.2.1");
	char got[1000];
	int fd[2];
	ssize_t n;

	config.max_connections = 2;
	config.reserved = 1;
	t_open_with(&config);
	t_hold(&client, "1.1");
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	httpd_welcome(server, fd[0], &far, sizeof(struct sockaddr_in));
	n = recv(fd[1], got, sizeof(got) - 1, 0);
	close(fd[1]);
	CHECK(n > 0);
	got[n] = '\0';
	CHECK(strncmp(got, "HTTP/1.1 503 Service Unavailable\r\n", 34) == 0);
	CHECK(strstr(got, "\r\nRetry-After: 1\r\n") != NULL);
	CHECK(strstr(got, "there are too many connections") != NULL);
	struct client near;
	client_open(&near);
	client_say(&near, LAST);
	client_hear(&near, NULL);
	CHECK_INT(t_status(&near), 200);
	client_close(&near);
	t_reply("late");
	client_hear(&client, "late");
	t_sound();
}

UNIT("half a request from near is not closed for one who comes from afar")
{
	struct httpd_config config = httpd_defaults;
	struct sockaddr_storage far = t_peer("192.0.2.1");
	char got[1000];
	int fd[2];

	config.max_connections = 2;
	config.reserved = 1;
	t_open_with(&config);
	client_open(&client);
	client_say(&client, "GET /pl");
	t_settle();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	httpd_welcome(server, fd[0], &far, sizeof(struct sockaddr_in));
	CHECK(recv(fd[1], got, sizeof(got), 0) > 12);
	CHECK(strncmp(got, "HTTP/1.1 503", 12) == 0);
	close(fd[1]);
	client_say(&client, "ain HTTP/1.1\r\nHost: x\r\n\r\n");
	client_hear(&client, "hello");
	t_sound();
}

UNIT("who was refused and does not hang up makes room for the next")
{
	struct httpd_config config = httpd_defaults;
	struct sockaddr_storage peer = t_peer("127.0.0.1");
	struct client refused[2];
	int fd[2];

	config.max_connections = 2;
	config.reserved = 0;
	t_open_with(&config);
	for (int i = 0; i < 2; i++) {
		client_open(&refused[i]);
		client_say(&refused[i], "POST /nowhere HTTP/1.1\r\n"
		    "Host: x\r\nContent-Length: 5\r\n\r\nha");
		client_hear(&refused[i], NULL);
		CHECK_INT(t_status(&refused[i]), 404);
	}
	CHECK_INT(httpd_connections(server), 2);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	httpd_welcome(server, fd[0], &peer, sizeof(struct sockaddr_in));
	CHECK_INT(httpd_connections(server), 2);
	CHECK(TAILQ_LAST(&server->conns, httpd_list)->watch.fd == fd[0]);
	close(fd[1]);
	for (int i = 0; i < 2; i++)
		client_close(&refused[i]);
	t_sound();
}

UNIT_MAIN
