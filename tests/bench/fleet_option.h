#ifndef FLEET_OPTION_H
#define FLEET_OPTION_H
/*
 * The fleet program's options. Secrets come from the environment only:
 * everybody may read the words of a command.
 */
#include <netinet/in.h>
#include <stdbool.h>

struct fleet_option {
	char *url;
	long agents, interval, jitter, seconds, warm;
	long connections, streams, sources, timeout;
	char *keep_alive, *beats, *confirm;	/* "on", "off" */
	long hold, spread, seed;
	char *subscribe, *token_key;
	long publish_at, publish_every;
	char *until;		/* "time", "seen" */
	long pid;
	char *csv, *svg, *values;
	char *admin_key, *agent_key;
	/* made of the above */
	struct sockaddr_in address;	/* of url */
	char host[32];			/* its host and port */
	char path[256];			/* "" or "/prefix" */
	bool keeps;			/* connections are kept alive */
};

enum option_end {
	OPTION_GO,
	OPTION_HELP,		/* was printed */
	OPTION_WRONG,		/* was said */
};

/* option_free in any case. */
enum option_end option_load(struct fleet_option *, int argc, char **argv);
void option_free(struct fleet_option *);

/* The address of "http://127.0.0.1:80/…" or of another scheme; false: it is
 * not on this machine. rest: what follows, or NULL. */
bool option_address(const char *url, struct sockaddr_in *, const char **rest);

#endif
