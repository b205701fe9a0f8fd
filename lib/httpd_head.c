/*
 * Request heads: llhttp in strict mode, between a scan of the raw bytes
 * before it and checks of what it leaves open after it.
 *
 * Whatever two programs in a row might read in two ways is refused, not
 * mended: bare CR or LF, folded lines, control characters, two names that
 * become one CGI variable, a length beside a transfer coding. What cannot be
 * understood otherwise is left alone: 8-bit bytes in a value, for one.
 */
#include "httpd_head.h"

#include <ctype.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTPD_DIGITS_MAX = 18 };	/* of Content-Length */

/* --- before llhttp ------------------------------------------------------ */

static const char *
httpd_head_wrong(char before, char c)
{
	unsigned char byte = (unsigned char)c;

	if (before == '\r' && c != '\n')
		return "a CR stands without LF";
	if (byte > ' ' && byte != 0x7f)
		return NULL;
	if (c == '\n' && before != '\r')
		return "a LF stands without CR";
	if ((c == ' ' || c == '\t') && before == '\n')
		return "a line begins with a space";
	if (c != ' ' && c != '\r' && c != '\n' && c != '\t')
		return "there is a control character";
	return NULL;
}

long
httpd_head_scan(const char *b, size_t len, size_t *from, const char **why)
{
	for (size_t i = *from; i < len; i++) {
		*why = httpd_head_wrong(i > 0 ? b[i - 1] : '\n', b[i]);
		if (*why != NULL)
			return -1;
		if (b[i] == '\n' && i >= 3 && b[i - 2] == '\n')
			return (long)i + 1;
	}
	*from = len;
	return 0;
}

/* --- llhttp ------------------------------------------------------------- */

struct httpd_head_parse {
	struct httpd_head *head;
	char *target;
	size_t target_len;
	bool many;		/* more fields than we take */
};

static int
httpd_head_on_url(llhttp_t *p, const char *at, size_t len)
{
	struct httpd_head_parse *parse = p->data;
	char *bytes = parse->head->bytes;

	if (parse->target == NULL)
		parse->target = bytes + (at - bytes);
	parse->target_len = (size_t)(at + len - parse->target);
	return 0;
}

static int
httpd_head_on_field(llhttp_t *p, const char *at, size_t len)
{
	struct httpd_head_parse *parse = p->data;
	struct httpd_head *h = parse->head;
	char *name = h->bytes + (at - h->bytes);

	if (h->count == HTTPD_FIELDS_MAX) {
		parse->many = true;
		return -1;
	}
	/* the colon makes room for the NUL, once everything is read */
	h->fields[h->count++] = (struct httpd_field){ name, name + len,
		false };
	return 0;
}

static int
httpd_head_pause(llhttp_t *p)
{
	return (void)p, HPE_PAUSED;
}

static const llhttp_settings_t httpd_head_settings = {
	.on_url = httpd_head_on_url,
	.on_header_field = httpd_head_on_field,
	.on_headers_complete = httpd_head_pause,
};

/* Whether the first line has a method that HTTP would allow. */
static bool
httpd_head_token(const char *s)
{
	size_t n = strspn(s, "!#$%&'*+-.^_`|~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return n > 0 && s[n] == ' ' && (s[n + 1] == '/' || s[n + 1] == '*');
}

static int
httpd_head_refused(const struct httpd_head_parse *parse, llhttp_t *p,
    llhttp_errno_t error, const char **why)
{
	*why = llhttp_get_error_reason(p);
	if (*why == NULL || **why == '\0')
		*why = "it is no HTTP";
	if (parse->many) {
		*why = "there are more than 100 header fields";
		return 431;
	}
	if (error == HPE_INVALID_VERSION) {
		*why = "HTTP/1.1 and HTTP/1.0 are spoken here";
		return 505;
	}
	if (error == HPE_INVALID_METHOD &&
	    httpd_head_token(parse->head->bytes)) {
		*why = "the method is not known";
		return 501;
	}
	return 400;
}

/* Ends the names, and the values less the spaces around them. */
static bool
httpd_head_trim(struct httpd_head *h)
{
	for (size_t i = 0; i < h->count; i++) {
		char *colon = h->fields[i].value, *end;
		char *value = colon + 1;

		if (*colon != ':' || colon == h->fields[i].name)
			return false;
		end = strchr(value, '\r');	/* there always is one */
		value += strspn(value, " \t");
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*colon = '\0';
		*end = '\0';
		h->fields[i].value = value;
	}
	return true;
}

/* --- after llhttp ------------------------------------------------------- */

static bool
httpd_head_folds(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		char c = *a == '_' ? '-' : *a, d = *b == '_' ? '-' : *b;

		if (tolower((unsigned char)c) != tolower((unsigned char)d))
			return false;
	}
	return *a == *b;
}

static int
httpd_head_join(struct httpd_field *to, struct httpd_field *from,
    const char **why)
{
	char *joined;

	if (strcasecmp(to->name, from->name) != 0) {
		*why = "two header names differ in - and _ only";
		return 400;
	}
	if (strcasecmp(to->name, "Host") == 0 ||
	    strcasecmp(to->name, "Content-Length") == 0) {
		*why = "Host or Content-Length is repeated";
		return 400;
	}
	if (asprintf(&joined, "%s, %s", to->value, from->value) < 0) {
		*why = "out of memory";
		return 503;
	}
	if (to->joined)
		free(to->value);
	to->value = joined;
	to->joined = true;
	return 0;
}

/* Fields of one name become one. */
static int
httpd_head_unite(struct httpd_head *h, const char **why)
{
	size_t count = h->count, same;
	int status;

	h->count = 0;
	for (size_t i = 0; i < count; i++) {
		for (same = 0; same < h->count; same++)
			if (httpd_head_folds(h->fields[same].name,
			    h->fields[i].name))
				break;
		if (same == h->count) {
			h->fields[h->count++] = h->fields[i];
			continue;
		}
		status = httpd_head_join(&h->fields[same], &h->fields[i],
		    why);
		if (status != 0)
			return status;
	}
	return 0;
}

/* The path and the query of origin-form, absolute-form and "*" (RFC 9112,
 * 3.2); CONNECT's authority-form has no place here. */
static int
httpd_head_target(struct httpd_head *h, char *target, const char **why)
{
	static char slash[] = "/";
	char *query;

	*why = "the request target is malformed";
	for (const char *p = target; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '#')
			return 400;
	if (strncasecmp(target, "http://", 7) == 0 ||
	    strncasecmp(target, "https://", 8) == 0) {
		target = strchr(target, ':') + 3;
		if (strcspn(target, "/?") == 0)
			return 400;
		target += strcspn(target, "/?");
	} else if (strcmp(target, "*") == 0 &&
	    strcmp(h->method, "OPTIONS") == 0) {
		h->path = target;
	} else if (*target != '/') {
		return 400;
	}
	query = strchr(target, '?');
	h->query = query != NULL ? query + 1 : target + strlen(target);
	if (query != NULL)
		*query = '\0';
	h->path = *target != '\0' ? target : slash;
	return 0;
}

static int
httpd_head_host(const struct httpd_head *h, const char **why)
{
	const char *host = httpd_head_get(h, "Host");
	size_t n = 0;

	*why = host == NULL ? "Host is missing" : "Host is malformed";
	if (host == NULL)
		return h->minor == 0 ? 0 : 400;
	while (isalnum((unsigned char)host[n]) || (host[n] != '\0' &&
	    strchr("-._~:[]%!$&'()*+;=", host[n]) != NULL))
		n++;
	return n > 0 && host[n] == '\0' ? 0 : 400;
}

/* Where the body ends: RFC 9112, 6.3, without its leniencies. */
static int
httpd_head_framing(struct httpd_head *h, const char **why)
{
	const char *coding = httpd_head_get(h, "Transfer-Encoding");
	const char *length = httpd_head_get(h, "Content-Length");

	h->length = -1;
	if (coding != NULL) {
		*why = "Transfer-Encoding stands beside Content-Length, or "
		    "in HTTP/1.0";
		if (length != NULL || h->minor == 0)
			return 400;
		*why = "chunked is the only transfer coding understood";
		h->chunked = strcasecmp(coding, "chunked") == 0;
		return h->chunked ? 0 : 501;
	}
	if (length == NULL)
		return 0;
	*why = "Content-Length is malformed";
	if (*length == '\0' || strlen(length) > HTTPD_DIGITS_MAX ||
	    length[strspn(length, "0123456789")] != '\0')
		return 400;
	h->length = strtoll(length, NULL, 10);
	return 0;
}

static bool
httpd_head_lists(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	while (list != NULL && *list != '\0') {
		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

static int
httpd_head_manners(struct httpd_head *h, const char **why)
{
	const char *connection = httpd_head_get(h, "Connection");
	const char *expect = httpd_head_get(h, "Expect");

	h->keep = !httpd_head_lists(connection, "close") &&
	    (h->minor > 0 || httpd_head_lists(connection, "keep-alive"));
	if (expect == NULL || h->minor == 0)
		return 0;
	h->expects = strcasecmp(expect, "100-continue") == 0;
	*why = "100-continue is the only expectation that can be met";
	return h->expects ? 0 : 417;
}

static int
httpd_head_check(struct httpd_head *h, char *target, const char **why)
{
	int status = httpd_head_unite(h, why);

	if (status == 0)
		status = httpd_head_framing(h, why);
	if (status == 0)
		status = httpd_head_host(h, why);
	if (status == 0)
		status = httpd_head_target(h, target, why);
	if (status == 0)
		status = httpd_head_manners(h, why);
	return status;
}

int
httpd_head_parse(struct httpd_head *h, const char *bytes, size_t len,
    const char **why)
{
	struct httpd_head_parse parse = { .head = h };
	llhttp_errno_t error;
	llhttp_t parser;

	*why = "out of memory";
	h->bytes = strndup(bytes, len);
	if (h->bytes == NULL)
		return 503;
	llhttp_init(&parser, HTTP_REQUEST, &httpd_head_settings);
	parser.data = &parse;
	error = llhttp_execute(&parser, h->bytes, strlen(h->bytes));
	if (error != HPE_PAUSED || parse.target == NULL) {
		h->count = 0;
		return httpd_head_refused(&parse, &parser, error, why);
	}
	if (!httpd_head_trim(h)) {
		h->count = 0;
		*why = "a header name is malformed";
		return 400;
	}
	h->method = llhttp_method_name(llhttp_get_method(&parser));
	h->minor = llhttp_get_http_minor(&parser);
	if (llhttp_get_http_major(&parser) != 1 || h->minor > 1) {
		*why = "HTTP/1.1 and HTTP/1.0 are spoken here";
		return 505;
	}
	/* llhttp takes more than one space */
	if (parse.target != h->bytes + strlen(h->method) + 1 ||
	    strncmp(parse.target + parse.target_len, " HTTP/", 6) != 0) {
		*why = "the request line is malformed";
		return 400;
	}
	parse.target[parse.target_len] = '\0';
	return httpd_head_check(h, parse.target, why);
}

void
httpd_head_free(struct httpd_head *h)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->fields[i].joined)
			free(h->fields[i].value);
	free(h->bytes);
	memset(h, 0, offsetof(struct httpd_head, fields));
}

const char *
httpd_head_get(const struct httpd_head *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcasecmp(h->fields[i].name, name) == 0)
			return h->fields[i].value;
	return NULL;
}
