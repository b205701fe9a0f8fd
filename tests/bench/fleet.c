/*
 * fleet: plays a fleet of agents against a controller on this machine, in
 * one thread, and says what it saw: polls a second, what one costs, how long
 * it takes, and how a version spreads.
 *
 * A poll's time begins when the poll was due, and not when there was a
 * connection for it: a controller that stops for a second is late for all who
 * were due in it, and not for those few who happened to ask.
 *
 * It refuses to ask other machines, and to take more memory than it says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fleet_report.h"

/* What --help states, as a limit that the kernel keeps. */
static void
fleet_bound(const struct fleet *f)
{
	size_t most = (17u << 20) + (size_t)f->opt.agents *
	    (sizeof(struct agent) + AGENT_SIGN + (f->opt.subscribe != NULL ?
	    sizeof(struct wake) : 0)) +
	    (size_t)(f->opt.connections * f->opt.streams + 1) *
	    (sizeof(struct conn) + 4) + (f->opt.streams == 1 ? 0 :
	    h2_size((uint32_t)f->opt.connections, (uint32_t)f->opt.streams));

	fprintf(stderr, "fleet: %ld agents, %ld connections, %zu MB of memory "
	    "at most\n", f->opt.agents, f->opt.connections, most >> 20);
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_DATA, &(struct rlimit){ most, most });
#endif
}

bool
fleet_open(struct fleet *f)
{
	f->conns.all = NULL;
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->seconds = (uint32_t)(f->opt.warm + f->opt.seconds);
	f->second = calloc(f->seconds + 1, sizeof(*f->second));
	f->chance = f->opt.seed << 20;
	if (f->second != NULL && f->epoll >= 0 && ask_open(&f->ask, &f->opt) &&
	    conns_open(&f->conns,
	    (uint32_t)(f->opt.connections * f->opt.streams),
	    (uint32_t)f->opt.connections) && (f->opt.streams == 1 ||
	    h2_open(&f->h2, (uint32_t)f->opt.connections,
	    (uint32_t)f->opt.streams)) &&
	    agents_open(&f->agents, (uint32_t)f->opt.agents,
	    (uint64_t)f->opt.seed, f->opt.token_key))
		return true;
	fputs("fleet: cannot begin\n", stderr);
	return false;
}

void
fleet_close(struct fleet *f)
{
	wakes_close(&f->wakes);
	h2_close(&f->h2);
	conns_close(&f->conns);
	agents_close(&f->agents);
	ask_close(&f->ask);
	free(f->second);
	if (f->epoll >= 0)
		close(f->epoll);
}

int
main(int argc, char **argv)
{
	static struct fleet f;
	int status = EXIT_FAILURE;

	f.epoll = -1;
	switch (option_load(&f.opt, argc, argv)) {
	case OPTION_WRONG:
		status = 2;
		break;
	case OPTION_HELP:
		status = EXIT_SUCCESS;
		break;
	case OPTION_GO:
		fleet_bound(&f);
		if (fleet_open(&f) && fleet_run(&f) && report(&f))
			status = EXIT_SUCCESS;
	}
	fleet_close(&f);
	option_free(&f.opt);
	return status;
}
