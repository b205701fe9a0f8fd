/*
 * Where a request's path begins. The mount's configuration says it (BASE_PATH,
 * or the web server's SCRIPT_NAME); nothing is guessed from the request.
 *
 *   BASE_PATH=/dcm   /dcm/api/v1/config        prefix /dcm/api/v1, /config
 *   SCRIPT_NAME      /cgi-bin/config.fcgi with PATH_INFO /config, asked for
 *                    by that name: prefix /cgi-bin/config.fcgi; rewritten
 *                    from /cgi-bin/config: prefix /cgi-bin
 */
#include "gateway.h"

#include <string.h>

static const char gateway_api[] = "/api/v1";

/* Whether path lies below the len bytes of base; then the rest. */
static const char *
gateway_below(const char *path, const char *base, size_t len)
{
	if (strncmp(path, base, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len;
}

static size_t
gateway_trim(const char *base)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return len;
}

/* The path of REQUEST_URI as it was sent; "" when there is none. */
static void
gateway_target(const struct gateway_request *g, struct buf *out)
{
	const char *uri = gateway_variable(g, "REQUEST_URI"), *slashes;

	if (uri == NULL)
		return;
	slashes = strstr(uri, "://");	/* absolute-form, RFC 9112, 3.2.2 */
	if (uri[0] != '/' && slashes != NULL)
		uri = slashes + 3 + strcspn(slashes + 3, "/?");
	buf_add(out, uri, strcspn(uri, "?"));
}

/* What the web server decoded is encoded again: the routes decode. */
static void
gateway_encode(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= 0x20 || c >= 0x7f || c == '%' || c == '?')
			buf_printf(out, "%%%02X", c);
		else
			buf_char(out, (char)c);
	}
}

static void
gateway_set(struct gateway_request *g, const char *prefix, size_t len,
    const char *path)
{
	buf_reset(&g->prefix);
	buf_add(&g->prefix, prefix, len);
	buf_str(&g->path, path);
}

/* With BASE_PATH: what was asked for, or what the server made of it. */
static void
gateway_based(struct gateway_request *g, const char *base,
    const char *target, const char *seen)
{
	size_t len = gateway_trim(base);
	const char *path = gateway_below(target, base, len);

	if (path == NULL)
		path = gateway_below(seen, base, len);
	gateway_set(g, base, len, path != NULL ? path : "");
}

/* Without: SCRIPT_NAME, and the folder of the responder where that is what
 * was asked for. */
static void
gateway_scripted(struct gateway_request *g, const char *script,
    const char *target, const char *info)
{
	size_t len = gateway_trim(script), folder = len;

	while (folder > 0 && script[folder - 1] != '/')
		folder--;
	folder = folder > 0 ? folder - 1 : 0;
	if (gateway_below(target, script, len) == NULL &&
	    gateway_below(target, script, folder) != NULL &&
	    strcmp(target + folder, info) == 0)
		len = folder;
	gateway_set(g, script, len, info);
}

bool
gateway_mount(struct gateway_request *g, const struct controller *c)
{
	const char *base = gateway_variable(g, "BASE_PATH");
	const char *script = gateway_variable(g, "SCRIPT_NAME");
	const char *info = gateway_variable(g, "PATH_INFO");
	struct buf target = BUF_INIT(65536), seen = BUF_INIT(65536);
	const char *rest;
	bool ok;

	if (base == NULL || base[0] == '\0')
		base = c->settings.base_path;
	script = script != NULL ? script : "";
	gateway_target(g, &target);
	if (base != NULL)
		gateway_encode(&seen, script);
	gateway_encode(&seen, info != NULL ? info : "");
	if (base != NULL)
		gateway_based(g, base, buf_text(&target), buf_text(&seen));
	else
		gateway_scripted(g, script, buf_text(&target),
		    buf_text(&seen));
	rest = gateway_below(buf_text(&g->path), gateway_api,
	    sizeof(gateway_api) - 1);
	if (rest != NULL && rest[0] != '\0') {
		buf_str(&g->prefix, gateway_api);
		buf_drop(&g->path, sizeof(gateway_api) - 1);
	}
	g->route.prefix = buf_text(&g->prefix);
	g->route.path = buf_text(&g->path);
	ok = !g->prefix.failed && !g->path.failed && !target.failed &&
	    !seen.failed;
	buf_free(&target);
	buf_free(&seen);
	return ok;
}
