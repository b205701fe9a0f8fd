/*
 * The page of GET /docs, printed from the route tables as swagger.yaml is:
 * it needs no script, no file beside it and no other host, so it is there
 * wherever the program runs. Whatever a table says is text here; none of it
 * can become markup.
 */
#include "docs_page.h"

#include <string.h>

#include "openapi_yaml.h"

/* A method as the name of its class. */
static void
docs_page_method(struct buf *b, const char *method)
{
	buf_str(b, "<span class=\"method ");
	for (const char *p = method; *p != '\0'; p++)
		buf_char(b, (char)(*p | 0x20));
	buf_printf(b, "\">%s</span>", method);
}

static void
docs_page_who(struct buf *b, unsigned who)
{
	static const struct {
		unsigned bit;
		const char *words;
	} roles[] = {
		{ ROUTE_ADMIN, "administrators" },
		{ ROUTE_AGENT, "agents" },
		{ ROUTE_TOKEN, "this agent, with its token" },
		{ ROUTE_KEY, "holders of the key" },
	};
	const char *comma = "";

	buf_str(b, "<p class=\"who\">For ");
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (who & roles[i].bit) {
			buf_printf(b, "%s%s", comma, roles[i].words);
			comma = " and ";
		}
	buf_str(b, who == 0 ? "anyone</p>\n" : "</p>\n");
}

/* Calls each for the rows of a tag, in the order of the tables. */
static void
docs_page_rows(struct buf *b, const struct openapi *o, const char *tag,
    void (*each)(struct buf *, const struct route *))
{
	const struct route *const *group;

	for (group = o->table->groups; *group != NULL; group++)
		for (const struct route *r = *group; r->path != NULL; r++)
			if (r->tag != NULL && strcmp(r->tag, tag) == 0)
				each(b, r);
}

static void
docs_page_link(struct buf *b, const struct route *r)
{
	buf_printf(b, "<li><a href=\"#%s\">", r->id);
	docs_page_method(b, r->method);
	buf_str(b, "<span class=\"path\">");
	docs_part_text(b, r->path);
	buf_str(b, "</span></a></li>\n");
}

static void
docs_page_operation(struct buf *b, const struct route *r)
{
	buf_printf(b, "<article id=\"%s\">\n<h3><a href=\"#%s\">", r->id,
	    r->id);
	docs_page_method(b, r->method);
	buf_str(b, " <span class=\"path\">");
	docs_part_text(b, r->path);
	buf_str(b, "</span></a></h3>\n<p>");
	docs_part_words(b, r->summary);
	buf_str(b, "</p>\n");
	docs_page_who(b, r->who);
	docs_part_params(b, r);
	docs_part_body(b, r->body);
	docs_part_answers(b, r);
	buf_str(b, "</article>\n");
}

static void
docs_page_nav(struct buf *b, const struct openapi *o)
{
	buf_str(b, "<nav>\n");
	for (const struct openapi_tag *t = o->tags; t->name != NULL; t++) {
		buf_str(b, "<h2>");
		docs_part_text(b, t->name);
		buf_str(b, "</h2>\n<ul>\n");
		docs_page_rows(b, o, t->name, docs_page_link);
		buf_str(b, "</ul>\n");
	}
	buf_str(b, "<h2>all</h2>\n<ul><li><a href=\"#refusals\">Refusals"
	    "</a></li></ul>\n</nav>\n");
}

static void
docs_page_main(struct buf *b, const struct openapi *o)
{
	buf_str(b, "<main>\n");
	for (const struct openapi_tag *t = o->tags; t->name != NULL; t++) {
		buf_str(b, "<section>\n<h2>");
		docs_part_words(b, t->doc);
		buf_str(b, "</h2>\n");
		docs_page_rows(b, o, t->name, docs_page_operation);
		buf_str(b, "</section>\n");
	}
	docs_part_refusals(b);
	buf_str(b, "<footer>Printed by the program itself, from the tables "
	    "that it answers by.</footer>\n</main>\n");
}

static void
docs_page_header(struct buf *b, const struct openapi *o)
{
	buf_str(b, "<header>\n<h1>");
	docs_part_text(b, o->title);
	buf_str(b, "</h1>\n<p>");
	docs_part_words(b, o->doc);
	buf_str(b, "</p>\n<p class=\"soft\">Version " DCM_VERSION
	    ", here at <code>");
	docs_part_text(b, o->server);
	buf_str(b, "</code>. The same for programs: "
	    "<a href=\"swagger.yaml\">swagger.yaml</a> (OpenAPI 3).</p>\n"
	    "<dl>\n<dt>Administrators</dt><dd>HTTP Basic with "
	    "<code>ADMIN_USERNAME</code> and <code>ADMIN_PASSWORD</code>, or "
	    "<code>X-API-Key: $ADMIN_API_KEY</code></dd>\n"
	    "<dt>Agents</dt><dd>HTTP Basic with <code>AGENT_USERNAME</code> "
	    "and <code>AGENT_PASSWORD</code>, <code>X-API-Key: "
	    "$AGENT_API_KEY</code>, or <code>Authorization: Bearer TOKEN"
	    "</code> with the token of <a href=\"#registerAgent\"><code>POST "
	    "/register</code></a></dd>\n</dl>\n</header>\n");
}

void
docs_page(const struct openapi *o, struct buf *b)
{
	buf_str(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n"
	    "<link rel=\"icon\" href=\"data:,\">\n<title>");
	docs_part_text(b, o->title);
	buf_printf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n",
	    docs_page_style);
	docs_page_header(b, o);
	buf_str(b, "<div class=\"frame\">\n");
	docs_page_nav(b, o);
	docs_page_main(b, o);
	buf_str(b, "</div>\n</body>\n</html>\n");
}
