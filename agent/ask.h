#ifndef ASK_H
#define ASK_H
/*
 * Requests to the controller. NULL: out of memory.
 */
#include <stdbool.h>

#include "fetch.h"
#include "settings.h"
#include "state.h"

/* What every request is made from; all borrowed. */
struct ask {
	struct fetch_hub *hub;
	const struct settings *settings;
	const struct state *state;
};

/* The heartbeat that a poll carries, and a report spells out. */
struct ask_news {
	long long applied;	/* version; 0: none yet */
	const char *word;	/* "ok", "failed", "no-worker" */
	const char *why;	/* "" when ok */
};

typedef void ask_done(void *arg, const struct fetch_result *);

/* POST /register, always with the fleet's credential. port: of the agent. */
struct fetch *ask_register(const struct ask *, long port, ask_done *,
    void *arg);
/* What a poll says beside its heartbeat. */
struct ask_poll {
	const char *etag;	/* for If-None-Match, or "" */
	bool fresh;		/* no cache on the way may answer */
	long hold;		/* s that the answer may be held; 0: not */
};
/* GET poll_url. */
struct fetch *ask_config(const struct ask *, const struct ask_news *,
    const struct ask_poll *, ask_done *, void *arg);
/* POST /agents/{id}/status; only with a token. */
struct fetch *ask_report(const struct ask *, const struct ask_news *,
    ask_done *, void *arg);

/* For --check. GET /health, which wants no credential; and POST /register
 * with a body that no controller accepts: 400 says that the credential is
 * good, and nobody was registered. */
struct fetch *ask_health(const struct ask *, ask_done *, void *arg);
struct fetch *ask_credential(const struct ask *, ask_done *, void *arg);

#endif
