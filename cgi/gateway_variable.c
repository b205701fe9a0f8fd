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

/* Whether it begins like one of some. */
static bool
gateway_among(const char *variable, const char *const *some)
{
	for (; *some != NULL; some++)
		if (variable[0] == (*some)[0] &&
		    strncmp(variable, *some, strlen(*some)) == 0)
			return true;
	return false;
}

/* What every server sends is no setting and not looked up in the table, for
 * a poll shall cost little. */
static bool
gateway_is_setting(const char *variable)
{
	static const char *const usual[] = {
		"HTTP_", "SERVER_", "REMOTE_", "REQUEST_", "SCRIPT_",
		"CONTENT_", "DOCUMENT_", "PATH_", "QUERY_", "GATEWAY_",
		"REDIRECT_", "FCGI_", "BASE_PATH=", NULL,
	};
	char name[64];
	size_t len;

	if (gateway_among(variable, usual))
		return false;
	len = strcspn(variable, "=");
	if (len >= sizeof(name))
		return false;
	memcpy(name, variable, len);
	name[len] = '\0';
	return controller_names(name);
}

/* The settings among the variables, a line each. BASE_PATH is not one of
 * them: it may differ between two mounts that share a process. */
static void
gateway_given(char *const *variables, struct buf *out)
{
	for (char *const *v = variables; *v != NULL; v++)
		if (gateway_is_setting(*v)) {
			buf_str(out, *v);
			buf_char(out, '\n');
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

static bool
gateway_same(const struct controller *c, const struct buf *given)
{
	return c->store != NULL && !controller_file_changed(&c->named) &&
	    given->len == c->given.len &&
	    memcmp(buf_text(given), buf_text(&c->given), given->len) == 0;
}

bool
gateway_settled(char *const *variables, const struct controller *c)
{
	struct buf given = BUF_INIT(65536);
	bool same;

	gateway_given(variables, &given);
	same = gateway_same(c, &given);
	buf_free(&given);
	return same;
}

bool
gateway_settings(const struct gateway_request *g, struct controller *c)
{
	struct setting_source source = { gateway_setting, g };
	struct buf given = BUF_INIT(65536);

	gateway_given(g->variables, &given);
	if (!gateway_same(c, &given)) {
		buf_reset(&c->given);
		buf_add(&c->given, buf_text(&given), given.len);
		if (!controller_load(c, source))
			gateway_complain(c);
	}
	buf_free(&given);
	return c->store != NULL;
}

/* --- a request that is held --------------------------------------------- */

/* What a request is answered again from: where it goes, who asks for what,
 * and the settings, without which they would be loaded anew. */
static bool
gateway_is_kept(const char *variable)
{
	static const char *const kept[] = {
		"REQUEST_METHOD=", "REQUEST_URI=", "SCRIPT_NAME=",
		"PATH_INFO=", "QUERY_STRING=", "REMOTE_ADDR=", "BASE_PATH=",
		"HTTP_AUTHORIZATION=", "REDIRECT_HTTP_AUTHORIZATION=",
		"HTTP_IF_", "HTTP_X_", NULL,
	};

	return gateway_among(variable, kept) || gateway_is_setting(variable);
}

char **
gateway_keep(char *const *variables)
{
	size_t count = 1, bytes = 0;
	char **kept, **next, *text;

	for (char *const *v = variables; *v != NULL; v++)
		if (gateway_is_kept(*v)) {
			count++;
			bytes += strlen(*v) + 1;
		}
	kept = malloc(count * sizeof(*kept) + bytes);
	if (kept == NULL)
		return NULL;
	next = kept;
	text = (char *)(kept + count);
	for (char *const *v = variables; *v != NULL; v++)
		if (gateway_is_kept(*v)) {
			*next++ = text;
			text = stpcpy(text, *v) + 1;
		}
	*next = NULL;
	return kept;
}

void
gateway_forget(char **kept)
{
	/* there are credentials among them */
	for (char **v = kept; v != NULL && *v != NULL; v++)
		explicit_bzero(*v, strlen(*v));
	free(kept);
}
