/*
 * The parts of an operation on the page: parameters, body, answers, and the
 * fields of what is JSON. An example is shown on several lines; its bytes
 * are not otherwise changed.
 */
#include <stdbool.h>
#include <string.h>

#include "docs_page.h"
#include "openapi_yaml.h"

enum { DOCS_PART_EXAMPLE_MAX = 4096 };

static void
docs_part_char(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_str(b, "&amp;");
		break;
	case '<':
		buf_str(b, "&lt;");
		break;
	case '>':
		buf_str(b, "&gt;");
		break;
	case '"':
		buf_str(b, "&quot;");
		break;
	case '\'':
		buf_str(b, "&#39;");
		break;
	default:
		buf_char(b, c);
	}
}

void
docs_part_text(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++)
		docs_part_char(b, *text);
}

void
docs_part_words(struct buf *b, const char *text)
{
	bool code = false;

	for (; *text != '\0'; text++) {
		if (*text != '`') {
			docs_part_char(b, *text);
			continue;
		}
		if (!code && strchr(text + 1, '`') == NULL) {
			buf_char(b, '`');	/* nothing ends it */
			continue;
		}
		code = !code;
		buf_str(b, code ? "<code>" : "</code>");
	}
}

/* "a b c" as "a, b, c". */
static void
docs_part_list(struct buf *b, const char *words, const char *between)
{
	for (; *words != '\0'; words++)
		if (*words == ' ')
			buf_str(b, between);
		else
			docs_part_char(b, *words);
}

/* --- examples ----------------------------------------------------------- */

static void
docs_part_newline(struct buf *b, int depth)
{
	buf_char(b, '\n');
	for (int i = 0; i < depth; i++)
		buf_str(b, "  ");
}

/* A string with both quotes; behind it. */
static const char *
docs_part_string(struct buf *b, const char *p)
{
	docs_part_char(b, *p++);
	for (; *p != '\0' && *p != '"'; p++) {
		docs_part_char(b, *p);
		if (*p == '\\' && p[1] != '\0')
			docs_part_char(b, *++p);
	}
	if (*p != '\0')
		docs_part_char(b, *p++);
	return p;
}

/* JSON that is known to be such, with a member a line. */
static void
docs_part_json(struct buf *b, const char *p)
{
	int depth = 0;

	while (*p != '\0') {
		char c = *p;

		if (c == '"') {
			p = docs_part_string(b, p);
			continue;
		}
		p++;
		if (strchr(" \t\r\n", c) != NULL)
			continue;
		if ((c == '{' || c == '[') && (*p == '}' || *p == ']')) {
			docs_part_char(b, c);
			docs_part_char(b, *p++);
			continue;
		}
		if (c == '}' || c == ']')
			docs_part_newline(b, --depth);
		docs_part_char(b, c);
		if (c == '{' || c == '[')
			docs_part_newline(b, ++depth);
		else if (c == ',')
			docs_part_newline(b, depth);
		else if (c == ':')
			buf_char(b, ' ');
	}
}

static void
docs_part_example(struct buf *b, const char *type, const char *text)
{
	buf_str(b, "<pre><code>");
	if (openapi_is_json(type))
		docs_part_json(b, text);
	else
		docs_part_text(b, text);
	buf_str(b, "</code></pre>\n");
}

/* --- parameters --------------------------------------------------------- */

static void
docs_part_range(struct buf *b, long long min, long long max)
{
	if (max >= min && max < 1LL << 53 && max > 0)
		buf_printf(b, ", %lld to %lld", min, max);
	else if (min != 0)
		buf_printf(b, ", from %lld", min);
}

static void
docs_part_param_kind(struct buf *b, const struct route_param *p)
{
	switch (p->kind) {
	case ROUTE_WHOLE:
		buf_str(b, "whole number");
		docs_part_range(b, p->min, p->max);
		break;
	case ROUTE_UUID:
		buf_str(b, "UUID");
		break;
	case ROUTE_WORD:
		docs_part_list(b, p->choices, " or ");
		break;
	case ROUTE_TEXT:
		buf_str(b, "text");
		break;
	case ROUTE_FLAG:
		buf_str(b, "true or false");
		break;
	}
	if (p->fallback != NULL) {
		buf_str(b, "; else ");
		docs_part_text(b, p->fallback);
	}
}

static void
docs_part_param(struct buf *b, const struct route_param *p)
{
	static const char *const in[] = { [ROUTE_IN_PATH] = "path",
		[ROUTE_IN_QUERY] = "query", [ROUTE_IN_HEADER] = "header" };

	buf_str(b, "<tr><th scope=\"row\"><code>");
	docs_part_text(b, p->name);
	buf_printf(b, "</code></th><td>%s, ", in[p->in]);
	docs_part_param_kind(b, p);
	buf_str(b, "</td><td>");
	docs_part_words(b, p->doc != NULL ? p->doc : "");
	if (p->example != NULL) {
		buf_str(b, "<span class=\"like\">Example: <code>");
		docs_part_text(b, p->example);
		buf_str(b, "</code></span>");
	}
	buf_str(b, "</td></tr>\n");
}

void
docs_part_params(struct buf *b, const struct route *r)
{
	if (r->params == NULL || r->params->name == NULL)
		return;
	buf_str(b, "<h4>Parameters</h4>\n<table><tbody>\n");
	for (const struct route_param *p = r->params; p->name != NULL; p++)
		docs_part_param(b, p);
	buf_str(b, "</tbody></table>\n");
}

/* --- fields ------------------------------------------------------------- */

static void
docs_part_field_kind(struct buf *b, const struct field *f)
{
	static const char *const kinds[] = {
		[FIELD_TEXT] = "text", [FIELD_WHOLE] = "whole number",
		[FIELD_BOOL] = "true or false", [FIELD_TIME] = "time",
		[FIELD_REAL] = "number", [FIELD_RAW] = "any value",
		[FIELD_OBJECT] = "object", [FIELD_ITEMS] = "list",
	};

	if (f->choices != NULL)
		docs_part_list(b, f->choices, " or ");
	else
		buf_str(b, f->format != NULL && f->kind == FIELD_TEXT ?
		    f->format : kinds[f->kind]);
	if (f->kind == FIELD_WHOLE)
		docs_part_range(b, f->min, f->max);
	else if (f->kind == FIELD_TEXT && f->max > 0 && f->choices == NULL)
		buf_printf(b, ", %lld bytes at most", f->max);
	if (f->need != FIELD_REQUIRED)
		buf_str(b, "; optional");
}

/* Members within stand below their object, after its name and a dot. */
static void
docs_part_fields(struct buf *b, const struct field *fields,
    const char *above, const char *dot)
{
	struct buf name = BUF_INIT(DOCS_PART_EXAMPLE_MAX);

	for (const struct field *f = fields; f->name != NULL; f++) {
		buf_reset(&name);
		buf_printf(&name, "%s%s%s", above, dot, f->name);
		buf_str(b, "<tr><th scope=\"row\"><code>");
		docs_part_text(b, buf_text(&name));
		buf_str(b, "</code></th><td>");
		docs_part_field_kind(b, f);
		buf_str(b, "</td><td>");
		docs_part_words(b, f->doc != NULL ? f->doc : "");
		buf_str(b, "</td></tr>\n");
		if (f->fields != NULL && !name.failed)
			docs_part_fields(b, f->fields, buf_text(&name),
			    f->kind == FIELD_ITEMS ? "[]." : ".");
	}
	buf_free(&name);
}

static void
docs_part_table(struct buf *b, const struct field *fields)
{
	if (fields == NULL || fields->name == NULL)
		return;
	buf_str(b, "<table><tbody>\n");
	docs_part_fields(b, fields, "", "");
	buf_str(b, "</tbody></table>\n");
}

/* --- body and answers --------------------------------------------------- */

void
docs_part_body(struct buf *b, const struct route_body *body)
{
	if (body == NULL)
		return;
	buf_str(b, "<h4>Body</h4>\n<p>");
	if (body->doc != NULL)
		docs_part_words(b, body->doc);
	buf_printf(b, ". <span class=\"soft\">JSON, %zu bytes at most%s."
	    "</span></p>\n", body->max,
	    body->optional ? "; may be missing" : "");
	docs_part_table(b, body->fields);
	for (const struct route_example *e = body->examples;
	    e != NULL && e->name != NULL; e++) {
		buf_str(b, "<p class=\"soft\">Example: ");
		docs_part_text(b, e->name);
		buf_str(b, "</p>\n");
		docs_part_example(b, "application/json", e->text);
	}
}

static void
docs_part_answer_head(struct buf *b, int status, const char *doc)
{
	buf_printf(b, "<details%s><summary>", status < 300 ? " open" : "");
	if (status == ROUTE_ANY)
		buf_str(b, "<b>other</b> ");
	else
		buf_printf(b, "<b class=\"%s\">%d</b> ",
		    status < 400 ? "ok" : "no", status);
	docs_part_words(b, doc);
	buf_str(b, "</summary>\n");
}

static void
docs_part_answer(struct buf *b, const struct route_answer *a)
{
	const char *doc = a->doc != NULL ? a->doc : route_title(a->status);
	struct buf problem = BUF_INIT(DOCS_PART_EXAMPLE_MAX);
	const char *type = a->type, *example = a->example;

	if (type == NULL && a->status >= 400)
		type = "application/problem+json";
	if (type != NULL && example == NULL &&
	    strcmp(type, "application/problem+json") == 0) {
		openapi_problem(&problem, a->status, doc);
		example = buf_text(&problem);
	}
	docs_part_answer_head(b, a->status, doc);
	if (type != NULL || a->headers != NULL)
		buf_str(b, "<p class=\"soft\">");
	if (type != NULL)
		docs_part_text(b, type);
	if (a->list)
		buf_str(b, ", a list of objects");
	if (a->headers != NULL) {
		buf_str(b, type != NULL ? ", with " : "With ");
		docs_part_list(b, a->headers, ", ");
	}
	buf_str(b, type != NULL || a->headers != NULL ? "</p>\n" : "");
	docs_part_table(b, a->fields);
	if (type != NULL && example != NULL)
		docs_part_example(b, type, example);
	buf_str(b, "</details>\n");
	buf_free(&problem);
}

void
docs_part_answers(struct buf *b, const struct route *r)
{
	const char *comma = "<p class=\"also\">Also ";
	bool any = false;

	buf_str(b, "<h4>Answers</h4>\n");
	for (const struct route_answer *a = r->answers;
	    a != NULL && a->status != 0; a++)
		docs_part_answer(b, a);
	for (const struct openapi_refusal *f = openapi_refusals;
	    f->status != 0; f++)
		if (openapi_implied(r, f->status)) {
			buf_printf(b, "%s<a href=\"#%s\">%d</a>", comma,
			    f->name, f->status);
			comma = ", ";
			any = true;
		}
	buf_str(b, any ? "</p>\n" : "");
}

void
docs_part_refusals(struct buf *b)
{
	struct buf example = BUF_INIT(DOCS_PART_EXAMPLE_MAX);

	buf_str(b, "<section id=\"refusals\">\n<h2>Refusals</h2>\n<p>They "
	    "are <code>application/problem+json</code> (RFC 9457). A refused "
	    "body also has <code>errors</code>, a list of <code>field</code> "
	    "and <code>message</code>.</p>\n");
	for (const struct openapi_refusal *f = openapi_refusals;
	    f->status != 0; f++) {
		buf_reset(&example);
		openapi_problem(&example, f->status, f->example);
		buf_printf(b, "<article id=\"%s\">\n<h3><b class=\"no\">%d"
		    "</b> %s</h3>\n<p>", f->name, f->status,
		    route_title(f->status));
		docs_part_words(b, f->doc);
		if (f->header != NULL)
			buf_printf(b, ". <span class=\"soft\">With %s.</span>",
			    f->header);
		buf_str(b, "</p>\n");
		docs_part_example(b, "application/json", buf_text(&example));
		buf_str(b, "</article>\n");
	}
	buf_str(b, "</section>\n");
	buf_free(&example);
}
