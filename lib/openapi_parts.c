/*
 * The parts of an operation: who may call it, its parameters, its body, its
 * answers, and those that every such operation has.
 */
#include <stdio.h>
#include <string.h>

#include "openapi_yaml.h"

enum { OPENAPI_SCHEMA_MAX = 65536 };

static const char openapi_problem_ref[] =
    "{\"$ref\":\"#/components/schemas/Problem\"}";

void
openapi_problem(struct buf *b, int status, const char *detail)
{
	buf_printf(b, "{\"type\":\"about:blank\",\"title\":\"%s\","
	    "\"status\":%d,\"detail\":", route_title(status), status);
	json_put_text(b, detail);
	buf_str(b, ",\"request_id\":"
	    "\"7d0e1f3a-58c2-4b6d-9a41-2f6c0b9e8d57\"}");
}

void
openapi_security(struct buf *b, int depth, unsigned who)
{
	if (who == 0) {
		openapi_line(b, depth, "security: []");
		return;
	}
	openapi_line(b, depth, "security:");
	if (who & (ROUTE_AGENT | ROUTE_ADMIN))
		openapi_line(b, depth + 1, "- basicAuth: []");
	if (who & (ROUTE_AGENT | ROUTE_ADMIN | ROUTE_KEY))
		openapi_line(b, depth + 1, "- apiKey: []");
	if (who & (ROUTE_AGENT | ROUTE_TOKEN))
		openapi_line(b, depth + 1, "- bearer: []");
	openapi_line(b, depth, "x-roles:");
	if (who & ROUTE_ADMIN)
		openapi_line(b, depth + 1, "- admin");
	if (who & ROUTE_AGENT)
		openapi_line(b, depth + 1, "- agent");
	if (who & ROUTE_TOKEN)
		openapi_line(b, depth + 1, "- token");
	if (who & ROUTE_KEY)
		openapi_line(b, depth + 1, "- key");
}

/* --- parameters --------------------------------------------------------- */

static void
openapi_words(struct buf *b, const char *words)
{
	size_t n;

	for (const char *comma = ""; *words != '\0'; comma = ",") {
		n = strcspn(words, " ");
		buf_str(b, comma);
		json_put_text_n(b, words, n);
		words += n + strspn(words + n, " ");
	}
}

static void
openapi_param_schema(struct buf *b, const struct route_param *p)
{
	switch (p->kind) {
	case ROUTE_WHOLE:
		buf_printf(b, "\"type\":\"integer\",\"minimum\":%lld",
		    p->min);
		if (p->max < 1LL << 53)	/* where readers lose digits */
			buf_printf(b, ",\"maximum\":%lld", p->max);
		break;
	case ROUTE_UUID:
		buf_str(b, "\"type\":\"string\",\"format\":\"uuid\"");
		break;
	case ROUTE_WORD:
		buf_str(b, "\"type\":\"string\",\"enum\":[");
		openapi_words(b, p->choices);
		buf_char(b, ']');
		break;
	case ROUTE_TEXT:
		buf_str(b, "\"type\":\"string\",\"minLength\":1");
		if (p->max > 0)
			buf_printf(b, ",\"maxLength\":%lld", p->max);
		break;
	case ROUTE_FLAG:
		buf_str(b, "\"type\":\"boolean\"");
		break;
	}
}

/* A value as the parameter's type has it in JSON. */
static void
openapi_param_value(struct buf *b, const struct route_param *p,
    const char *value)
{
	if (p->kind == ROUTE_WHOLE || p->kind == ROUTE_FLAG)
		buf_str(b, value);
	else
		json_put_text(b, value);
}

static void
openapi_parameter(struct buf *b, int depth, const struct route_param *p)
{
	static const char *const in[] = { [ROUTE_IN_PATH] = "path",
		[ROUTE_IN_QUERY] = "query", [ROUTE_IN_HEADER] = "header" };
	struct buf json = BUF_INIT(OPENAPI_SCHEMA_MAX);

	openapi_line(b, depth, "- name: %s", p->name);
	openapi_line(b, depth + 1, "in: %s", in[p->in]);
	openapi_line(b, depth + 1, "required: %s",
	    p->in == ROUTE_IN_PATH ? "true" : "false");
	if (p->doc != NULL)
		openapi_text(b, depth + 1, "description", p->doc);
	buf_char(&json, '{');
	openapi_param_schema(&json, p);
	if (p->fallback != NULL) {
		buf_str(&json, ",\"default\":");
		openapi_param_value(&json, p, p->fallback);
	}
	buf_char(&json, '}');
	openapi_json(b, depth + 1, "schema", buf_text(&json));
	if (p->example != NULL) {
		buf_reset(&json);
		openapi_param_value(&json, p, p->example);
		openapi_json(b, depth + 1, "example", buf_text(&json));
	}
	buf_free(&json);
}

void
openapi_parameters(struct buf *b, int depth, const struct route *r)
{
	const struct route_param *p = r->params;

	if (p == NULL || p->name == NULL)
		return;
	openapi_line(b, depth, "parameters:");
	for (; p->name != NULL; p++)
		openapi_parameter(b, depth + 1, p);
}

/* --- bodies ------------------------------------------------------------- */

static void
openapi_schema(struct buf *b, int depth, const char *type,
    const struct field *fields, bool list)
{
	struct buf json = BUF_INIT(OPENAPI_SCHEMA_MAX);

	if (strcmp(type, "application/problem+json") == 0) {
		buf_str(&json, openapi_problem_ref);
	} else if (openapi_is_json(type)) {
		if (list)
			buf_str(&json, "{\"type\":\"array\",\"items\":");
		if (fields != NULL)
			fields_schema(fields, &json);
		else
			buf_str(&json, "{\"type\":\"object\"}");
		if (list)
			buf_char(&json, '}');
	} else {
		buf_str(&json, "{\"type\":\"string\"}");
	}
	openapi_json(b, depth, "schema", buf_text(&json));
	buf_free(&json);
}

void
openapi_body(struct buf *b, int depth, const struct route_body *body)
{
	const struct route_example *e;

	if (body == NULL)
		return;
	openapi_line(b, depth, "requestBody:");
	if (body->doc != NULL)
		openapi_text(b, depth + 1, "description", body->doc);
	openapi_line(b, depth + 1, "required: %s",
	    body->optional ? "false" : "true");
	openapi_line(b, depth + 1, "content:");
	openapi_line(b, depth + 2, "application/json:");
	openapi_schema(b, depth + 3, "application/json", body->fields, false);
	if (body->examples == NULL || body->examples->name == NULL)
		return;
	openapi_line(b, depth + 3, "examples:");
	for (e = body->examples; e->name != NULL; e++) {
		openapi_line(b, depth + 4, "%s:", e->name);
		openapi_json(b, depth + 5, "value", e->text);
	}
}

/* --- answers ------------------------------------------------------------ */

static void
openapi_headers(struct buf *b, int depth, const char *names)
{
	size_t n;

	if (names == NULL || *names == '\0')
		return;
	openapi_line(b, depth, "headers:");
	for (; *names != '\0'; names += n + strspn(names + n, " ")) {
		n = strcspn(names, " ");
		openapi_line(b, depth + 1, "%.*s:", (int)n, names);
		openapi_line(b, depth + 2, "schema: {\"type\":\"string\"}");
	}
}

static void
openapi_content(struct buf *b, int depth, const struct route_answer *a)
{
	const char *type = a->type;
	struct buf problem = BUF_INIT(OPENAPI_SCHEMA_MAX);
	const char *example = a->example;

	/* refusals have a body, said or not */
	if (type == NULL && a->status >= 400)
		type = "application/problem+json";
	if (type == NULL)
		return;
	if (example == NULL &&
	    strcmp(type, "application/problem+json") == 0) {
		openapi_problem(&problem, a->status, a->doc);
		example = buf_text(&problem);
	}
	openapi_line(b, depth, "content:");
	openapi_type(b, depth + 1, type);
	openapi_schema(b, depth + 2, type, a->fields, a->list);
	if (example != NULL && openapi_is_json(type))
		openapi_json(b, depth + 2, "example", example);
	else if (example != NULL)
		openapi_text(b, depth + 2, "example", example);
	buf_free(&problem);
}

bool
openapi_implied(const struct route *r, int status)
{
	for (const struct route_answer *a = r->answers;
	    a != NULL && a->status != 0; a++)
		if (a->status == status)
			return false;
	return route_implies(r, status);
}

/* The declared ones with a status from..below, as they stand. */
static void
openapi_declared(struct buf *b, int depth, const struct route *r, int status)
{
	for (const struct route_answer *a = r->answers;
	    a != NULL && a->status != 0; a++) {
		if (a->status != status)
			continue;
		if (status == ROUTE_ANY)
			openapi_line(b, depth, "default:");
		else
			openapi_line(b, depth, "\"%d\":", status);
		openapi_text(b, depth + 1, "description",
		    a->doc != NULL ? a->doc : route_title(status));
		openapi_headers(b, depth + 1, a->headers);
		openapi_content(b, depth + 1, a);
	}
}

void
openapi_responses(struct buf *b, int depth, const struct route *r)
{
	const struct openapi_refusal *f;

	openapi_line(b, depth, "responses:");
	for (int status = 100; status < 600; status++) {
		openapi_declared(b, depth + 1, r, status);
		for (f = openapi_refusals; f->status != 0; f++) {
			if (f->status != status || !openapi_implied(r, status))
				continue;
			openapi_line(b, depth + 1, "\"%d\":", status);
			openapi_line(b, depth + 2,
			    "$ref: \"#/components/responses/%s\"", f->name);
		}
	}
	openapi_declared(b, depth + 1, r, ROUTE_ANY);
}
