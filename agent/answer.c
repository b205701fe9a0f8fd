/*
 * Reads the controller's answers, and trusts none: an answer is either what
 * the contract promises or a failure with a sentence that says why.
 */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "json.h"
#include "retry.h"
#include "route.h"

static const char *
answer_header(const struct fetch_result *r, const char *name)
{
	return r->header != NULL ? r->header(r->fetch, name) : NULL;
}

/* Whether a Content-Type is JSON (RFC 8259, 11; RFC 6839, 3.1). */
static bool
answer_is_json(const char *type)
{
	size_t len;

	if (type == NULL)
		return false;
	len = strcspn(type, "; \t");
	if (len == 16 && strncasecmp(type, "application/json", 16) == 0)
		return true;
	return len > 17 && strncasecmp(type, "application/", 12) == 0 &&
	    strncasecmp(type + len - 5, "+json", 5) == 0;
}

static void
answer_interval(struct answer *a, const struct fetch_result *r)
{
	const char *text = answer_header(r, "X-Poll-Interval-Seconds");
	char *end;
	long n;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return;
	n = strtol(text, &end, 10);
	if (*end == '\0' && n >= 1 && n <= CONFIG_INTERVAL_MAX)
		a->interval = n;
}

static void
answer_failed(struct answer *a, const struct fetch_result *r)
{
	char words[WORDS_MAX];

	a->kind = a->status == 401 ? ANSWER_DENIED : ANSWER_FAILED;
	words_of(r->body, words);
	snprintf(a->why, sizeof(a->why), "answered %d %s%s%s", a->status,
	    route_title(a->status), words[0] != '\0' ? ": " : "", words);
}

/* What all answers have in common. True: it came whole. */
static bool
answer_begin(struct answer *a, const struct fetch_result *r)
{
	const char *later;

	memset(a, 0, sizeof(*a));
	a->kind = ANSWER_FAILED;
	a->retry_after = -1;
	if (r->end != FETCH_DONE) {
		snprintf(a->why, sizeof(a->why), "%s", r->detail);
		words_steady(a->why);
		return false;
	}
	a->status = r->status;
	later = answer_header(r, "Retry-After");
	if (later != NULL)
		a->retry_after = retry_after(later, time(NULL));
	return true;
}

/* A 200 that carries JSON, or a failure. */
static bool
answer_is_good(struct answer *a, const struct fetch_result *r)
{
	const char *type = answer_header(r, "Content-Type");

	if (a->status != 200) {
		answer_failed(a, r);
		return false;
	}
	a->retry_after = -1;
	if (!answer_is_json(type)) {
		snprintf(a->why, sizeof(a->why), "answered 200 with %.100s, "
		    "not JSON", type != NULL ? type : "no content type");
		return false;
	}
	return true;
}

void
answer_poll(struct answer *a, const struct fetch_result *r, bool conditional)
{
	char why[CONFIG_WHY];

	if (!answer_begin(a, r))
		return;
	if (a->status == 304 && conditional) {
		answer_interval(a, r);
		a->retry_after = -1;
		a->kind = ANSWER_SAME;
		return;
	}
	if (!answer_is_good(a, r))
		return;
	if (!config_read(&a->config, buf_text(r->body), r->body->len,
	    answer_header(r, "ETag"), why)) {
		snprintf(a->why, sizeof(a->why), "answered 200, but %s", why);
		return;
	}
	answer_interval(a, r);
	if (a->config.interval > 0)
		a->interval = a->config.interval;
	a->kind = ANSWER_GOOD;
}

static bool
answer_wrong(struct answer *a, const char *what)
{
	snprintf(a->why, sizeof(a->why), "answered 200, but %s", what);
	return false;
}

static bool
answer_plain(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

static bool
answer_members(struct answer *a, const struct json *json, const char *base)
{
	const char *id = json_text(json_get(json, "agent_id"));
	const char *url = json_text(json_get(json, "poll_url"));
	const char *token = json_text(json_get(json, "token"));
	long long interval;
	bool same = false;

	if (id == NULL || !token_is_uuid(id))
		return answer_wrong(a, "its agent_id is not a UUID");
	snprintf(a->id, sizeof(a->id), "%s", id);
	if (url == NULL || !answer_plain(url) ||
	    (a->poll_url = fetch_resolve(base, url, &same)) == NULL)
		return answer_wrong(a, "its poll_url is not a URL");
	if (!same)
		return answer_wrong(a, "its poll_url is of another origin: "
		    "refused, as it would get the credential");
	if (token != NULL) {
		if (!answer_plain(token))
			return answer_wrong(a, "its token is malformed");
		a->token = strdup(token);
	}
	if (json_whole(json_get(json, "poll_interval_seconds"), &interval) &&
	    interval >= 1 && interval <= CONFIG_INTERVAL_MAX)
		a->interval = (long)interval;
	return true;
}

void
answer_register(struct answer *a, const struct fetch_result *r,
    const char *base)
{
	struct json_error error;
	struct json *json;

	if (!answer_begin(a, r) || !answer_is_good(a, r))
		return;
	json = json_parse(buf_text(r->body), r->body->len, &error);
	if (json == NULL)
		snprintf(a->why, sizeof(a->why), "answered 200, but it is "
		    "not JSON: %s (byte %zu)", error.message, error.offset);
	else if (json_kind(json) != JSON_OBJECT)
		answer_wrong(a, "it is not an object");
	else if (answer_members(a, json, base))
		a->kind = ANSWER_GOOD;
	json_free(json);
}

void
answer_report(struct answer *a, const struct fetch_result *r)
{
	if (!answer_begin(a, r))
		return;
	if (a->status == 200 || a->status == 204) {
		a->retry_after = -1;
		a->kind = ANSWER_GOOD;
	} else {
		answer_failed(a, r);
	}
}

void
answer_free(struct answer *a)
{
	free(a->poll_url);
	free(a->token);
	config_free(&a->config);
	memset(a, 0, sizeof(*a));
}
