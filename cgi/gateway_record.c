/*
 * FastCGI's records for a reply on a bare connection (FastCGI specification
 * 1.0, sections 3.3 and 5). libfcgi writes through a struct FCGX_Request of
 * 20 KB with its buffers; of a request that is held, its connection and its
 * number are enough.
 */
#include "gateway.h"

#include <errno.h>
#include <fastcgi.h>
#include <sys/socket.h>

enum { GATEWAY_RECORD_MAX = 65528 };	/* bytes of one, whole eights */

static bool
gateway_record_add(struct gateway_record *r, int type, const char *from,
    size_t n)
{
	const FCGI_Header head = {
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(r->id >> 8),
		.requestIdB0 = (unsigned char)r->id,
		.contentLengthB1 = (unsigned char)(n >> 8),
		.contentLengthB0 = (unsigned char)n,
	};

	return buf_add(&r->out, &head, sizeof(head)) &&
	    buf_add(&r->out, from, n);
}

bool
gateway_record_write(void *arg, const char *from, size_t n)
{
	struct gateway_record *r = arg;
	bool ok = true;

	while (ok && n > 0) {
		size_t some = n < GATEWAY_RECORD_MAX ? n :
		    GATEWAY_RECORD_MAX;

		ok = gateway_record_add(r, FCGI_STDOUT, from, some);
		from += some;
		n -= some;
	}
	return ok;
}

bool
gateway_record_end(struct gateway_record *r, int fd)
{
	static const FCGI_EndRequestBody end = {
		.protocolStatus = FCGI_REQUEST_COMPLETE,
	};
	size_t sent = 0;

	if (!gateway_record_add(r, FCGI_STDOUT, "", 0) ||
	    !gateway_record_add(r, FCGI_END_REQUEST, (const char *)&end,
	    sizeof(end)))
		return false;
	while (sent < r->out.len) {
		ssize_t n = send(fd, r->out.data + sent, r->out.len - sent,
		    MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}
