#ifndef AGENT_H
#define AGENT_H
/*
 * The agent: registers, polls, and hands what it reads to delivery. One
 * request to the controller at a time, so that its answers are followed in
 * the order of the questions.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "ask.h"
#include "deliver.h"
#include "fetch.h"
#include "loop.h"
#include "retry.h"
#include "save.h"
#include "settings.h"
#include "state.h"
#include "wake.h"

struct metric;
struct supervisor;

enum agent_at {
	AGENT_STOPPED,
	AGENT_UNREGISTERED,	/* waits to register (again) */
	AGENT_REGISTERING,
	AGENT_RESTING,		/* waits for the next poll */
	AGENT_RETRYING,		/* the same, after one that failed */
	AGENT_POLLING,
	AGENT_REPORTING,
	AGENT_ATS
};

struct agent {
	struct settings *settings;	/* borrowed, as are the next three */
	struct loop *loop;
	struct fetch_hub *hub;
	struct state *state;
	long port;

	enum agent_at at;
	struct save save;
	struct deliver deliver;
	struct wake wake;
	struct loop_timer timer;
	struct fetch *fetch;
	struct answer *answer;	/* inside an event that has one */
	struct retry retry;
	int64_t poll_due;	/* loop_now */
	bool registered;	/* since the start */
	bool polled;		/* well, since the start */
	bool denied;		/* the last poll led to registration */
	bool news;		/* since the last poll began */
	bool report;		/* the health changed, and nobody was told */
	bool hurry;		/* the next poll is wanted now, and fresh */
	bool hinted;		/* it is, once the controller is well */
	bool moved;		/* the last answer was another configuration */
	bool plain;		/* a held poll failed: the next is not held */
	unsigned unheld;	/* held polls that failed, in a row */
	/* of the poll under way, or the last one */
	bool conditional, fresh;	/* it sent a tag; no-cache */
	long hold;		/* s that it may be held; 0: not */
	int64_t asked;		/* loop_now */
	int status;		/* of the last answer; 0: none came */
	char why[2 * WORDS_MAX];	/* of the last failure; "" when well */
	long long last_answer;	/* ms since 1970; 0: never */

	void (*stepped)(void *arg);	/* something happened; or NULL */
	void *stepped_arg;

	/* for /metrics */
	struct metric *metric;	/* borrowed; so is the next */
	const struct supervisor *supervisor;
	long long ends[AGENT_ATS][ANSWER_KINDS];	/* of requests */
	long long retries;	/* requests that followed a failure */
};

/*
 * Begins, with what state holds; an agent without an id makes one. Borrows
 * all. port: where it listens.
 */
void agent_start(struct agent *, struct loop *, struct fetch_hub *,
    struct settings *, struct state *, long port);
void agent_stop(struct agent *);	/* cancels, saves what is unsaved */

/* Poll now, ask the worker now. */
void agent_hurry(struct agent *);
/* The settings have changed in place. anew: the controller or the credential
 * is another, so that registration starts again. */
void agent_resettle(struct agent *, bool anew);

/* "registering", "polling" or "failing": for people. */
const char *agent_word(const struct agent *);

#endif
