/*
 * redis:// as in redis-cli -u: redis://[[user]:password@]host[:port][/number]
 */
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "queue_redis_link.h"

enum { QUEUE_REDIS_PORT = 6379, QUEUE_REDIS_NUMBERS = 16384 };

/* len bytes with their %XX decoded. NULL: malformed, or out of memory. */
static char *
queue_redis_url_decode(const char *text, size_t len)
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
queue_redis_url_number(const char *text, size_t len, int most)
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
queue_redis_url_user(struct queue_redis_url *u, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t user;

	if (colon == NULL)
		return "has a user and no password (redis://:password@host)";
	user = (size_t)(colon - text);
	if (user > 0)
		u->user = queue_redis_url_decode(text, user);
	u->password = queue_redis_url_decode(colon + 1, len - user - 1);
	if (u->password == NULL || (user > 0 && u->user == NULL))
		return "has a malformed user or password";
	return NULL;
}

/* host, [v6], with or without :port. */
static const char *
queue_redis_url_host(struct queue_redis_url *u, const char *text, size_t len)
{
	const char *end = text + len, *close = memchr(text, ']', len), *colon;

	if (len > 0 && *text == '[' && close != NULL) {
		u->host = strndup(text + 1, (size_t)(close - text - 1));
		colon = close + 1;
	} else {
		colon = memchr(text, ':', len);
		colon = colon != NULL ? colon : end;
		u->host = strndup(text, (size_t)(colon - text));
	}
	if (u->host == NULL || *u->host == '\0' ||
	    strpbrk(u->host, " @?#") != NULL)
		return "has no good host";
	if (colon == end)
		return NULL;
	u->port = *colon == ':' ? queue_redis_url_number(colon + 1,
	    (size_t)(end - colon - 1), 65535) : -1;
	return u->port > 0 ? NULL : "has a port that is not 1 to 65535";
}

bool
queue_redis_url_read(struct queue_redis_url *u, const char *text,
    struct buf *error)
{
	const char *rest = text + strlen("redis://"), *at, *why = NULL;
	size_t len, path;

	*u = (struct queue_redis_url){ .port = QUEUE_REDIS_PORT };
	at = strrchr(rest, '@');
	if (at != NULL) {
		why = queue_redis_url_user(u, rest, (size_t)(at - rest));
		rest = at + 1;
	}
	len = strcspn(rest, "/");
	path = strlen(rest + len);
	if (why == NULL)
		why = queue_redis_url_host(u, rest, len);
	if (why == NULL && path > 1) {
		u->number = queue_redis_url_number(rest + len + 1, path - 1,
		    QUEUE_REDIS_NUMBERS);
		if (u->number < 0)
			why = "has a database that is no number";
	}
	if (why != NULL)
		buf_printf(error, "QUEUE_URL %s", why);
	return why == NULL;
}

void
queue_redis_url_free(struct queue_redis_url *u)
{
	if (u->password != NULL)
		explicit_bzero(u->password, strlen(u->password));
	free(u->user);
	free(u->password);
	free(u->host);
}
