#ifndef ANSWER_H
#define ANSWER_H
/*
 * What the controller said, read out of one finished request. Pure: the
 * request is borrowed, nothing is kept of it.
 */
#include "config.h"
#include "fetch.h"
#include "token.h"
#include "words.h"

enum answer_kind {
	ANSWER_GOOD,	/* 200, understood; 204 for a report */
	ANSWER_SAME,	/* 304 */
	ANSWER_DENIED,	/* 401 */
	ANSWER_FAILED,	/* everything else */
	ANSWER_KINDS
};

struct answer {
	enum answer_kind kind;
	int status;		/* 0: none came */
	long retry_after;	/* seconds; -1: not said */
	long interval;		/* seconds; 0: not said */
	char why[2 * WORDS_MAX];	/* a sentence; "" when it went well */
	/* of a registration */
	char id[TOKEN_UUID];
	char *poll_url;		/* owned, absolute, of base's origin */
	char *token;		/* owned, or NULL */
	/* of a poll */
	struct config config;
};

/* base: CONTROLLER_URL, which poll_url is resolved against. */
void answer_register(struct answer *, const struct fetch_result *,
    const char *base);
/* conditional: If-None-Match was sent; without it a 304 is nonsense. */
void answer_poll(struct answer *, const struct fetch_result *,
    bool conditional);
void answer_report(struct answer *, const struct fetch_result *);
void answer_free(struct answer *);

#endif
