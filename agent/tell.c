/*
 * The two requests that a worker gets: what have you, and take this.
 */
#include "tell.h"

#include <string.h>

#include "buf.h"

enum { TELL_LINE_MAX = 16384, TELL_BODY_MAX = 65536 };

static void
tell_url(struct buf *url, const struct settings *settings, const char *path)
{
	size_t len = strlen(settings->worker_url);

	while (len > 0 && settings->worker_url[len - 1] == '/')
		len--;
	buf_add(url, settings->worker_url, len);
	buf_str(url, path);
}

static struct fetch *
tell_get(struct fetch_hub *hub, const struct settings *settings,
    const char *path, const char *key, tell_done *done, void *arg)
{
	const char *headers[] = { "Accept: application/json", NULL, NULL };
	struct buf url = BUF_INIT(TELL_LINE_MAX);
	struct buf line = BUF_INIT(TELL_LINE_MAX);
	struct fetch_request request = { .headers = headers,
		.user_agent = "dcm-agent/" DCM_VERSION,
		.timeout_ms = settings->timeout * 1000,
		.max_body = TELL_BODY_MAX, .done = done, .arg = arg };
	struct fetch *fetch = NULL;

	tell_url(&url, settings, path);
	if (key != NULL) {
		buf_printf(&line, "X-API-Key: %s", key);
		headers[1] = buf_text(&line);
	}
	request.url = buf_text(&url);
	if (!url.failed && !line.failed)
		fetch = fetch_start(hub, &request);
	if (line.data != NULL)
		explicit_bzero(line.data, line.len);
	buf_free(&line);
	buf_free(&url);
	return fetch;
}

struct fetch *
tell_state(struct fetch_hub *hub, const struct settings *settings,
    tell_done *done, void *arg)
{
	return tell_get(hub, settings, "/state", NULL, done, arg);
}

struct fetch *
tell_held(struct fetch_hub *hub, const struct settings *settings,
    tell_done *done, void *arg)
{
	return tell_get(hub, settings, "/config", settings->worker_key, done,
	    arg);
}

struct fetch *
tell_config(struct fetch_hub *hub, const struct settings *settings,
    const struct config *config, tell_done *done, void *arg)
{
	struct buf url = BUF_INIT(TELL_LINE_MAX);
	struct buf key = BUF_INIT(TELL_LINE_MAX);
	struct buf tag = BUF_INIT(TELL_LINE_MAX);
	const char *headers[] = { "Content-Type: application/json", NULL,
		NULL, NULL };
	struct fetch_request request = { .method = "POST",
		.headers = headers, .user_agent = "dcm-agent/" DCM_VERSION,
		.body = config->body, .body_len = config->len,
		.timeout_ms = settings->timeout * 1000,
		.max_body = TELL_BODY_MAX, .done = done, .arg = arg };
	struct fetch *fetch = NULL;

	tell_url(&url, settings, "/config");
	buf_printf(&tag, "ETag: %s", config->etag);
	headers[1] = buf_text(&tag);
	if (settings->worker_key != NULL) {
		buf_printf(&key, "X-API-Key: %s", settings->worker_key);
		headers[2] = buf_text(&key);
	}
	request.url = buf_text(&url);
	if (!url.failed && !key.failed && !tag.failed)
		fetch = fetch_start(hub, &request);
	if (key.data != NULL)
		explicit_bzero(key.data, key.len);
	buf_free(&url);
	buf_free(&key);
	buf_free(&tag);
	return fetch;
}
