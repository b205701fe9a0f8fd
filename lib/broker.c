/*
 * Reads the URLs of brokers. It knows no TLS: rediss:// and tls:// are
 * refused, rather than spoken to in the clear.
 */
#include "broker.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"

enum { BROKER_REDIS = 6379, BROKER_NATS = 4222, BROKER_NUMBERS = 16384 };

/* len bytes with their %XX decoded. NULL: malformed, or out of memory. */
static char *
broker_decode(const char *text, size_t len)
{
	char *out = malloc(len + 1), *to = out;

	for (size_t i = 0; out != NULL && i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			c = hex_pair(text + i + 1, len - i - 1);
			i += 2;
		}
		if (c <= 0) {
			free(out);
			return NULL;
		}
		*to++ = (char)c;
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

/* A whole number of digits up to the end; -1 when it is none. */
static int
broker_number(const char *text, size_t len, int most)
{
	int number = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number <= most ? number : -1;
}

static const char *
broker_user(struct broker *b, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t user;

	if (colon == NULL) {
		b->token = broker_decode(text, len);
		return b->token != NULL && len > 0 ? NULL :
		    "has a malformed token";
	}
	user = (size_t)(colon - text);
	if (user > 0)
		b->user = broker_decode(text, user);
	b->password = broker_decode(colon + 1, len - user - 1);
	if (b->password == NULL || (user > 0 && b->user == NULL))
		return "has a malformed user or password";
	return NULL;
}

/* host, [v6], with or without :port. */
static const char *
broker_host(struct broker *b, const char *text, size_t len)
{
	const char *end = text + len, *close = memchr(text, ']', len), *colon;

	if (len > 0 && *text == '[' && close != NULL) {
		b->host = strndup(text + 1, (size_t)(close - text - 1));
		colon = close + 1;
	} else {
		colon = memchr(text, ':', len);
		colon = colon != NULL ? colon : end;
		b->host = strndup(text, (size_t)(colon - text));
	}
	if (b->host == NULL || *b->host == '\0' || strlen(b->host) > 253 ||
	    strpbrk(b->host, " @?#") != NULL)
		return "has no good host";
	if (colon == end)
		return NULL;
	b->port = *colon == ':' ? broker_number(colon + 1,
	    (size_t)(end - colon - 1), 65535) : -1;
	return b->port > 0 ? NULL : "has a port that is not 1 to 65535";
}

/* What stands behind "scheme://", up to the path, whose length stays. */
static const char *
broker_place(struct broker *b, const char *text, size_t len, size_t *path)
{
	const char *at = memrchr(text, '@', len), *why = NULL, *slash;

	if (at != NULL) {
		why = broker_user(b, text, (size_t)(at - text));
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	slash = memchr(text, '/', len);
	*path = slash != NULL ? len - (size_t)(slash - text) : 0;
	return why != NULL ? why : broker_host(b, text, len - *path);
}

/* What stands behind the scheme, or NULL. */
static const char *
broker_scheme(const char *url, size_t len, const char *scheme)
{
	size_t n = strlen(scheme);

	return len >= n && memcmp(url, scheme, n) == 0 ? url + n : NULL;
}

bool
broker_redis(struct broker *b, const char *url, struct buf *error)
{
	size_t len = strlen(url), path = 0;
	const char *rest = broker_scheme(url, len, "redis://");
	const char *why = "does not begin with redis://";

	*b = (struct broker){ .port = BROKER_REDIS };
	if (rest != NULL)
		why = broker_place(b, rest, strlen(rest), &path);
	if (why == NULL && b->token != NULL)
		why = "has a user and no password (redis://:password@host)";
	if (why == NULL && path > 1) {
		b->number = broker_number(url + len - path + 1, path - 1,
		    BROKER_NUMBERS);
		if (b->number < 0)
			why = "has a database that is no number";
	}
	if (why != NULL)
		buf_str(error, why);
	return why == NULL;
}

static void
broker_zero(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
broker_free(struct broker *b)
{
	free(b->user);
	broker_zero(b->password);
	broker_zero(b->token);
	free(b->host);
	*b = (struct broker){ .port = 0 };
}

/* --- lists -------------------------------------------------------------- */

bool
broker_list_redis(struct broker_list *list, const char *url,
    struct buf *error)
{
	*list = (struct broker_list){ .count = 1 };
	return broker_redis(&list->at[0], url, error);
}

static const char *
broker_nats(struct broker *b, const char *url, size_t len)
{
	const char *rest = broker_scheme(url, len, "nats://"), *why;
	size_t path = 0;

	*b = (struct broker){ .port = BROKER_NATS };
	if (rest == NULL)
		return "does not begin with nats://";
	why = broker_place(b, rest, len - (size_t)(rest - url), &path);
	if (why == NULL && path > 1)
		why = "has a path";
	return why != NULL || b->password == NULL || b->user != NULL ? why :
	    "has a password and no user";
}

static char *
broker_again(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* The credential of the first that has one is that of all that have none. */
static bool
broker_share(struct broker_list *list)
{
	const struct broker *has = NULL;

	for (size_t i = 0; i < list->count && has == NULL; i++)
		if (list->at[i].user != NULL || list->at[i].token != NULL)
			has = &list->at[i];
	for (size_t i = 0; has != NULL && i < list->count; i++) {
		struct broker *b = &list->at[i];

		if (b->user != NULL || b->token != NULL)
			continue;
		b->user = broker_again(has->user);
		b->password = broker_again(has->password);
		b->token = broker_again(has->token);
		if ((has->user != NULL && (b->user == NULL ||
		    b->password == NULL)) ||
		    (has->token != NULL && b->token == NULL))
			return false;
	}
	return true;
}

bool
broker_list_nats(struct broker_list *list, const char *urls,
    struct buf *error)
{
	const char *why = NULL;
	size_t len;

	*list = (struct broker_list){ .count = 0 };
	do {
		urls += strspn(urls, " ");
		len = strcspn(urls, ",");
		why = list->count == BROKER_SERVERS ? "has too many servers" :
		    broker_nats(&list->at[list->count++], urls, len);
		urls += len;
	} while (why == NULL && *urls++ == ',');
	if (why == NULL && !broker_share(list))
		why = "is too much: out of memory";
	if (why != NULL)
		buf_str(error, why);
	return why == NULL;
}

void
broker_list_free(struct broker_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		broker_free(&list->at[i]);
	list->count = 0;
}
