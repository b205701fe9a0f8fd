/*
 * One name, one thread. Whoever of the two is last, the thread or the one who
 * asked, frees what they share; so the asker may lose patience, and a program
 * may end, while the resolver still waits for a server that is silent.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESOLVE_STACK = 512 << 10 };

struct resolve {
	atomic_int holders;
	int over[2];		/* a pipe: a byte when it is over */
	char host[256], port[8];
	int failed;		/* of getaddrinfo; 0: found */
	int error;		/* errno, for EAI_SYSTEM */
	struct addrinfo *found;
};

void
resolve_drop(struct resolve *r)
{
	if (r == NULL || atomic_fetch_sub(&r->holders, 1) > 1)
		return;
	if (r->found != NULL)
		freeaddrinfo(r->found);
	close(r->over[0]);
	close(r->over[1]);
	free(r);
}

static void
resolve_ask(struct resolve *r, int flags)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};

	r->failed = getaddrinfo(r->host, r->port, &hints, &r->found);
	r->error = errno;
	if (r->failed != 0)
		r->found = NULL;
}

static void
resolve_over(struct resolve *r)
{
	while (write(r->over[1], "", 1) < 0 && errno == EINTR)
		;
}

static void *
resolve_thread(void *arg)
{
	resolve_ask(arg, 0);
	resolve_over(arg);
	resolve_drop(arg);
	return NULL;
}

/* It gets no signals: those belong to the one thread of the program. */
static int
resolve_spawn(struct resolve *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, had;
	int err;

	err = pthread_attr_init(&attr);
	if (err != 0)
		return err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, RESOLVE_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &had);
	atomic_fetch_add(&r->holders, 1);
	err = pthread_create(&thread, &attr, resolve_thread, r);
	if (err != 0)
		atomic_fetch_sub(&r->holders, 1);
	pthread_sigmask(SIG_SETMASK, &had, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

struct resolve *
resolve_start(const char *host, int port)
{
	struct resolve *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return NULL;
	atomic_init(&r->holders, 1);
	if (pipe2(r->over, O_CLOEXEC) < 0) {
		err = errno;
		free(r);
		errno = err;
		return NULL;
	}
	snprintf(r->host, sizeof(r->host), "%s", host);
	snprintf(r->port, sizeof(r->port), "%d", port);
	resolve_ask(r, AI_NUMERICHOST);
	if (r->failed == 0) {
		resolve_over(r);
		return r;
	}
	err = resolve_spawn(r);
	if (err != 0) {
		resolve_drop(r);
		r = NULL;
		errno = err;
	}
	return r;
}

int
resolve_fd(const struct resolve *r)
{
	return r->over[0];
}

const struct addrinfo *
resolve_found(const struct resolve *r, const char **why)
{
	if (r->failed != 0)
		*why = r->failed == EAI_SYSTEM ? strerror(r->error) :
		    gai_strerror(r->failed);
	return r->found;
}
