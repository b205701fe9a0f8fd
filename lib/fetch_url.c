/*
 * References against a base (RFC 3986, 5.2). libcurl judges whether the
 * outcome is a URL; it does not resolve, for its way is not the RFC's.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "fetch_inner.h"

/* The five parts of a reference (RFC 3986, appendix B). len of -1: absent. */
struct fetch_part {
	const char *text;
	int len;
};

struct fetch_parts {
	struct fetch_part scheme, authority, path, query;
};

static struct fetch_part
fetch_url_part(const char **at, const char *stop)
{
	struct fetch_part part = { *at, (int)strcspn(*at, stop) };

	*at += part.len;
	return part;
}

static void
fetch_url_split(const char *text, struct fetch_parts *p)
{
	static const char scheme_chars[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
	size_t n = strspn(text, scheme_chars);

	*p = (struct fetch_parts){
		{ NULL, -1 }, { NULL, -1 }, { NULL, 0 }, { NULL, -1 },
	};
	if (n > 0 && text[n] == ':') {
		p->scheme = (struct fetch_part){ text, (int)n };
		text += n + 1;
	}
	if (strncmp(text, "//", 2) == 0) {
		text += 2;
		p->authority = fetch_url_part(&text, "/?#");
	}
	p->path = fetch_url_part(&text, "?#");
	if (*text == '?') {
		text++;
		p->query = fetch_url_part(&text, "#");
	}
}

/* Removes the last segment and the slash before it. */
static void
fetch_url_up(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > 0)
		out->len--;
	if (out->data != NULL)
		out->data[out->len] = '\0';
}

/* RFC 3986, 5.2.4; in begins with a slash. */
static void
fetch_url_dots(const char *in, struct buf *out)
{
	while (*in == '/') {
		int n = 1 + (int)strcspn(in + 1, "/");
		bool last = in[n] == '\0';

		if (n == 2 && in[1] == '.') {
			if (last)
				buf_char(out, '/');
		} else if (n == 3 && in[1] == '.' && in[2] == '.') {
			fetch_url_up(out);
			if (last)
				buf_char(out, '/');
		} else {
			buf_add(out, in, (size_t)n);
		}
		in += n;
	}
}

/* RFC 3986, 5.2.3: the reference's path behind the base's folder. */
static void
fetch_url_path(const struct fetch_part *base, const struct fetch_part *ref,
    struct buf *out)
{
	struct buf joined = BUF_INIT(out->max), clean = BUF_INIT(out->max);
	int folder = base->len;

	if (ref->len == 0 || ref->text[0] != '/') {
		while (folder > 0 && base->text[folder - 1] != '/')
			folder--;
		buf_printf(&joined, "%.*s", folder, base->text);
		if (folder == 0)
			buf_char(&joined, '/');
	}
	buf_printf(&joined, "%.*s", ref->len, ref->text);
	fetch_url_dots(buf_text(&joined), &clean);
	buf_str(out, buf_text(&clean));
	out->failed |= joined.failed || clean.failed;
	buf_free(&joined);
	buf_free(&clean);
}

/* RFC 3986, 5.2.2 and 5.3; the fragment is left out. */
static void
fetch_url_join(const struct fetch_parts *base, const struct fetch_parts *ref,
    struct buf *out)
{
	bool own = ref->scheme.len >= 0, host = own || ref->authority.len >= 0;
	const struct fetch_part *scheme = own ? &ref->scheme : &base->scheme;
	const struct fetch_part *at = host ? &ref->authority :
	    &base->authority;
	const struct fetch_part *query = &ref->query;
	static const struct fetch_part none = { "", 0 };

	if (scheme->len < 0 || at->len < 0) {
		out->failed = true;
		return;
	}
	buf_printf(out, "%.*s://%.*s", scheme->len, scheme->text, at->len,
	    at->text);
	if (host) {
		fetch_url_path(&none, &ref->path, out);
	} else if (ref->path.len > 0) {
		fetch_url_path(&base->path, &ref->path, out);
	} else {
		fetch_url_path(&base->path, &base->path, out);
		if (query->len < 0)
			query = &base->query;
	}
	if (query->len >= 0)
		buf_printf(out, "?%.*s", query->len, query->text);
}

static bool
fetch_url_same(CURLU *a, CURLU *b, CURLUPart part)
{
	char *one = NULL, *two = NULL;
	bool same = false;

	if (curl_url_get(a, part, &one, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_get(b, part, &two, CURLU_DEFAULT_PORT) == CURLUE_OK)
		same = strcasecmp(one, two) == 0;
	curl_free(one);
	curl_free(two);
	return same;
}

bool
fetch_url_same_origin(CURLU *a, CURLU *b)
{
	return fetch_url_same(a, b, CURLUPART_SCHEME) &&
	    fetch_url_same(a, b, CURLUPART_HOST) &&
	    fetch_url_same(a, b, CURLUPART_PORT);
}

char *
fetch_resolve(const char *base, const char *reference, bool *same_origin)
{
	struct buf out = BUF_INIT(65536);
	struct fetch_parts from, to;
	CURLU *old = curl_url(), *new = curl_url();
	char *given = NULL;

	if (old == NULL || new == NULL ||
	    strlen(base) > 16384 || strlen(reference) > 16384 ||
	    curl_url_set(old, CURLUPART_URL, base, 0) != CURLUE_OK)
		goto out;
	fetch_url_split(base, &from);
	fetch_url_split(reference, &to);
	fetch_url_join(&from, &to, &out);
	if (out.failed || curl_url_set(new, CURLUPART_URL, buf_text(&out),
	    0) != CURLUE_OK)
		goto out;
	if (same_origin != NULL)
		*same_origin = fetch_url_same_origin(old, new);
	given = buf_give(&out);
out:
	buf_free(&out);
	curl_url_cleanup(old);
	curl_url_cleanup(new);
	return given;
}
