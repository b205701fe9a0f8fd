/*
 * What a redirect takes along to another origin (scheme, host, port). Any
 * header that a caller sets may be a secret of the origin he meant, whatever
 * its name; libcurl keeps back Authorization and Cookie alone. So it is a
 * list of what may go. A way that leads back gets no more than that either:
 * the stranger chose it.
 */
#include <string.h>

#include "fetch_inner.h"

/* Of a line as libcurl is told it: "Name: value", "Name;" or "Name:". */
static bool
fetch_abroad_may(const char *line)
{
	static const char *const names[] = {
		"Accept", "Accept-Charset", "Accept-Encoding",
		"Accept-Language", "Expect", "User-Agent", "Via",
	};
	size_t len = strcspn(line, ":;");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(line, names[i], len) == 0)
			return true;
	return false;
}

static bool
fetch_abroad_list(struct fetch *f)
{
	struct curl_slist *line, *grown;

	curl_slist_free_all(f->fewer);
	f->fewer = NULL;
	for (line = f->headers; line != NULL; line = line->next) {
		if (!fetch_abroad_may(line->data))
			continue;
		grown = curl_slist_append(f->fewer, line->data);
		if (grown == NULL)
			return false;
		f->fewer = grown;
	}
	return true;
}

/* Whether libcurl is about to ask where the caller did not send it. */
static bool
fetch_abroad_is(const struct fetch *f)
{
	CURLU *now = curl_url();
	char *url = NULL;
	bool home;

	curl_easy_getinfo(f->easy, CURLINFO_EFFECTIVE_URL, &url);
	home = now != NULL && url != NULL &&
	    curl_url_set(now, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    fetch_url_same_origin(now, f->url);
	curl_url_cleanup(now);
	return !home;
}

bool
fetch_abroad_look(struct fetch *f)
{
	long redirects = 0;

	curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	if (redirects == 0 || f->abroad || !fetch_abroad_is(f))
		return true;
	f->abroad = true;
	return fetch_abroad_list(f) && curl_easy_setopt(f->easy,
	    CURLOPT_HTTPHEADER, f->fewer) == CURLE_OK;
}

void
fetch_abroad_return(struct fetch *f)
{
	if (f->abroad)
		curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
}
