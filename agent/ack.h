#ifndef ACK_H
#define ACK_H
/*
 * What the worker said, read out of one finished request. Pure.
 */
#include <stdbool.h>

#include "config.h"
#include "fetch.h"
#include "words.h"

enum { ACK_INSTANCE = 65 };	/* characters of an instance id, and NUL */

enum ack_kind {
	ACK_TOLD,	/* GET /state: understood */
	ACK_APPLIED,	/* POST /config: 2xx, and it names our version */
	ACK_REFUSED,	/* 4xx: this configuration will not do */
	ACK_FAILED,	/* an answer that is no help; try again */
	ACK_SILENT,	/* no answer: it may or may not have been applied */
	ACK_KINDS
};

struct ack {
	enum ack_kind kind;
	int status;
	bool locked;		/* refused for the key, not for the content */
	long retry_after;	/* seconds; -1: not said */
	char why[2 * WORDS_MAX];	/* a sentence; "" when it went well */
	/* of /state */
	char instance[ACK_INSTANCE];	/* "" when it names none */
	long long version;		/* 0: it has no configuration */
	char etag[CONFIG_ETAG];		/* "" when it names none */
};

void ack_state(struct ack *, const struct fetch_result *);
/* version: the one that was given. */
void ack_config(struct ack *, const struct fetch_result *, long long version);

#endif
