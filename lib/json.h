#ifndef JSON_H
#define JSON_H
/*
 * JSON as RFC 8259 has it, and no other: a strict scanner goes first (valid
 * UTF-8, no duplicate names, no leading zeros, no raw control characters,
 * one top-level value, a bounded depth), cJSON only sees what has passed.
 * The only user of cJSON.
 *
 * Documents stay bytes: json_span finds the bytes of a member, so that what
 * was accepted can be stored and sent back untouched.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum { JSON_DEPTH_MAX = 32 };	/* levels of [ and { */

enum json_kind {
	JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
	JSON_OBJECT, JSON_NONE	/* no such member */
};

/* What the scanner refused, and where. */
struct json_error {
	size_t offset;		/* of the byte, from 0 */
	char message[128];	/* "duplicate name \"url\"", … */
};

/* Whether text is one strict JSON value. error may be NULL. */
bool json_check(const char *text, size_t len, struct json_error *error);
/* The same with one level more, for an object around a document that may
 * have all of JSON_DEPTH_MAX itself: an envelope, the answer of GET /config. */
bool json_check_around(const char *text, size_t len,
    struct json_error *error);

/* The bytes of a value inside a larger text; borrowed. */
struct json_span {
	const char *text;
	size_t len;
};

/*
 * The bytes of a top-level member of an object that json_check has passed;
 * names are compared after unescaping. The kind, or JSON_NONE.
 */
enum json_kind json_span(const char *text, size_t len, const char *name,
    struct json_span *out);

/* A parsed value. json_parse gives the root (json_free); the rest borrow. */
struct json;

/* NULL: error says why (also for U+0000 inside a string, which C strings
 * cannot hold, and for want of memory). */
struct json *json_parse(const char *text, size_t len,
    struct json_error *error);
void json_free(struct json *);		/* a root, or NULL */

enum json_kind json_kind(const struct json *);	/* NULL: JSON_NONE */
const struct json *json_get(const struct json *object, const char *name);
const char *json_text(const struct json *);	/* NULL unless a string */
bool json_true(const struct json *);		/* false unless true */
const char *json_number(const struct json *);	/* its digits as they came,
						 * NULL unless a number */
/* A whole number within ±2^53, judged by its digits: 1.0 and 1e2 are whole,
 * 1.5, 9007199254740993 and 1e400 are not. */
bool json_whole(const struct json *, long long *out);
/* Members of an object and items of an array, in order; an item's name is
 * NULL in an array. NULL ends. */
const struct json *json_first(const struct json *);
const struct json *json_next(const struct json *);
const char *json_name(const struct json *);

/* Writing. Text that is not UTF-8 is mended with U+FFFD. */
void json_put_text(struct buf *, const char *);	/* NULL writes null */
void json_put_text_n(struct buf *, const char *, size_t);
/* A value again, without spaces; numbers keep their digits, strings lose
 * escapes they do not need. NULL writes null. */
void json_put(struct buf *, const struct json *);

/*
 * What turns one value into another, as a JSON Patch (RFC 6902): an array of
 * add, remove and replace, in an order in which they can be applied. Numbers
 * are compared as written, so 1 and 1.0 differ, and so do two that a double
 * could not tell apart. Fails only as a buf does.
 */
void json_diff(struct buf *, const struct json *from, const struct json *to);

/*
 * Bodies, described once. A table of fields reads an object into a struct,
 * writes it, and prints its schema.
 */
enum field_kind {
	FIELD_TEXT,	/* char *, owned by the struct; min..max bytes */
	FIELD_WHOLE,	/* long long, min..max */
	FIELD_BOOL,	/* bool */
	FIELD_TIME,	/* long long, ms since 1970; RFC 3339 UTC in JSON,
			 * 0 is null; written only */
	FIELD_REAL,	/* double, finite; negative is null; written only */
	FIELD_RAW,	/* char *, owned: JSON text of any kind named by
			 * `choices` ("string object"; NULL: any); max
			 * bytes, 0: no bound */
	FIELD_OBJECT,	/* a struct within: `fields`; written only, always
			 * there */
	FIELD_ITEMS,	/* documents an array of `fields`; neither read nor
			 * written: the handler does that */
};

enum field_need {
	FIELD_OPTIONAL,	/* may be missing, and a member null (of the kinds
			 * TEXT, RAW, WHOLE), which reads as missing; NULL, 0
			 * and false are written too (NULL as null), so
			 * shapes stay the same */
	FIELD_REQUIRED,
	FIELD_OMIT,	/* left out when NULL, 0 or false */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	enum field_need need;
	long long min, max;	/* 0, 0: no bound; max below min: no upper
				 * bound */
	const char *choices;	/* FIELD_TEXT: allowed words by spaces */
	const char *format;	/* OpenAPI format, "uuid", "uri"; or NULL */
	const struct field *fields;	/* FIELD_OBJECT, FIELD_ITEMS */
	const char *doc;
};
/* A table ends with a row whose name is NULL. */

/* Called for each member that is wrong: name, and what is expected ("must
 * be a whole number from 1 to 300"). At most FIELD_REFUSALS times a body. */
enum { FIELD_REFUSALS = 20 };
typedef void field_refusal(void *arg, const char *name, const char *message);

/*
 * Reads object (anything else is refused) into `into`, which was zeroed.
 * present, when not NULL, gets bit i set for field i if it was there. Members
 * that no row names are ignored unless strict, then refused. False: at least
 * one refusal was called. fields_free in any case.
 */
bool fields_read(const struct field *, const struct json *object, void *into,
    unsigned long *present, bool strict, field_refusal *refuse, void *arg);
void fields_write(const struct field *, const void *from, struct buf *);
void fields_free(const struct field *, void *of);

/* The schema as one line of JSON (OpenAPI 3.0 subset), for openapi. */
void fields_schema(const struct field *, struct buf *);

#endif
