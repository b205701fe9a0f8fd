/*
 * A request, told to libcurl. Everything that libcurl would take from the
 * environment or do on its own account is switched off here: proxies of the
 * environment, other protocols, HTTP/2 (a paused stream would keep up to
 * 32 MB), compression, Expect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch_inner.h"

enum { FETCH_REDIRECTS = 5 };

static void
fetch_options_refuse(struct fetch *f, const char *why)
{
	f->stopped = true;
	f->end = FETCH_UNREACHABLE;
	f->why = why;
}

static bool
fetch_options_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 && *text != '\t')
			return false;
	return strchr(text, 0x7f) == NULL;
}

static bool
fetch_options_header(struct fetch *f, const char *line)
{
	const char *colon = strchr(line, ':');
	struct curl_slist *grown;
	char *bare;

	if (colon == NULL || colon == line || !fetch_options_clean(line)) {
		fetch_options_refuse(f, "a malformed header");
		return true;
	}
	if (colon[1 + strspn(colon + 1, " \t")] != '\0') {
		grown = curl_slist_append(f->headers, line);
	} else {
		/* libcurl: "Name:" removes a header, "Name;" sends it empty */
		if (asprintf(&bare, "%.*s;", (int)(colon - line), line) < 0)
			return false;
		grown = curl_slist_append(f->headers, bare);
		free(bare);
	}
	if (grown != NULL)
		f->headers = grown;
	return grown != NULL;
}

/* A header like others: CURLOPT_USERAGENT is printed twice a request. */
static bool
fetch_options_agent(struct fetch *f, const char *agent)
{
	char *line;
	bool ok;

	if (!fetch_options_clean(agent)) {
		fetch_options_refuse(f, "a malformed user agent");
		return true;
	}
	if (asprintf(&line, "User-Agent: %s", agent) < 0)
		return false;
	ok = fetch_options_header(f, line);
	free(line);
	return ok;
}

static bool
fetch_options_headers(struct fetch *f, const struct fetch_request *r)
{
	const char *const *line;
	bool own = r->user_agent == NULL;

	/* libcurl goes through them all for each header that it would send */
	if (r->body != NULL && (f->headers = curl_slist_append(NULL,
	    "Expect:")) == NULL)
		return false;
	for (line = r->headers; line != NULL && *line != NULL; line++)
		own |= strncasecmp(*line, "User-Agent:", 11) == 0;
	if (!own && !fetch_options_agent(f, r->user_agent))
		return false;
	for (line = r->headers; line != NULL && *line != NULL; line++)
		if (!fetch_options_header(f, *line))
			return false;
	return curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers) ==
	    CURLE_OK;
}

static bool
fetch_options_url(struct fetch *f, const char *text)
{
	CURLUcode code;

	f->url = curl_url();
	if (f->url == NULL)
		return false;
	code = curl_url_set(f->url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		return false;
	if (code != CURLUE_OK) {
		fetch_options_refuse(f, curl_url_strerror(code));
		return true;
	}
	return curl_easy_setopt(f->easy, CURLOPT_CURLU, f->url) == CURLE_OK;
}

static unsigned
fetch_options_proxy(struct fetch *f, const char *proxy)
{
	static const char *const schemes[] = {
		"http://", "socks5://", "socks5h://",
	};
	bool known = proxy == NULL;
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (!known && strncasecmp(proxy, schemes[i],
		    strlen(schemes[i])) == 0)
			known = true;
	if (!known)
		fetch_options_refuse(f, "a proxy of an unknown kind");
	/* Empty, not unset: unset would ask the environment. */
	bad |= curl_easy_setopt(f->easy, CURLOPT_PROXY,
	    proxy != NULL ? proxy : "");
	bad |= curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "");
	bad |= curl_easy_setopt(f->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS,
	    1L);
	return bad;
}

static unsigned
fetch_options_method(struct fetch *f, const struct fetch_request *r)
{
	const char *method = r->method;
	unsigned bad = 0;

	if (method == NULL)
		method = r->body != NULL ? "POST" : "GET";
	if (r->body != NULL) {
		bad |= curl_easy_setopt(f->easy, CURLOPT_POST, 1L);
		bad |= curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->body_len);
		bad |= curl_easy_setopt(f->easy, CURLOPT_COPYPOSTFIELDS,
		    r->body);
	}
	if (strcmp(method, "HEAD") == 0)
		bad |= curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
	else if (strcmp(method, r->body != NULL ? "POST" : "GET") != 0)
		bad |= curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST,
		    method);
	return bad;
}

static unsigned
fetch_options_who(struct fetch *f, const struct fetch_request *r)
{
	CURL *easy = f->easy;
	unsigned bad = 0;

	if (r->username != NULL) {
		bad |= curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
		    CURLAUTH_BASIC);
		bad |= curl_easy_setopt(easy, CURLOPT_USERNAME, r->username);
		bad |= curl_easy_setopt(easy, CURLOPT_PASSWORD,
		    r->password != NULL ? r->password : "");
	}
	if (r->ca_file != NULL) {
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_file);
		bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (r->cert_file != NULL)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLCERT, r->cert_file);
	if (r->key_file != NULL)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLKEY, r->key_file);
	return bad;
}

static unsigned
fetch_options_how(struct fetch *f, const struct fetch_request *r)
{
	CURL *easy = f->easy;
	unsigned bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A slow resolver is left to its thread, not waited for. */
	bad |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
	    "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION,
	    r->follow ? 1L : 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS,
	    (long)FETCH_REDIRECTS);
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)FETCH_PIECE);
	/* So that the first of several addresses cannot eat it all. */
	if (r->timeout_ms > 0)
		bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		    (long)r->timeout_ms);
	return bad;
}

static unsigned
fetch_options_callbacks(struct fetch *f)
{
	CURL *easy = f->easy;
	unsigned bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, f);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, f->error);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
	    fetch_on_header);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fetch_on_data);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
	    fetch_socket_open);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, f);
	bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
	    fetch_socket_close);
	bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, f->hub);
	bad |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
	    fetch_on_connected);
	bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, f);
	return bad;
}

bool
fetch_options_set(struct fetch *f, const struct fetch_request *r)
{
	unsigned bad = 0;

	if (!fetch_options_headers(f, r) ||
	    !fetch_options_url(f, r->url))
		return false;
	bad |= fetch_options_proxy(f, r->proxy);
	bad |= fetch_options_method(f, r);
	bad |= fetch_options_who(f, r);
	bad |= fetch_options_how(f, r);
	bad |= fetch_options_callbacks(f);
	f->told = bad == 0;
	return f->told;
}
