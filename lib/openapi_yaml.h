#ifndef OPENAPI_YAML_H
#define OPENAPI_YAML_H
/*
 * The parts of an OpenAPI document, and the YAML they are made of. For
 * openapi*.c. depth: levels of two spaces.
 */
#include "buf.h"
#include "route.h"

/* A line of its own: text of ours, without anything to escape. */
void openapi_line(struct buf *, int depth, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* key: any text, in the simplest style that can hold it. */
void openapi_text(struct buf *, int depth, const char *key,
    const char *text);
/* key: a value of JSON, on one line. */
void openapi_json(struct buf *, int depth, const char *key,
    const char *json);
/* The media type as a key. */
void openapi_type(struct buf *, int depth, const char *type);

/* Whether a media type's examples are JSON. */
bool openapi_is_json(const char *type);

/* The bits of `who` whose credentials an operation takes. */
void openapi_security(struct buf *, int depth, unsigned who);
/* parameters, requestBody and responses of a row. */
void openapi_parameters(struct buf *, int depth, const struct route *);
void openapi_body(struct buf *, int depth, const struct route_body *);
void openapi_responses(struct buf *, int depth, const struct route *);

/* The statuses that rows imply: name in components, and the rest. */
struct openapi_refusal {
	int status;		/* 0 ends the table */
	const char *name, *doc;
	const char *header;	/* or NULL */
	const char *example;	/* detail */
};
extern const struct openapi_refusal openapi_refusals[];
/* The row implies it, and declares nothing of its own for it. */
bool openapi_implied(const struct route *, int status);

/* {"type":"about:blank",…} for an example. */
void openapi_problem(struct buf *, int status, const char *detail);

#endif
