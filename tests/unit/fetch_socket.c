/*
 * libcurl's sockets: which are watched, and for how long.
 */
#include "../../lib/fetch_socket.c"

#include "fetch_trial.h"

static size_t
sockets_known(const struct trial *t)
{
	size_t known = 0;

	for (size_t fd = 0; fd < t->hub->sockets_cap; fd++)
		known += t->hub->sockets[fd] != NULL;
	return known;
}

/* A listener that accepts nobody, and has no place for one more. */
static const char *
deaf(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static char url[64];
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0), first;

	CHECK(bind(fd, (struct sockaddr *)&to, len) == 0);
	CHECK(listen(fd, 0) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&to, &len) == 0);
	first = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(first, (struct sockaddr *)&to, len) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/",
	    ntohs(to.sin_port));
	return url;
}

static int
ask(struct trial *t, const char *url, int64_t timeout_ms)
{
	struct fetch_request r = { .url = url, .timeout_ms = timeout_ms };

	t->ends = 0;
	trial_run(t, &r);
	CHECK_INT(t->ends, 1);
	return t->result.end == FETCH_DONE ? t->result.status : 0;
}

UNIT("a connection that is kept is watched, one that came to nothing is not")
{
	const char *nobody = deaf();
	struct trial t;

	trial_open(&t);
	CHECK_INT(ask(&t, nobody, 300), 0);
	CHECK_INT(sockets_known(&t), 0);
	CHECK_INT(ask(&t, trial_url(&t, "/missing"), 30000), 404);
	CHECK_INT(sockets_known(&t), 1);
	CHECK_INT(ask(&t, trial_url(&t, "/missing"), 30000), 404);
	CHECK_INT(sockets_known(&t), 1);
	CHECK_INT(ask(&t, nobody, 300), 0);
	CHECK_INT(ask(&t, "http://127.0.0.1:1/", 300), 0);
	CHECK_INT(sockets_known(&t), 1);
	trial_close(&t);
}

UNIT("a descriptor that was closed unsaid and comes again is known once")
{
	struct fetch_socket *first;
	struct trial t;

	trial_open(&t);
	first = fetch_socket_new(t.hub, 500);
	CHECK(first != NULL);
	first->connected = true;
	CHECK(fetch_socket_new(t.hub, 500) == first);
	CHECK(!first->connected);
	CHECK_INT(sockets_known(&t), 1);
	trial_close(&t);
}

UNIT("who gets the descriptor of one that came to nothing is left alone")
{
	struct trial t;
	int pair[2];
	char c;

	trial_open(&t);
	CHECK_INT(ask(&t, deaf(), 300), 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK_INT(write(pair[0], "a", 1), 1);
	CHECK_INT(write(pair[1], "b", 1), 1);
	loop_timer_start(t.loop, &t.limit, 20);
	loop_run(t.loop);
	CHECK_INT(read(pair[0], &c, 1), 1);
	CHECK_INT(send(pair[0], "c", 1, MSG_NOSIGNAL), 1);
	CHECK_INT(send(pair[1], "d", 1, MSG_NOSIGNAL), 1);
	close(pair[0]);
	close(pair[1]);
	trial_close(&t);
}

UNIT_MAIN
