/*
 * Plain CGI (RFC 3875): the request is in the environment and on standard
 * input, the reply goes to standard output, and the process ends with it.
 *
 * Command line arguments are not looked at: a web server makes them of the
 * query ("?--check").
 */
#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "housekeep.h"

/* Nobody promises an end of file: the length does. */
struct gateway_cgi_input {
	long long left;		/* -1: until the end of file */
};

static long
gateway_cgi_read(void *arg, char *into, size_t n)
{
	struct gateway_cgi_input *input = arg;
	ssize_t got;

	if (input->left >= 0 && (unsigned long long)input->left < n)
		n = (size_t)input->left;
	if (n == 0)
		return 0;
	do
		got = read(STDIN_FILENO, into, n);
	while (got < 0 && errno == EINTR);
	if (got > 0 && input->left > 0)
		input->left -= got;
	return got;
}

static bool
gateway_cgi_write(void *arg, const char *from, size_t n)
{
	(void)arg;
	while (n > 0) {
		ssize_t sent = write(STDOUT_FILENO, from, n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

int
gateway_cgi(struct controller *c)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct gateway_cgi_input input = { .left = 0 };
	const struct gateway_stream stream = {
		.read = gateway_cgi_read,
		.write = gateway_cgi_write,
		.arg = &input,
	};
	struct route_table table;

	if (length != NULL && length[0] >= '0' && length[0] <= '9')
		input.left = strtoll(length, NULL, 10);
	else if (getenv("HTTP_TRANSFER_ENCODING") != NULL)
		input.left = -1;
	gateway_table(&table, c);
	c->measure.serves = true;
	gateway_answer(&table, environ, &stream);
	/* the reply is out: the server need not wait for the rest */
	close(STDOUT_FILENO);
	housekeep_turn(c);
	return 0;
}
