#ifndef FETCH_H
#define FETCH_H
/*
 * HTTP requests on the loop, by libcurl's multi_socket_action. The only user
 * of curl.h. Proxies of the environment are ignored; only http and https.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "buf.h"
#include "loop.h"

struct fetch_hub;	/* the connections: kept alive and reused */
struct fetch;		/* one request on its way */

/*
 * NULL when out of memory. max_connections, 1 or more: how many are kept
 * open for the next request; requests on their way are not limited. Ignores
 * SIGPIPE from here on (a child would inherit that: signal(7)).
 */
struct fetch_hub *fetch_open(struct loop *, long max_connections);
/* Cancels what is left. Not from a callback of a fetch. */
void fetch_close(struct fetch_hub *);

enum fetch_end {
	FETCH_DONE,		/* a whole answer */
	FETCH_UNREACHABLE,	/* name, connection, TLS; no answer */
	FETCH_REFUSED,		/* `allow` said no to the address */
	FETCH_TIMEOUT,
	FETCH_BROKEN,		/* the answer stopped short or is no HTTP,
				 * too many redirects */
	FETCH_TOO_BIG,		/* more than max_body */
};

struct fetch_result {
	enum fetch_end end;
	int status;		/* of the last answer; 0 when none */
	const char *detail;	/* a sentence for people; "" when DONE */
	const char *url;	/* of the last answer: after redirects */
	const char *address;	/* the peer, "192.0.2.1"; "" when unknown */
	long long length;	/* of the body, as announced; -1: not */
	/* A header of the last answer, or NULL. Borrowed, inside callbacks. */
	const char *(*header)(const struct fetch *, const char *name);
	const struct fetch *fetch;
	const struct buf *body;	/* when no `data` callback was given */
};

struct fetch_request {
	const char *method;	/* NULL: GET, or POST with a body */
	const char *url;
	const char *const *headers;	/* "Name: value", ends with NULL; before
					 * what would be sent by default */
	const char *body;	/* copied */
	size_t body_len;
	const char *user_agent;
	const char *username, *password;	/* Basic; or NULL */
	const char *proxy;	/* http://, socks5:// or socks5h://; NULL */
	const char *ca_file, *cert_file, *key_file;	/* or NULL */
	int64_t timeout_ms;	/* 0: none. Of the whole exchange, or when
				 * streamed: until the head is there, and
				 * then between two pieces of the body */
	size_t max_body;	/* 0: none. More: FETCH_TOO_BIG */
	bool follow;		/* at most five redirects; to another origin
				 * without most headers (fetch_abroad.c) */
	/* Whether this address may be connected to; NULL: any. Asked for
	 * every connection, also those of redirects. */
	bool (*allow)(void *arg, const struct sockaddr *);
	/* Called once with the final head, before data. NULL: not. */
	void (*head)(void *arg, const struct fetch_result *);
	/* A piece of the body; false pauses (the piece is kept and comes
	 * again after fetch_resume). NULL: collected for done. */
	bool (*data)(void *arg, const void *, size_t);
	/* The end, always called once unless cancelled; fetch is freed after
	 * it. Never called inside fetch_start. */
	void (*done)(void *arg, const struct fetch_result *);
	void *arg;
};

/* Everything in request is copied. NULL when it cannot even begin (out of
 * memory); a malformed URL, header or proxy ends in done with
 * FETCH_UNREACHABLE. */
struct fetch *fetch_start(struct fetch_hub *, const struct fetch_request *);
/* Every header of the last answer, in order. Inside callbacks. */
void fetch_headers(const struct fetch *,
    void (*each)(void *arg, const char *name, const char *value), void *arg);
/* From the next turn of the loop on. Resuming what runs does nothing. */
void fetch_resume(struct fetch *);
/* No callback comes after it; frees. From any callback, also its own. */
void fetch_cancel(struct fetch *);

/*
 * Resolves reference against base (RFC 3986). Gives a string, NULL when
 * either is malformed. same_origin tells whether scheme, host and port stay.
 */
char *fetch_resolve(const char *base, const char *reference,
    bool *same_origin);

#endif
