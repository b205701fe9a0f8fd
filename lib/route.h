#ifndef ROUTE_H
#define ROUTE_H
/*
 * Tables of routes. One row says everything a stranger may ask: method,
 * path, who may call, parameters, body, answers with an example of each, and
 * the handler. The row dispatches, refuses before the handler, and is
 * printed as OpenAPI (openapi.h).
 *
 * The order of refusal: 404, 405 with Allow, 400 (path, query), then
 * the program's `authorize` (429, 401, 403), 413; the handler refuses the
 * rest: 400 for the body, 412. A build with ROUTE_CHECK defined aborts when
 * a status is sent that the row does not declare or imply.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "json.h"

enum {
	ROUTE_ID_SIZE = 65,	/* a request id, and the NUL */
	ROUTE_PARAMS_MAX = 8,	/* parameters of one row */
	ROUTE_PATH_MAX = 1024,	/* bytes of a path */
	ROUTE_QUERY_MAX = 4096,	/* bytes of a query */
};

/* Who may call; 0: anyone. Bits, for a row may name several. */
enum {
	ROUTE_AGENT = 1,	/* the fleet's credential, or a token */
	ROUTE_ADMIN = 2,
	ROUTE_TOKEN = 4,	/* the token of the agent in the path */
	ROUTE_KEY = 8,		/* the worker's key */
};

enum route_in { ROUTE_IN_PATH, ROUTE_IN_QUERY, ROUTE_IN_HEADER };

enum route_kind {
	ROUTE_WHOLE,	/* min..max, decimal digits only */
	ROUTE_UUID,
	ROUTE_WORD,	/* one of `choices` */
	ROUTE_TEXT,	/* 1..max bytes of UTF-8 without control characters */
	ROUTE_FLAG,	/* true or false */
};

/*
 * A path parameter that does not fit its kind is another path: 404. A query
 * parameter that does not fit, is unknown or repeated: 400. A header is
 * documented here and read by the handler. A UUID is handed on in lower
 * case.
 */
struct route_param {
	const char *name;	/* NULL ends the table */
	enum route_in in;
	enum route_kind kind;
	long long min, max;
	const char *choices;	/* by spaces */
	const char *fallback;	/* as it would be written; or NULL */
	const char *example;
	const char *doc;
};

/* A body or an answer that is JSON has fields, for the schema; another has
 * a type and no fields. */
struct route_example {
	const char *name;	/* "bare", "envelope"; NULL ends the table */
	const char *text;	/* JSON, or plain text of the type */
};

struct route_body {
	const char *doc;
	bool optional;		/* may be missing */
	size_t max;		/* bytes; more: 413 */
	const struct field *fields;	/* NULL: any JSON object */
	const struct route_example *examples;
};

enum { ROUTE_ANY = -1 };	/* a status: whatever else is sent */

struct route_answer {
	int status;		/* 0 ends the table */
	const char *doc;
	const char *type;	/* NULL: no body, or from 400 on a problem */
	const struct field *fields;	/* of JSON; may be NULL */
	bool list;		/* an array of fields */
	const char *headers;	/* names by spaces, for the document */
	const char *example;	/* JSON, or plain text; NULL: none, or a
				 * problem with doc as its detail */
};

struct route_request;
struct route_reply;

struct route {
	const char *method;	/* GET also answers HEAD */
	const char *path;	/* "/config/{version}" */
	const char *id;		/* operationId, "readVersion" */
	const char *tag;
	const char *summary;
	unsigned who;
	const struct route_param *params;	/* or NULL */
	const struct route_body *body;		/* or NULL: none is read */
	/* Implied, not listed: 400; 404 with a parameter in the path;
	 * 401/403 with `who`, and where that is AGENT, ADMIN or TOKEN also
	 * 429 and 503 (no credential is set); 413 with a body. */
	const struct route_answer *answers;
	void (*handle)(struct route_request *, struct route_reply *);
};

/* What stands behind a program's rows. */
struct route_table {
	const struct route *const *groups;	/* each ends with path NULL;
						 * the list ends with NULL */
	/* 429, 401, 403: fills the reply and returns false. May be NULL. */
	bool (*authorize)(struct route_request *, struct route_reply *);
	void *context;		/* the program's own, for handlers */
};

struct route_request {
	const struct route_table *table;
	const char *method;
	const char *path;	/* as sent, from after the prefix; "/config" */
	const char *query;	/* as sent, without "?"; "" when none */
	const char *prefix;	/* what came before the path: "", "/api/v1",
				 * "/mount/api/v1"; for Location */
	const char *remote;	/* the peer's numeric address, or "" */
	const char *body;	/* NUL-terminated; "" when none */
	size_t body_len;
	long long content_length;	/* as announced; -1 unknown */
	/* By name, in any case; NULL when it was not sent. Borrowed. */
	const char *(*header)(const struct route_request *, const char *);
	const struct route *route;	/* by route_admit */
	char *values[ROUTE_PARAMS_MAX];	/* in the order of params; decoded,
					 * owned; NULL when not given */
	char id[ROUTE_ID_SIZE];	/* X-Request-ID, echoed or made */
	unsigned who;		/* by authorize: the role it found */
	void *owner;		/* by authorize: the program's own */
};

struct route_reply {
	int status;
	const char *type;	/* of the body; NULL: none */
	struct buf headers;	/* "Name: value\r\n" each */
	struct buf body;
	bool later;		/* the handler answers on its own (httpd) */
	bool close;		/* the connection cannot be used again */
	struct buf errors;	/* route_problem_field's rows */
};

void route_reply_init(struct route_reply *, size_t body_max);
void route_reply_free(struct route_reply *);

/* Sets id from the X-Request-ID header when that is 1–64 printable ASCII
 * characters without spaces, else makes one. */
void route_request_id(struct route_request *);
/* Likewise; sent may be NULL. */
void route_id(char out[ROUTE_ID_SIZE], const char *sent);

/*
 * Finds the row and checks everything that can be checked without the body.
 * True: req->route and values are set; read the body (route->body->max bytes
 * at most, when there is one), then route_run. False: reply is the refusal.
 * HEAD is admitted where GET is; OPTIONS of a known path is a "refusal" with
 * 204 and Allow. route_request_free in any case.
 */
bool route_admit(struct route_request *, struct route_reply *);

/* Calls the handler, then, unless it answers later, route_seal. */
void route_run(struct route_request *, struct route_reply *);
/* A reply that did not fit or has no status becomes a 500; then
 * route_check. */
void route_seal(struct route_request *, struct route_reply *);
void route_request_free(struct route_request *);

/* A parameter's value: as text, or its fallback, or NULL. */
const char *route_value(const struct route_request *, const char *name);
/* As a number; `otherwise` when it has neither value nor fallback. */
long long route_number(const struct route_request *, const char *name,
    long long otherwise);
bool route_flag(const struct route_request *, const char *name);

/* A header of the reply. The value's control characters become spaces. */
void route_header(struct route_reply *, const char *name, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* A JSON answer written by fields; status as given. */
void route_json(struct route_reply *, int status, const struct field *,
    const void *from);

/*
 * problem+json (RFC 9457): type about:blank, title by status, detail,
 * request_id, and the rows of route_problem_field called before it.
 */
void route_problem(const struct route_request *, struct route_reply *,
    int status, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* One row of `errors`; fits field_refusal with the reply as arg. */
void route_problem_field(void *reply, const char *field,
    const char *message);

/* "Not Found" for 404; "Unknown" for a status without a name. */
const char *route_title(int status);

/* Whether the row implies the status, or declares or implies it. */
bool route_implies(const struct route *, int status);
bool route_may_send(const struct route *, int status);
/* With ROUTE_CHECK: aborts when it may not (500 may always happen). For
 * answers that no route_reply holds; route may be NULL. */
void route_check(const struct route *, int status);

#endif
