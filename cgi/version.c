/*
 * The body of a version. The document goes in byte for byte: whoever would
 * print it again from a parsed value would lose digits of large numbers.
 */
#include "version.h"

void
version_body(struct buf *out, long long version, const char *data, size_t len,
    long interval)
{
	buf_printf(out, "{\"version\":%lld,\"data\":", version);
	buf_add(out, data, len);
	buf_printf(out, ",\"poll_interval_seconds\":%ld}", interval);
}

void
version_data(struct json_span *out, const char *body, size_t len)
{
	if (body == NULL || json_span(body, len, "data", out) != JSON_OBJECT)
		*out = (struct json_span){ "{}", 2 };
}
