/*
 * The three requests that the controller gets. The token stands for this
 * agent and is used where there is one; the fleet's credential registers.
 * Redirects are not followed: a credential goes where it was meant to go.
 */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"

enum {
	ASK_LINE_MAX = 16384,
	ASK_ANSWER_MAX = 65536,	/* bytes, but for a configuration */
	ASK_HEADERS = 10,
};

/* A request under construction. */
struct ask_made {
	struct buf url, body;
	struct buf lines[ASK_HEADERS];
	const char *headers[ASK_HEADERS + 1];
	size_t count;
	struct fetch_request request;
};

static void
ask_begin(struct ask_made *m, const struct settings *s, ask_done *done,
    void *arg)
{
	memset(m, 0, sizeof(*m));
	buf_init(&m->url, ASK_LINE_MAX);
	buf_init(&m->body, ASK_ANSWER_MAX);
	m->request = (struct fetch_request){
		.user_agent = "dcm-agent/" DCM_VERSION,
		.ca_file = s->ca_file, .cert_file = s->cert_file,
		.key_file = s->key_file, .timeout_ms = s->timeout * 1000,
		.max_body = ASK_ANSWER_MAX, .done = done, .arg = arg };
}

__attribute__((format(printf, 2, 3))) static void
ask_header(struct ask_made *m, const char *fmt, ...)
{
	struct buf *line = &m->lines[m->count];
	va_list ap;

	buf_init(line, ASK_LINE_MAX);
	va_start(ap, fmt);
	buf_vprintf(line, fmt, ap);
	va_end(ap);
	m->headers[m->count++] = buf_text(line);
	m->url.failed |= line->failed;
}

static struct fetch *
ask_end(struct ask_made *m, struct fetch_hub *hub)
{
	struct fetch *fetch = NULL;

	m->request.url = buf_text(&m->url);
	m->request.headers = m->headers;
	if (m->body.len > 0) {
		m->request.body = m->body.data;
		m->request.body_len = m->body.len;
		ask_header(m, "Content-Type: application/json");
	}
	if (!m->url.failed && !m->body.failed)
		fetch = fetch_start(hub, &m->request);
	buf_free(&m->url);
	buf_free(&m->body);
	for (size_t i = 0; i < m->count; i++) {
		if (m->lines[i].data != NULL)
			explicit_bzero(m->lines[i].data, m->lines[i].len);
		buf_free(&m->lines[i]);
	}
	return fetch;
}

static void
ask_fleet(struct ask_made *m, const struct settings *s)
{
	if (s->api_key != NULL) {
		ask_header(m, "X-API-Key: %s", s->api_key);
	} else {
		m->request.username = s->username;
		m->request.password = s->password;
	}
}

static void
ask_self(struct ask_made *m, const struct ask *ask)
{
	if (ask->state->token != NULL)
		ask_header(m, "Authorization: Bearer %s", ask->state->token);
	else
		ask_fleet(m, ask->settings);
	ask_header(m, "X-Agent-ID: %s", ask->state->id);
}

/* CONTROLLER_URL with a path behind it. */
static void
ask_url(struct ask_made *m, const struct settings *s)
{
	size_t len = strlen(s->controller_url);

	while (len > 0 && s->controller_url[len - 1] == '/')
		len--;
	buf_add(&m->url, s->controller_url, len);
}

static void
ask_text(struct buf *body, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(body, ",\"%s\":", name);
	json_put_text(body, text);
}

struct fetch *
ask_register(const struct ask *ask, long port, ask_done *done, void *arg)
{
	const struct settings *s = ask->settings;
	struct ask_made m;

	ask_begin(&m, s, done, arg);
	ask_url(&m, s);
	buf_str(&m.url, "/register");
	ask_fleet(&m, s);
	ask_header(&m, "X-Agent-ID: %s", ask->state->id);
	ask_header(&m, "Accept: application/json");
	buf_str(&m.body, "{\"version\":");
	json_put_text(&m.body, DCM_VERSION);
	if (port > 0)
		buf_printf(&m.body, ",\"port\":%ld", port);
	ask_text(&m.body, "hostname", s->hostname);
	ask_text(&m.body, "ip_address", s->ip);
	if (s->metadata != NULL && s->metadata[0] == '{')
		buf_printf(&m.body, ",\"metadata\":%s", s->metadata);
	else
		ask_text(&m.body, "metadata", s->metadata);
	buf_char(&m.body, '}');
	return ask_end(&m, ask->hub);
}

struct fetch *
ask_config(const struct ask *ask, const struct ask_news *news,
    const struct ask_poll *poll, ask_done *done, void *arg)
{
	struct ask_made m;

	ask_begin(&m, ask->settings, done, arg);
	buf_str(&m.url, ask->state->poll_url);
	if (poll->hold > 0) {
		buf_printf(&m.url, "%cwait=%ld",
		    strchr(ask->state->poll_url, '?') != NULL ? '&' : '?',
		    poll->hold);
		m.request.timeout_ms += poll->hold * 1000;
	}
	m.request.max_body = CONFIG_BODY_MAX;
	ask_self(&m, ask);
	ask_header(&m, "X-Applied-Version: %lld", news->applied);
	ask_header(&m, "X-Agent-State: %s", news->word);
	ask_header(&m, "Accept: application/json");
	if (poll->etag[0] != '\0')
		ask_header(&m, "If-None-Match: %s", poll->etag);
	if (poll->fresh)
		ask_header(&m, "Cache-Control: no-cache");
	return ask_end(&m, ask->hub);
}

struct fetch *
ask_report(const struct ask *ask, const struct ask_news *news, ask_done *done,
    void *arg)
{
	struct ask_made m;

	ask_begin(&m, ask->settings, done, arg);
	ask_url(&m, ask->settings);
	buf_printf(&m.url, "/agents/%s/status", ask->state->id);
	ask_self(&m, ask);
	buf_printf(&m.body, "{\"applied_version\":%lld", news->applied);
	ask_text(&m.body, "state", news->word);
	if (news->why[0] != '\0')
		ask_text(&m.body, "error", news->why);
	buf_char(&m.body, '}');
	return ask_end(&m, ask->hub);
}

struct fetch *
ask_health(const struct ask *ask, ask_done *done, void *arg)
{
	struct ask_made m;

	ask_begin(&m, ask->settings, done, arg);
	ask_url(&m, ask->settings);
	buf_str(&m.url, "/health");
	return ask_end(&m, ask->hub);
}

struct fetch *
ask_credential(const struct ask *ask, ask_done *done, void *arg)
{
	struct ask_made m;

	ask_begin(&m, ask->settings, done, arg);
	ask_url(&m, ask->settings);
	buf_str(&m.url, "/register");
	ask_fleet(&m, ask->settings);
	buf_str(&m.body, "[]");
	return ask_end(&m, ask->hub);
}
