#ifndef GATEWAY_H
#define GATEWAY_H
/*
 * One request in, one reply out: over FastCGI (libfcgi) or plain CGI (RFC
 * 3875). The same binary does both.
 */
#include <stdbool.h>
#include <stddef.h>

#include "auth.h"
#include "controller.h"
#include "route.h"

enum {
	GATEWAY_FIELDS_MAX = 200,	/* header fields of one request */
	GATEWAY_REPLY_MAX = 8 << 20,	/* bytes of a body sent */
};

/* Where a request's body comes from and its reply goes. */
struct gateway_stream {
	/* Up to n bytes; 0 at the end, -1 when it broke off. */
	long (*read)(void *arg, char *into, size_t n);
	bool (*write)(void *arg, const char *from, size_t n);
	void *arg;
};

/* One request, from its CGI variables. */
struct gateway_request {
	struct route_request route;	/* first: a handler's req is this */
	char *const *variables;		/* "NAME=value", ends with NULL */
	const char *fields[GATEWAY_FIELDS_MAX];	/* HTTP_…=…, sorted */
	size_t count;
	bool folded;			/* two fields of one name, or too
					 * many to look at */
	struct auth_caller caller;
	struct buf prefix, path, body;
};

/* --- gateway_variable.c --- */

/* Indexes the header fields. */
void gateway_variables(struct gateway_request *, char *const *variables);
/* A variable that is no header field, or NULL. */
const char *gateway_variable(const struct gateway_request *, const char *);
/* route_request's header: "If-None-Match" is HTTP_IF_NONE_MATCH. */
const char *gateway_header(const struct route_request *, const char *name);
/* Loads the settings again when those among the variables are others than
 * before. False: they are wrong. */
bool gateway_settings(const struct gateway_request *, struct controller *);
/* Whether the settings among the variables are those that are loaded. */
bool gateway_settled(char *const *variables, const struct controller *);
/* A copy of what answering again wants of the variables, one block; NULL:
 * out of memory. Free with gateway_forget. */
char **gateway_keep(char *const *variables);
void gateway_forget(char **kept);

/* --- gateway_mount.c --- */

/* Where the mount ends and the path begins: sets prefix and path of the
 * route_request. False: out of memory. */
bool gateway_mount(struct gateway_request *, const struct controller *);

/* --- gateway.c --- */

/* The tables of all responders. */
void gateway_table(struct route_table *, struct controller *);
/* Answers one request; or, with c->hold.seconds set, it is to be answered
 * again later, and nothing was written. */
void gateway_answer(const struct route_table *, char *const *variables,
    const struct gateway_stream *);

/* --- gateway_cgi.c, gateway_fcgi.c, gateway_watch.c --- */

/* Whether standard input is a FastCGI socket. */
bool gateway_is_fcgi(void);
/* Answers requests until SIGTERM; an exit status. */
int gateway_fcgi(struct controller *);
/* The same in a process that holds polls (watch.fcgi). */
int gateway_watch(struct controller *);
/* Answers the one request of the environment; an exit status. */
int gateway_cgi(struct controller *);

/* --- gateway_record.c --- */

/* A reply as FastCGI records. */
struct gateway_record {
	unsigned id;		/* of the request, 1 to 65535 */
	struct buf out;		/* the caller's to make and to free */
};
/* A gateway_stream's write; arg: the record. */
bool gateway_record_write(void *record, const char *from, size_t n);
/* Ends the reply and sends it, blocking. */
bool gateway_record_end(struct gateway_record *, int fd);

/* --- gateway_fcgi.c, for gateway_watch.c --- */

/* A gateway_stream's; arg: the FCGX_Request. */
long gateway_fcgi_read(void *arg, char *into, size_t n);
bool gateway_fcgi_write(void *arg, const char *from, size_t n);
/* The end of an FCGX_Request that was answered. */
void gateway_fcgi_finish(void *request);
/* Signals that end it are blocked, and lighttpd's end is one of them. The
 * store is opened. */
void gateway_fcgi_start(struct controller *);
/* Nobody who accepts waits for a connection that is gone again. False: errno
 * says why not. */
bool gateway_fcgi_nonblocking(void);
/* Those signals; ends with 0. */
extern const int gateway_fcgi_ends[];

#endif
