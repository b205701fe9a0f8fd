/*
 * Requests, put together from parts: a million agents ask without printf(3).
 */
#include "fleet_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet_id.h"

bool
ask_open(struct ask *ask, const struct fleet_option *o)
{
	char wait[32] = "";
	int n;

	if (o->hold > 0)
		snprintf(wait, sizeof(wait), "?wait=%ld", o->hold);
	*ask = (struct ask){
		.key = o->token_key == NULL ? o->agent_key : NULL,
		.seed = (uint64_t)o->seed,
		.beats = strcmp(o->beats, "on") == 0,
		.keeps = o->keeps,
		.tags = calloc(ASK_TAGS, sizeof(*ask->tags)),
		.tagged = 1,
	};
	n = snprintf(ask->head, sizeof(ask->head),
	    "GET %s/config%s HTTP/1.1\r\nHost: %s\r\n", o->path, wait, o->host);
	return ask->tags != NULL && n < (int)sizeof(ask->head) &&
	    (o->agent_key == NULL || strlen(o->agent_key) < ASK_MAX / 4) &&
	    (o->admin_key == NULL || strlen(o->admin_key) < ASK_MAX / 4);
}

void
ask_close(struct ask *ask)
{
	free(ask->tags);
}

static char *
ask_number(char *out, long long n)
{
	char digits[24];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	memcpy(out, digits + i, sizeof(digits) - i);
	return out + sizeof(digits) - i;
}

size_t
ask_poll(const struct ask *ask, const struct agent_set *set, uint32_t who,
    char *out)
{
	const struct agent *a = &set->all[who];
	const struct ask_tag *tag = &ask->tags[a->tag];
	char id[TOKEN_UUID], *p = stpcpy(out, ask->head);

	id_make(id, ask->seed, who);
	if (ask->key == NULL) {
		p = stpcpy(p, "Authorization: Bearer dcm1.");
		p = stpcpy(stpcpy(p, id), ".");
		p = stpcpy(ask_number(p, a->generation), ".");
		p = stpcpy(p, set->sign[who]);
	} else {
		p = stpcpy(stpcpy(p, "X-API-Key: "), ask->key);
		p = stpcpy(stpcpy(p, "\r\nX-Agent-ID: "), id);
	}
	if (a->tag != 0)
		p = stpcpy(stpcpy(p, "\r\nIf-None-Match: "), tag->text);
	if (a->hinted)
		p = stpcpy(p, "\r\nCache-Control: no-cache");
	if (ask->beats) {
		p = stpcpy(p, "\r\nX-Agent-State: ok\r\nX-Applied-Version: ");
		p = ask_number(p, tag->version);
	}
	if (!ask->keeps)
		p = stpcpy(p, "\r\nConnection: close");
	p = stpcpy(p, "\r\n\r\n");
	return (size_t)(p - out);
}

size_t
ask_register(const struct fleet_option *o, uint32_t who, char *out)
{
	char id[TOKEN_UUID];
	int n;

	id_make(id, (uint64_t)o->seed, who);
	n = snprintf(out, ASK_MAX, "POST %s/register HTTP/1.1\r\nHost: %s\r\n"
	    "X-API-Key: %s\r\nX-Agent-ID: %s\r\nContent-Length: 0\r\n%s"
	    "\r\n", o->path, o->host, o->agent_key, id,
	    o->keeps ? "" : "Connection: close\r\n");
	return (size_t)n;
}

static nghttp2_nv
ask_pair(char *name, size_t named, char *value, size_t n)
{
	nghttp2_nv nv = {
		.name = (uint8_t *)name, .namelen = named,
		.value = (uint8_t *)value, .valuelen = n,
		.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME |
		    NGHTTP2_NV_FLAG_NO_COPY_VALUE,
	};

	/* no proxy keeps credentials in a table that others share */
	if (named == 13 && memcmp(name, "authorization", 13) == 0)
		nv.flags |= NGHTTP2_NV_FLAG_NO_INDEX;
	return nv;
}

size_t
ask_fields(char *p, nghttp2_nv nv[ASK_FIELDS])
{
	static char method[] = ":method", path[] = ":path",
	    scheme[] = ":scheme", http[] = "http", authority[] = ":authority";
	size_t n = 0, len = strcspn(p, " ");

	nv[n++] = ask_pair(method, 7, p, len);
	p += len + 1;
	len = strcspn(p, " ");
	nv[n++] = ask_pair(path, 5, p, len);
	nv[n++] = ask_pair(scheme, 7, http, 4);
	for (p = strchr(p, '\n') + 1; *p != '\r' && n < ASK_FIELDS;
	    p += len + 2) {
		char *name = p;

		for (; *p != ':'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		len = strcspn(p + 2, "\r");
		nv[n++] = p - name == 4 && memcmp(name, "host", 4) == 0 ?
		    ask_pair(authority, 10, p + 2, len) :
		    ask_pair(name, (size_t)(p - name), p + 2, len);
		p += 2;
	}
	return n;
}

bool
ask_registered(struct agent_set *set, uint32_t who, const char *body)
{
	static const char before[] = "\"token\":\"dcm1.";
	const char *token = strstr(body, before);
	char sign[AGENT_SIGN];
	unsigned generation;

	if (token == NULL || sscanf(token + strlen(before),
	    "%*36[0-9a-f-].%3u.%43[^\"]", &generation, sign) != 2 ||
	    generation > UINT8_MAX || strlen(sign) != AGENT_SIGN - 1)
		return false;
	set->all[who].generation = (uint8_t)generation;
	memcpy(set->sign[who], sign, AGENT_SIGN);
	return true;
}

size_t
ask_publish(const struct fleet_option *o, char *out)
{
	struct timespec now;
	char body[128];
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	n = snprintf(body, sizeof(body), "{\"url\":\"http://127.0.0.1/%lld."
	    "%09ld\"}", (long long)now.tv_sec, now.tv_nsec);
	n = snprintf(out, ASK_MAX, "POST %s/config HTTP/1.1\r\nHost: %s\r\n"
	    "X-API-Key: %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
	    o->path, o->host, o->admin_key, n, body);
	return (size_t)n;
}

uint16_t
ask_tag(struct ask *ask, const char *text)
{
	uint16_t i = (uint16_t)(ask->tagged - 1);
	long long version = etag_version(text);

	for (; i > 0; i--)
		if (strcmp(ask->tags[i].text, text) == 0)
			return i;
	if (text[0] == '\0' || strlen(text) >= ETAG_SIZE ||
	    ask->tagged == ASK_TAGS)
		return 0;
	strcpy(ask->tags[ask->tagged].text, text);
	ask->tags[ask->tagged].version = version > 0 ? version : 0;
	return ask->tagged++;
}
