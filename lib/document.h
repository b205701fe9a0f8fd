#ifndef DOCUMENT_H
#define DOCUMENT_H
/*
 * A configuration document, {"url": "https://ip.me"} at its smallest: the
 * members that are known, and what is wrong with them. The controller checks
 * it before it is stored, the worker before it is put in force.
 */
#include <stdbool.h>
#include <stddef.h>

#include "json.h"

enum {
	DOCUMENT_TIMEOUT_MAX = 300,	/* seconds */
};

struct document {
	char *url;		/* absolute, http or https */
	char *headers;		/* a JSON object of strings; NULL: none */
	char *user_agent;	/* NULL: not given */
	char *proxy;		/* http://, socks5:// or socks5h://; NULL */
	long long timeout_seconds;	/* 0: not given */
	bool follow_redirects;	/* true when not given */
};

/* The known members, for a schema. */
extern const struct field document_fields[];

/*
 * Reads the known members of object into `into`, which was zeroed; others
 * are ignored. False: refuse was called, with a member's name ("url",
 * "headers.Host"), at most FIELD_REFUSALS times. document_free in any case.
 */
bool document_read(struct document *into, const struct json *object,
    field_refusal *refuse, void *arg);
void document_free(struct document *);

#endif
