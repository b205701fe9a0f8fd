/*
 * What a configuration document may say. Unknown members are none of its
 * business: they are kept by whoever keeps the bytes.
 */
#include "document.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

const struct field document_fields[] = {
	{ .name = "url", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .offset = offsetof(struct document, url), .min = 1, .max = 0,
	    .format = "uri",
	    .doc = "What the worker fetches: http or https, with a host, "
	    "without user information" },
	{ .name = "headers", .kind = FIELD_RAW, .need = FIELD_OMIT,
	    .offset = offsetof(struct document, headers),
	    .choices = "object",
	    .doc = "Headers to send: an object of strings; not Host, "
	    "Content-Length, Transfer-Encoding or Connection. Where a "
	    "redirect leads to another origin only Accept, "
	    "Accept-Charset, Accept-Encoding, Accept-Language, User-Agent "
	    "and Via go along: the others may be secrets" },
	{ .name = "user_agent", .kind = FIELD_TEXT, .need = FIELD_OMIT,
	    .offset = offsetof(struct document, user_agent),
	    .doc = "User-Agent to send" },
	{ .name = "timeout_seconds", .kind = FIELD_WHOLE, .need = FIELD_OMIT,
	    .offset = offsetof(struct document, timeout_seconds),
	    .min = 1, .max = DOCUMENT_TIMEOUT_MAX,
	    .doc = "How long the worker waits for the target" },
	{ .name = "follow_redirects", .kind = FIELD_BOOL, .need = FIELD_OMIT,
	    .offset = offsetof(struct document, follow_redirects),
	    .doc = "Whether redirects are followed, five at most; true "
	    "when it is not given" },
	{ .name = "proxy", .kind = FIELD_TEXT, .need = FIELD_OMIT,
	    .offset = offsetof(struct document, proxy), .min = 1, .max = 0,
	    .format = "uri",
	    .doc = "A proxy to go through: http, socks5 or socks5h" },
	{ .name = NULL },
};

enum { DOCUMENT_FOLLOW = 4 };	/* the row of follow_redirects */

/* One reading under way. */
struct document_reading {
	field_refusal *refuse;
	void *arg;
	int refused;
};

static void
document_refuse(void *arg, const char *name, const char *message)
{
	struct document_reading *r = arg;

	if (r->refused++ < FIELD_REFUSALS)
		r->refuse(r->arg, name, message);
}

/* Whether the len bytes are one of the words, in any case. */
static bool
document_among(const char *words, const char *text, size_t len)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (n == len && strncasecmp(words, text, n) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

static const char *
document_port(const char *text, size_t len)
{
	long port = 0;

	if (len == 0 || len > 5)
		return "must have a port from 1 to 65535";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "must have a port from 1 to 65535";
		port = port * 10 + (text[i] - '0');
	}
	if (port < 1 || port > 65535)
		return "must have a port from 1 to 65535";
	return NULL;
}

/* [2001:db8::1] */
static const char *
document_literal(const char *text, size_t len, size_t *used)
{
	const char *close = memchr(text, ']', len);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	size_t n = close != NULL ? (size_t)(close - text - 1) : 0;

	if (n == 0 || n >= sizeof(address))
		return "must have an IPv6 address between [ and ]";
	memcpy(address, text + 1, n);
	address[n] = '\0';
	if (inet_pton(AF_INET6, address, &ignored) != 1)
		return "must have an IPv6 address between [ and ]";
	*used = n + 2;
	return NULL;
}

static const char *
document_authority(const char *text, size_t len, bool user)
{
	const char *at = memrchr(text, '@', len), *why = NULL;
	size_t host;

	if (at != NULL && !user)
		return "must not have user information";
	if (at != NULL) {
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	for (host = 0; host < len && text[host] != ':'; host++)
		if (strchr("\"<>^`{|}", text[host]) != NULL)
			return "must have a host";
	if (len > 0 && text[0] == '[')
		why = document_literal(text, len, &host);
	if (why != NULL)
		return why;
	if (host == 0)
		return "must have a host";
	if (host == len)
		return NULL;
	if (text[host] != ':')
		return "must have a host";
	return document_port(text + host + 1, len - host - 1);
}

/*
 * Whether text is an absolute URL (RFC 3986) of one of the schemes ("http
 * https", by spaces) with a host, and a port, if any, of 1..65535. user:
 * whether it may carry user information. NULL when it is, else what is
 * wrong ("must have a host").
 */
static const char *
document_url(const char *text, const char *schemes, bool user)
{
	size_t scheme = strcspn(text, ":/?#");

	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '\\')
			return "must not have spaces, control characters or "
			    "backslashes";
	if (text[scheme] != ':' || scheme == 0)
		return "must be absolute, with a scheme";
	if (!document_among(schemes, text, scheme))
		return strchr(schemes, '5') == NULL ?
		    "must be http or https" :
		    "must be http, socks5 or socks5h";
	text += scheme + 1;
	if (strncmp(text, "//", 2) != 0)
		return "must have a host";
	text += 2;
	return document_authority(text, strcspn(text, "/?#"), user);
}

/* A token (RFC 9110, 5.6.2). */
static bool
document_token(const char *name)
{
	static const char chars[] = "!#$%&'*+-.^_`|~0123456789"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *name != '\0' && name[strspn(name, chars)] == '\0';
}

static void
document_header(struct document_reading *r, const struct json *item)
{
	static const char framing[] =
	    "host content-length transfer-encoding connection";
	const char *name = json_name(item), *value = json_text(item);
	const char *why = NULL;
	char path[128];

	if (!document_token(name))
		why = "must be named as RFC 9110 has it: letters, digits "
		    "and !#$%&'*+-.^_`|~";
	else if (document_among(framing, name, strlen(name)))
		why = "is not for the document to say";
	else if (value == NULL)
		why = "must be a string";
	else if (!text_clean(value))
		why = "must not have control characters";
	if (why == NULL)
		return;
	snprintf(path, sizeof(path), "headers.%s", name);
	document_refuse(r, path, why);
}

static void
document_check(struct document_reading *r, const struct document *d,
    const struct json *object)
{
	const struct json *headers = json_get(object, "headers"), *item;
	const char *why;

	if (d->url != NULL) {
		why = document_url(d->url, "http https", false);
		if (why != NULL)
			document_refuse(r, "url", why);
	}
	if (d->proxy != NULL) {
		why = document_url(d->proxy, "http socks5 socks5h", true);
		if (why != NULL)
			document_refuse(r, "proxy", why);
	}
	if (d->user_agent != NULL && !text_clean(d->user_agent))
		document_refuse(r, "user_agent",
		    "must not have control characters");
	if (json_kind(headers) != JSON_OBJECT)
		return;
	for (item = json_first(headers); item != NULL; item = json_next(item))
		document_header(r, item);
}

bool
document_read(struct document *into, const struct json *object,
    field_refusal *refuse, void *arg)
{
	struct document_reading r = { refuse, arg, 0 };
	unsigned long present = 0;

	fields_read(document_fields, object, into, &present, false,
	    document_refuse, &r);
	if ((present & 1ul << DOCUMENT_FOLLOW) == 0)
		into->follow_redirects = true;
	if (json_kind(object) == JSON_OBJECT)
		document_check(&r, into, object);
	return r.refused == 0;
}

void
document_free(struct document *d)
{
	fields_free(document_fields, d);
}
