/*
 * Bytes on their way to a client. A failure is only noted: it is acted on in
 * the next turn of the loop, so that no caller loses the connection under its
 * feet.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "httpd_conn.h"

enum {
	HTTPD_PIECES = 4,
	HTTPD_KEEP = 65536,	/* memory a drained connection may hold */
};

size_t
httpd_pending(const struct httpd_conn *c)
{
	return c->out.len - c->sent;
}

uint64_t
httpd_send_taken(const struct httpd_conn *c)
{
	int kept = 0;

	return ioctl(c->watch.fd, TIOCOUTQ, &kept) == 0 &&
	    (uint64_t)kept <= c->went ? c->went - (uint64_t)kept : c->went;
}

/* n bytes of what was kept have gone. */
static void
httpd_send_gone(struct httpd_conn *c, size_t n)
{
	c->sent += n;
	if (c->sent == c->out.len) {
		c->sent = 0;
		buf_reset(&c->out);
		if (c->out.cap > HTTPD_KEEP)
			buf_free(&c->out);
	} else if (c->sent > HTTPD_KEEP && c->sent > c->out.len / 2) {
		buf_drop(&c->out, c->sent);
		c->sent = 0;
	}
}

void
httpd_send_later(struct httpd_conn *c, const struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!c->broken &&
		    !buf_add(&c->out, iov[i].iov_base, iov[i].iov_len))
			c->broken = true;
}

void
httpd_send(struct httpd_conn *c, const struct iovec *iov, size_t count)
{
	struct iovec all[HTTPD_PIECES];
	struct msghdr message = { .msg_iov = all };
	const int how = MSG_NOSIGNAL | MSG_DONTWAIT;
	size_t kept = httpd_pending(c), went;
	ssize_t n;

	if (c->broken || count >= HTTPD_PIECES)
		return;
	if (kept > 0)
		all[message.msg_iovlen++] = (struct iovec){
			c->out.data + c->sent, kept };
	for (size_t i = 0; i < count; i++)
		if (iov[i].iov_len > 0)
			all[message.msg_iovlen++] = iov[i];
	/* the kernel is quicker when it is told of no list */
	n = message.msg_iovlen == 1 ?
	    send(c->watch.fd, all->iov_base, all->iov_len, how) :
	    sendmsg(c->watch.fd, &message, how);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		c->broken = true;
		return;
	}
	went = n > 0 ? (size_t)n : 0;
	c->went += went;
	if (kept > 0)
		httpd_send_gone(c, went < kept ? went : kept);
	went -= went < kept ? went : kept;
	for (size_t i = 0; i < count; i++) {
		size_t part = went < iov[i].iov_len ? went : iov[i].iov_len;
		struct iovec rest = iov[i];

		went -= part;
		if (part == rest.iov_len)
			continue;
		rest.iov_base = (char *)rest.iov_base + part;
		rest.iov_len -= part;
		httpd_send_later(c, &rest, 1);
	}
}
