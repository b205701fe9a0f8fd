/*
 * CGI variables. `X-Api-Key` and `X_Api_Key` become the same one, and which
 * of them a program sees is chance: that a name is there twice is noted, and
 * refused by the gateway.
 *
 * A setting is never looked for among the header fields: their names begin
 * with HTTP_, no setting's does.
 */
#include "gateway.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static bool
gateway_is_field(const char *variable)
{
	return strncmp(variable, "HTTP_", 5) == 0;
}

/* Compares the names of two variables, or of a variable and a name. */
static int
gateway_order(const char *a, const char *b)
{
	while (*a == *b && *a != '=' && *a != '\0') {
		a++;
		b++;
	}
	return (*a == '=' ? 0 : (unsigned char)*a) -
	    (*b == '=' ? 0 : (unsigned char)*b);
}

static int
gateway_compare(const void *a, const void *b)
{
	return gateway_order(*(const char *const *)a,
	    *(const char *const *)b);
}

void
gateway_variables(struct gateway_request *g, char *const *variables)
{
	g->variables = variables;
	g->count = 0;
	g->folded = false;
	for (; *variables != NULL; variables++) {
		if (!gateway_is_field(*variables))
			continue;
		if (g->count == GATEWAY_FIELDS_MAX) {
			g->folded = true;
			break;
		}
		g->fields[g->count++] = *variables;
	}
	qsort(g->fields, g->count, sizeof(*g->fields), gateway_compare);
	for (size_t i = 1; i < g->count; i++)
		if (gateway_order(g->fields[i - 1], g->fields[i]) == 0)
			g->folded = true;
}

const char *
gateway_variable(const struct gateway_request *g, const char *name)
{
	size_t len = strlen(name);

	for (char *const *v = g->variables; *v != NULL; v++)
		if ((*v)[0] == name[0] && strncmp(*v, name, len) == 0 &&
		    (*v)[len] == '=')
			return *v + len + 1;
	return NULL;
}

static const char *
gateway_field(const struct gateway_request *g, const char *name)
{
	size_t low = 0, high = g->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = gateway_order(name, g->fields[middle]);

		if (order == 0)
			return strchr(g->fields[middle], '=') + 1;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *
gateway_header(const struct route_request *req, const char *name)
{
	const struct gateway_request *g = (const void *)req;
	char variable[64] = "HTTP_";
	const char *value;
	size_t n = 5;

	for (; *name != '\0' && n < sizeof(variable) - 1; name++)
		variable[n++] = *name == '-' ? '_' :
		    (char)toupper((unsigned char)*name);
	variable[n] = '\0';
	value = gateway_field(g, variable);
	/* Apache hands it on under this name after an internal redirect */
	if (value == NULL && strcmp(variable, "HTTP_AUTHORIZATION") == 0)
		value = gateway_variable(g, "REDIRECT_HTTP_AUTHORIZATION");
	return value;
}

/* --- settings ----------------------------------------------------------- */

/* Variables that every server sends and that are no settings: not looked up
 * in the table, for a poll shall cost little. */
static bool
gateway_is_usual(const char *variable)
{
	static const char *const usual[] = {
		"HTTP_", "SERVER_", "REMOTE_", "REQUEST_", "SCRIPT_",
		"CONTENT_", "DOCUMENT_", "PATH_", "QUERY_", "GATEWAY_",
		"REDIRECT_", "FCGI_", "BASE_PATH=",
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (variable[0] == usual[i][0] &&
		    strncmp(variable, usual[i], strlen(usual[i])) == 0)
			return true;
	return false;
}

/* The settings among the variables, a line each. BASE_PATH is not one of
 * them: it may differ between two mounts that share a process. */
static void
gateway_given(const struct gateway_request *g, struct buf *out)
{
	char name[64];

	for (char *const *v = g->variables; *v != NULL; v++) {
		size_t len = strcspn(*v, "=");

		if (gateway_is_usual(*v) || len >= sizeof(name))
			continue;
		memcpy(name, *v, len);
		name[len] = '\0';
		if (controller_names(name)) {
			buf_str(out, *v);
			buf_char(out, '\n');
		}
	}
}

static const char *
gateway_setting(const void *arg, const char *name)
{
	return strncmp(name, "HTTP_", 5) == 0 ? NULL :
	    gateway_variable(arg, name);
}

/* A caller learns the names alone; the log says what is wrong with them. */
static void
gateway_complain(const struct controller *c)
{
	const char *line = buf_text(&c->wrong);

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		log_error("init", "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

bool
gateway_settings(const struct gateway_request *g, struct controller *c)
{
	struct setting_source source = { gateway_setting, g };
	struct buf given = BUF_INIT(65536);
	bool same;

	gateway_given(g, &given);
	same = c->store != NULL && given.len == c->given.len &&
	    memcmp(buf_text(&given), buf_text(&c->given), given.len) == 0;
	if (!same) {
		buf_reset(&c->given);
		buf_add(&c->given, buf_text(&given), given.len);
		if (!controller_load(c, source))
			gateway_complain(c);
	}
	buf_free(&given);
	return c->store != NULL;
}
