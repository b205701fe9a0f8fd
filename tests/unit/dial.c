/*
 * Connections by name: to this machine, to nobody, to what is no name.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/dial.c"

/* A socket that listens on 127.0.0.1, or only had the port. */
static int
listening(int *port, bool listens)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&name, len) == 0);
	CHECK(!listens || listen(fd, 5) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	*port = ntohs(name.sin_port);
	return fd;
}

static enum dial_end
dial_all(struct dial *d, const char *host, int port)
{
	enum dial_end end = dial_start(d, host, port);

	while (end == DIAL_WAIT) {
		struct pollfd p = { .fd = d->fd, .events = d->events };

		CHECK(poll(&p, 1, 30000) == 1);
		end = dial_step(d);
	}
	return end;
}

UNIT("an address and a name lead to a connection that does not block")
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct dial d;
	int port, server = listening(&port, true), fd;
	char byte;

	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(dial_all(&d, hosts[i], port), DIAL_DONE);
		fd = dial_take(&d);
		CHECK(fd >= 0);
		dial_stop(&d);
		CHECK(read(fd, &byte, 1) < 0 && errno == EAGAIN);
		CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		close(fd);
	}
	close(server);
}

UNIT("where nobody listens it fails, and says why")
{
	struct dial d;
	int port, fd = listening(&port, false);

	CHECK_INT(dial_all(&d, "localhost", port), DIAL_FAILED);
	CHECK_TEXT(d.why, "Connection refused");
	dial_stop(&d);
	close(fd);
}

UNIT("what is no name fails, and says why")
{
	struct dial d;

	CHECK_INT(dial_all(&d, "no such name.invalid", 1), DIAL_FAILED);
	CHECK(d.why[0] != '\0');
	CHECK(strcmp(d.why, "Connection refused") != 0);
	dial_stop(&d);
}

UNIT("it may be given up at any time")
{
	struct dial d;
	int port, server = listening(&port, true);

	for (int i = 0; i < 100; i++) {
		CHECK_INT(dial_start(&d, "localhost", port), DIAL_WAIT);
		dial_stop(&d);
		CHECK_INT(dial_start(&d, "127.0.0.1", port), DIAL_WAIT);
		CHECK_INT(dial_step(&d), DIAL_WAIT);
		dial_stop(&d);
	}
	close(server);
}

UNIT_MAIN
