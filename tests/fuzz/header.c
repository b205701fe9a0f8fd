/*
 * Values of headers: tags, Retry-After, and what stands behind Basic.
 */
#include "fuzz.h"

#include <string.h>

#include "etag.h"
#include "retry.h"
#include "token.h"

static void
tags(const char *value, size_t len)
{
	char tag[ETAG_SIZE], list[8192];
	long long version = etag_version(value);

	TRUTH(version >= -1);
	etag_make(tag, version < 0 ? 0 : version, value, len);
	TRUTH(etag_match(tag, tag));
	TRUTH(etag_version(tag) == (version < 0 ? 0 : version));
	snprintf(list, sizeof(list), "W/%s, %s", tag, value);
	TRUTH(etag_match(list, tag));
	TRUTH(etag_version(list) >= version);
	etag_match(value, tag);
	etag_match(tag, value);
}

static void
base64(const char *value, size_t len)
{
	char *out = malloc(len + 1), *again;
	long n = token_unbase64(out, len, value), less;

	TRUTH(n >= -1 && n <= (long)len);
	if (n > 0) {
		again = malloc(((size_t)n * 4 + 2) / 3 + 1);
		token_base64url(again, out, (size_t)n);
		for (size_t i = 0; again[i] != '\0'; i++)
			TRUTH(again[i] == value[i] || (again[i] == '-' &&
			    value[i] == '+') || (again[i] == '_' &&
			    value[i] == '/'));
		free(again);
		free(out);
		out = malloc((size_t)n);
		less = token_unbase64(out, (size_t)n - 1, value);
		TRUTH(less == -1);
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *value = malloc(len + 1);
	long seconds;

	memcpy(value, data, len);
	value[len] = '\0';
	tags(value, len);
	base64(value, len);
	seconds = retry_after(value, 784111777);
	TRUTH(seconds >= -1 && seconds <= 86400);
	token_is_uuid(value);
	TRUTH(token_equal(value, value));
	free(value);
	return 0;
}
