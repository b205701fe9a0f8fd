#ifndef FETCH_SERVER_H
#define FETCH_SERVER_H
/*
 * A small web server of odd habits for tests/unit/fetch.c: one process for
 * each connection, the path says how it behaves. Listens on 127.0.0.1 and
 * 127.0.0.2 with the same port; dies with the test.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int server_port;
static pid_t server_pid;
static int server_go[2], server_gone[2];	/* pipes: of /unasked */

static void
server_say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(0);
}

static void
server_body(int fd, const char *status, const char *body)
{
	dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n"
	    "Content-Type: text/plain\r\n\r\n%s", status, strlen(body), body);
}

static void
server_big(int fd, long size)
{
	static char block[65536];

	memset(block, 'x', sizeof(block));
	dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", size);
	while (size > 0) {
		long n = size < 65536 ? size : 65536;

		n = write(fd, block, (size_t)n);
		if (n <= 0)
			_exit(0);
		size -= n;
	}
}

static void
server_heads(int fd, int lines)
{
	server_say(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < lines; i++)
		dprintf(fd, "Link: %d\r\n", i);
	server_say(fd, "Content-Length: 0\r\n\r\n");
}

/* One answer, and when the test has got it another one. */
static void
server_unasked(int fd)
{
	char byte;

	server_body(fd, "200 OK", "asked");
	if (read(server_go[0], &byte, 1) != 1)
		_exit(0);
	server_body(fd, "200 OK", "unasked");
	server_say(server_gone[1], "!");
}

/* Answers that are complete, and keep the connection. */
static bool
server_whole(int fd, const char *path, const char *head)
{
	char text[64];

	if (strncmp(path, "/big?", 5) == 0) {
		server_big(fd, atol(path + 5));
	} else if (strncmp(path, "/heads?", 7) == 0) {
		server_heads(fd, atoi(path + 7));
	} else if (strncmp(path, "/to?", 4) == 0) {
		dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
		    "Content-Length: 4\r\n\r\ngone", path + 4);
	} else if (strcmp(path, "/echo") == 0) {
		server_body(fd, "200 OK", head);
	} else if (strcmp(path, "/who") == 0) {
		snprintf(text, sizeof(text), "%d", (int)getpid());
		server_body(fd, "200 OK", text);
	} else if (strcmp(path, "/chunked") == 0) {
		server_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n"
		    "X-Trailer: late\r\n\r\n");
	} else if (strcmp(path, "/early") == 0) {
		server_say(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
		server_body(fd, "200 OK", "after");
	} else if (strcmp(path, "/missing") == 0) {
		server_body(fd, "404 Not Found", "nothing here");
	} else if (strcmp(path, "/unasked") == 0) {
		server_unasked(fd);
	} else if (strcmp(path, "/nowhere") == 0) {
		server_say(fd, "HTTP/1.1 302 Found\r\nLocation: \r\n"
		    "Location: /missing\r\nContent-Length: 4\r\n\r\ngone");
	} else {
		return false;
	}
	return true;
}

/* Answers after which the connection is of no use. */
static void
server_odd(int fd, const char *path)
{
	static const struct {
		const char *path, *text;
		bool hang;
	} odd[] = {
		{ "/never", "", true },
		{ "/head", "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n", true },
		{ "/drip", "HTTP/1.1 200 OK\r\n\r\ndrop", true },
		{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
		    "hello", false },
		{ "/cut", "HTTP/1.1 200 OK\r\nX-A: b\r\nX-", false },
		{ "/closed", "", false },
		{ "/garbage", "this is no HTTP\r\n\r\n", false },
		{ "/gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
		    "chunked\r\n\r\n0\r\n\r\n", false },
		{ "/lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		    "Content-Length: 4\r\n\r\nhello", false },
		{ "/switch", "HTTP/1.1 101 Switching Protocols\r\n"
		    "Upgrade: tea\r\n\r\ntea", false },
		/* both of them pass libcurl */
		{ "/brief", "HTTP/2 200\r\n\r\nhi", false },
		{ "/apart", "HTTP/ 1. 1 200 OK\r\n\r\nhi", false },
		{ "/minus", "HTTP/2 -1\r\n\r\nhi", false },
		{ "/nothing", "HTTP/1.1 204 No Content\r\n\r\n", false },
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (strcmp(path, odd[i].path) != 0)
			continue;
		server_say(fd, odd[i].text);
		if (odd[i].hang)
			pause();
		_exit(0);
	}
	server_body(fd, "200 OK", "hello");
}

static void
server_talk(int fd)
{
	char head[65536], path[4096];
	size_t len = 0;

	for (;;) {
		char *end;
		ssize_t n = read(fd, head + len, sizeof(head) - 1 - len);

		if (n <= 0)
			_exit(0);
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (end == NULL)
			continue;
		/* a body, if any, is small and came with the head */
		if (sscanf(head, "%*s %4095s", path) != 1)
			_exit(0);
		if (!server_whole(fd, path, head))
			server_odd(fd, path);
		len = 0;
	}
}

static int
server_listen(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	a.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, address, &a.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)(void *)&a, sizeof(a)) < 0 ||
	    listen(fd, 64) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
server_serve(int one, int two)
{
	struct pollfd fds[2] = {
		{ .fd = one, .events = POLLIN },
		{ .fd = two, .events = POLLIN },
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd;

		poll(fds, 2, -1);
		fd = accept(fds[0].revents ? one : two, NULL, NULL);
		if (fd >= 0 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(one);
			close(two);
			server_talk(fd);
		}
		close(fd);
	}
}

__attribute__((constructor)) static void
server_start(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int one, two = -1;

	if (pipe(server_go) != 0 || pipe(server_gone) != 0)
		abort();
	do {
		one = server_listen("127.0.0.1", 0);
		getsockname(one, (struct sockaddr *)(void *)&a, &len);
		server_port = ntohs(a.sin_port);
		two = server_listen("127.0.0.2", server_port);
	} while (one < 0 || two < 0);
	server_pid = fork();
	if (server_pid == 0)
		server_serve(one, two);
	close(one);
	close(two);
}

__attribute__((destructor)) static void
server_stop(void)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
}

#endif
