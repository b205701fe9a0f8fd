/*
 * Reads the worker's answers. An acknowledgement is a 2xx that names the
 * version which was given: any web server can say 200, and a configuration
 * that no worker holds must never be saved as applied.
 */
#include "ack.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "retry.h"
#include "route.h"

/* True: a 2xx with a JSON object, given in json. */
static bool
ack_begin(struct ack *a, const struct fetch_result *r, struct json **json)
{
	char words[WORDS_MAX];

	memset(a, 0, sizeof(*a));
	a->kind = ACK_FAILED;
	a->retry_after = -1;
	*json = NULL;
	if (r->end != FETCH_DONE) {
		a->kind = ACK_SILENT;
		snprintf(a->why, sizeof(a->why), "%s", r->detail);
		words_steady(a->why);
		return false;
	}
	a->status = r->status;
	if (r->status < 200 || r->status > 299) {
		words_of(r->body, words);
		snprintf(a->why, sizeof(a->why), "worker answered %d%s%s",
		    a->status, words[0] != '\0' ? ": " : "", words[0] != '\0' ?
		    words : "");
		return false;
	}
	*json = json_parse(buf_text(r->body), r->body->len, NULL);
	if (json_kind(*json) == JSON_OBJECT)
		return true;
	snprintf(a->why, sizeof(a->why), "worker answered %d, but not with a "
	    "JSON object", a->status);
	json_free(*json);
	*json = NULL;
	return false;
}

static void
ack_text(char *out, size_t size, const struct json *text)
{
	if (json_text(text) != NULL && strlen(json_text(text)) < size)
		snprintf(out, size, "%s", json_text(text));
}

void
ack_state(struct ack *a, const struct fetch_result *r)
{
	const struct json *version;
	struct json *json;

	if (!ack_begin(a, r, &json))
		return;
	version = json_get(json, "version");
	if (version != NULL && json_kind(version) != JSON_NULL &&
	    (!json_whole(version, &a->version) || a->version < 0)) {
		snprintf(a->why, sizeof(a->why), "worker answered /state "
		    "with a version that is no whole number");
	} else {
		ack_text(a->instance, sizeof(a->instance),
		    json_get(json, "instance_id"));
		ack_text(a->etag, sizeof(a->etag), json_get(json, "etag"));
		a->kind = ACK_TOLD;
	}
	json_free(json);
}

/* A 4xx judges the configuration, but for those that ask for patience. */
static void
ack_judge(struct ack *a, const struct fetch_result *r)
{
	const char *later = NULL;

	if (r->header != NULL)
		later = r->header(r->fetch, "Retry-After");
	if (later != NULL)
		a->retry_after = retry_after(later, time(NULL));
	if (a->status < 400 || a->status > 499 || a->status == 408 ||
	    a->status == 425 || a->status == 429)
		return;
	a->kind = ACK_REFUSED;
	a->locked = a->status == 401 || a->status == 403;
}

void
ack_config(struct ack *a, const struct fetch_result *r, long long version)
{
	long long said;
	struct json *json;

	if (!ack_begin(a, r, &json)) {
		if (a->status >= 300)
			ack_judge(a, r);
		return;
	}
	if (json_whole(json_get(json, "version"), &said) && said == version)
		a->kind = ACK_APPLIED;
	else
		snprintf(a->why, sizeof(a->why), "worker answered %d, but "
		    "does not name version %lld", a->status, version);
	json_free(json);
}
