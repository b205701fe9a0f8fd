/*
 * order.so: preloaded into a worker by worker_tasks.bats. Writes to the file
 * $ORDER what happens in which order: "sync" when something is on disk, "202"
 * when such an answer is about to be sent.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int order_sync(int);
typedef ssize_t order_send(int, const void *, size_t, int);
typedef ssize_t order_sendmsg(int, const struct msghdr *, int);

static void
order_note(const char *line)
{
	static int to = -1;

	if (to == -1)
		to = open(getenv("ORDER"), O_WRONLY | O_APPEND | O_CREAT |
		    O_CLOEXEC, 0600);
	if (write(to, line, strlen(line)) < 0)
		abort();
}

__attribute__((constructor)) static void
order_begin(void)
{
	if (getenv("ORDER") != NULL)
		order_note("");
}

int
fdatasync(int fd)
{
	int end = ((order_sync *)dlsym(RTLD_NEXT, "fdatasync"))(fd);

	order_note("sync\n");
	return end;
}

int
fsync(int fd)
{
	int end = ((order_sync *)dlsym(RTLD_NEXT, "fsync"))(fd);

	order_note("sync\n");
	return end;
}

static void
order_look(const void *piece, size_t len)
{
	if (len > 12 && memcmp(piece, "HTTP/1.1 202", 12) == 0)
		order_note("202\n");
}

ssize_t
send(int fd, const void *piece, size_t len, int flags)
{
	order_look(piece, len);
	return ((order_send *)dlsym(RTLD_NEXT, "send"))(fd, piece, len,
	    flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	for (size_t i = 0; i < m->msg_iovlen; i++)
		order_look(m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
	return ((order_sendmsg *)dlsym(RTLD_NEXT, "sendmsg"))(fd, m, flags);
}
