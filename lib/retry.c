/*
 * Backoff with full jitter, and what Retry-After says.
 */
#include "retry.h"

#include <stddef.h>
#include <string.h>

enum { RETRY_AFTER_MAX = 86400 };

int64_t
retry_next(struct retry *r, int64_t base_ms, int64_t max_ms, uint64_t chance)
{
	int64_t ceiling = base_ms;

	for (unsigned i = 0; i < r->failures && ceiling < max_ms; i++)
		ceiling = ceiling > max_ms / 2 ? max_ms : ceiling * 2;
	if (ceiling > max_ms)
		ceiling = max_ms;
	if (r->failures < 1000)
		r->failures++;
	return 1 + (int64_t)(chance % (uint64_t)ceiling);
}

void
retry_reset(struct retry *r)
{
	r->failures = 0;
}

int64_t
retry_spread(int64_t ms, uint64_t chance)
{
	int64_t part = ms / 10 - ms / 100;

	return ms - part + (int64_t)(chance % (uint64_t)(2 * part + 1));
}

static long
retry_seconds(const char *s)
{
	long n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n > RETRY_AFTER_MAX ? n : n * 10 + (*s - '0');
	if (*s != '\0')
		return -1;
	return n > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : n;
}

long
retry_after(const char *value, time_t now)
{
	static const char *const forms[] = {	/* RFC 9110, 5.6.7 */
		"%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y",
	};

	if (*value >= '0' && *value <= '9')
		return retry_seconds(value);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm;
		const char *end;
		time_t then;

		memset(&tm, 0, sizeof(tm));
		end = strptime(value, forms[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		then = timegm(&tm);
		if (then <= now)
			return 0;
		return then - now > RETRY_AFTER_MAX ? RETRY_AFTER_MAX :
		    (long)(then - now);
	}
	return -1;
}
