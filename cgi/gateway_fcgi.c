/*
 * FastCGI on libfcgi: one request at a time, several processes on one
 * socket.
 *
 * The listening socket has a receive time-out, which accept(2) obeys: an
 * idle process wakes four times a second, housekeeps, and looks for signals,
 * without the herd that poll(2) would wake for each connection. SIGTERM and
 * its like stay blocked and are looked for between two requests, so that
 * none is ever broken off.
 */
#include "gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "housekeep.h"
#include "log.h"

enum { GATEWAY_IDLE_MS = 250 };

const int gateway_fcgi_ends[] = {
	SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, 0,
};

long
gateway_fcgi_read(void *arg, char *into, size_t n)
{
	FCGX_Request *request = arg;
	int got;

	got = FCGX_GetStr(into, n > INT_MAX ? INT_MAX : (int)n, request->in);
	return got == 0 && FCGX_GetError(request->in) != 0 ? -1 : got;
}

bool
gateway_fcgi_write(void *arg, const char *from, size_t n)
{
	FCGX_Request *request = arg;

	return n <= INT_MAX && FCGX_PutStr(from, (int)n, request->out) >= 0;
}

/*
 * The connection ends with it, also where the web server would keep it
 * (FCGI_KEEP_CONN): this process would hear nobody else meanwhile. The whole
 * request was read, so closing need not wait for the other side.
 */
void
gateway_fcgi_finish(void *request)
{
	FCGX_Request *r = request;

	r->keepConnection = 0;
	FCGX_Detach(r);
	FCGX_Finish_r(r);
}

bool
gateway_is_fcgi(void)
{
	return !FCGX_IsCGI();
}

static void
gateway_fcgi_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	for (const int *end = gateway_fcgi_ends; *end != 0; end++)
		sigaddset(&set, *end);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static bool
gateway_fcgi_ended(void)
{
	sigset_t set;

	if (sigpending(&set) < 0)
		return false;
	for (const int *end = gateway_fcgi_ends; *end != 0; end++)
		if (sigismember(&set, *end) == 1)
			return true;
	return false;
}

/*
 * A lighttpd that is killed leaves its responders behind, and the next one
 * adopts them, of whatever version they are. spawn-fcgi, which ends at once
 * on purpose, makes them leaders of a session: these live on. One whose
 * lighttpd ended while it was being started has been inherited already: run.sh
 * says which process was to be its parent, and in another's lighttpd the heir
 * is mostly of another session.
 */
static void
gateway_fcgi_parent(void)
{
	const char *lighttpd = getenv("DCM_LIGHTTPD");

	if (getsid(0) == getpid())
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (lighttpd != NULL ? getppid() != atol(lighttpd) :
	    getsid(getppid()) != getsid(0))
		raise(SIGTERM);
}

void
gateway_fcgi_start(struct controller *c)
{
	const struct store_version *v;

	gateway_fcgi_signals();
	gateway_fcgi_parent();
	c->measure.serves = true;
	c->front.keeps = true;
	/* a relative folder is nobody's choice: it comes with a request */
	if (c->settings.state_dir[0] == '/') {
		if (controller_current(c, &v) != STORE_DONE)
			log_error("store", "%s", store_detail(c->store));
		front_publish(c);
	}
	if (FCGX_Init() != 0)
		log_fatal("libfcgi cannot be started");
}

bool
gateway_fcgi_nonblocking(void)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	return flags != -1 &&
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Whether the socket's time-out serves us: accepted TCP sockets would
 * inherit it. */
static bool
gateway_fcgi_timeout(void)
{
	struct timeval idle = { .tv_usec = GATEWAY_IDLE_MS * 1000 };
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return getsockname(STDIN_FILENO, (struct sockaddr *)&name, &len) ==
	    0 && name.ss_family == AF_UNIX && setsockopt(STDIN_FILENO,
	    SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle)) == 0;
}

/* Waits for the next request: 1, 0 when there is none yet, or -1. */
static int
gateway_fcgi_next(FCGX_Request *request, bool timeout)
{
	struct pollfd listening = { .fd = STDIN_FILENO, .events = POLLIN };
	int err;

	if (!timeout && poll(&listening, 1, GATEWAY_IDLE_MS) <= 0)
		return 0;
	err = FCGX_Accept_r(request);
	if (err == 0)
		return 1;
	if (err == -EAGAIN || err == -EWOULDBLOCK || err == -EINTR ||
	    err == -ECONNABORTED)
		return 0;
	log_error("http", "accept: %s", strerror(-err));
	return -1;
}

int
gateway_fcgi(struct controller *c)
{
	FCGX_Request request;
	struct gateway_stream stream = {
		.read = gateway_fcgi_read,
		.write = gateway_fcgi_write,
		.arg = &request,
	};
	struct route_table table;
	bool timeout;
	int next = 0;

	gateway_fcgi_start(c);
	gateway_table(&table, c);
	FCGX_InitRequest(&request, STDIN_FILENO, 0);
	timeout = gateway_fcgi_timeout();
	if (!timeout && !gateway_fcgi_nonblocking())
		log_fatal("the socket: %s", strerror(errno));
	while (next >= 0 && !gateway_fcgi_ended()) {
		next = gateway_fcgi_next(&request, timeout);
		if (next > 0) {
			gateway_answer(&table, request.envp, &stream);
			gateway_fcgi_finish(&request);
		}
		housekeep_turn(c);
	}
	FCGX_Free(&request, 1);
	return next < 0;
}
