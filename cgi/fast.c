/*
 * The fast path's judgement. It never refuses and never guesses: what is not
 * the plain case is left to the responders, who answer as if this were not
 * there. What it knows are the files that they keep (front_read.c); where
 * those are missing, malformed or no longer vouched for, it knows nothing.
 *
 * Each poll is one line in STATE_DIR/beats, heartbeat and count: of one that
 * comes alone it is there before the answer, else soon (gather.c).
 *
 * It runs in lighttpd's process: bytes from outside are bounded where they
 * come in, and nothing here ends the process or waits.
 */
#include "fast.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"

#define FAST_SCHEME "Bearer "

bool
fast_open(struct fast *f, const char *state_dir)
{
	f->target[0] = '\0';
	if (!front_open_view(&f->front, state_dir, clock_wall()))
		return false;
	f->gather = gather_open(state_dir);
	if (f->gather == NULL)
		front_close_view(&f->front);
	return f->gather != NULL;
}

void
fast_close(struct fast *f)
{
	gather_close(f->gather);
	front_close_view(&f->front);
}

/* --- the request -------------------------------------------------------- */

#define FAST_ROW(text, what) { text, sizeof(text) - 1, what }

static bool
fast_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-';
}

/* Whether a name is that of a row, which is in lower case. */
static bool
fast_named(const char *name, const char *row, size_t len)
{
	size_t i = 0;

	while (i < len && (name[i] == row[i] || (name[i] >= 'A' &&
	    name[i] <= 'Z' && (name[i] | 0x20) == row[i])))
		i++;
	return i == len;
}

enum fast_field
fast_field(const char *name, size_t len)
{
	static const struct {
		const char *name;
		size_t len;
		enum fast_field field;
	} rows[] = {
		FAST_ROW("authorization", FAST_AUTHORIZATION),
		FAST_ROW("cache-control", FAST_CACHE),
		FAST_ROW("content-length", FAST_OTHER),
		FAST_ROW("expect", FAST_OTHER),
		FAST_ROW("if-none-match", FAST_TAGS),
		FAST_ROW("range", FAST_OTHER),
		FAST_ROW("transfer-encoding", FAST_OTHER),
		FAST_ROW("upgrade", FAST_OTHER),
		FAST_ROW("x-agent-id", FAST_ID),
		FAST_ROW("x-agent-state", FAST_STATE),
		FAST_ROW("x-api-key", FAST_KEY),
		FAST_ROW("x-applied-version", FAST_VERSION),
		FAST_ROW("x-request-id", FAST_REQUEST),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].len == len && fast_named(name, rows[i].name, len))
			return rows[i].field;
	for (size_t i = 0; i < len; i++)
		if (!fast_letter(name[i]))
			return FAST_OTHER;
	return FAST_NOTHING;
}

/* A GET or HEAD of the path itself: nothing encoded, no query. */
static bool
fast_plain(struct fast *f, const struct fast_poll *p)
{
	size_t len;

	if (p->method == NULL || p->target == NULL ||
	    (strcmp(p->method, "GET") != 0 && strcmp(p->method, "HEAD") != 0))
		return false;
	if (strcmp(p->target, f->target) == 0)
		return true;
	len = strlen(p->target);
	if (p->path == NULL || strcmp(p->target, p->path) != 0 ||
	    len >= sizeof(f->target))
		return false;
	memcpy(f->target, p->target, len + 1);
	return true;
}

/* Who asks, when his credential is good; false: for others to judge. */
static bool
fast_caller(const struct fast *f, const struct fast_poll *p,
    struct store_beat *beat)
{
	const char *token = p->fields[FAST_AUTHORIZATION];
	const char *key = p->fields[FAST_KEY], *id = p->fields[FAST_ID];
	size_t scheme = strlen(FAST_SCHEME);
	char whose[TOKEN_UUID];
	long long generation;

	if ((token == NULL) == (key == NULL))
		return false;
	if (key != NULL) {
		beat_whose(beat, id);
		return front_key_good(&f->front, key);
	}
	beat->trusted = true;
	return strncmp(token, FAST_SCHEME, scheme) == 0 &&
	    pass_check(&f->front.key, token + scheme, whose, &generation) &&
	    beat_whose(beat, whose) &&
	    front_token_good(&f->front, beat->id, generation) &&
	    (id == NULL || strcasecmp(id, whose) == 0);
}

/* What a caller who has such tags is to get; 0 for a list, and for one that
 * is newer than what is known here. */
static int
fast_status(const struct fast *f, const char *tags)
{
	long long version;

	if (tags == NULL)
		return 200;
	if (strcmp(tags, f->front.tag) == 0)
		return 304;
	version = etag_single(tags);
	if (version < 0 || version > f->front.version)
		return 0;
	return etag_match(tags, f->front.tag) ? 304 : 200;
}

int
fast_answer(struct fast *f, const struct fast_poll *p, struct fast_reply *r)
{
	const char *cache = p->fields[FAST_CACHE];
	struct store_beat beat = { .at = clock_wall() };
	int status;

	if (!fast_plain(f, p) ||
	    (cache != NULL && strcasestr(cache, "no-cache") != NULL) ||
	    !front_look(&f->front, beat.at) || !fast_caller(f, p, &beat))
		return 0;
	status = fast_status(f, p->fields[FAST_TAGS]);
	if (status == 0)
		return 0;
	beat_said(&beat, p->fields[FAST_VERSION], p->fields[FAST_STATE]);
	if (!gather_note(f->gather, &beat, status))
		return 0;
	route_id(r->id, p->fields[FAST_REQUEST]);
	r->etag = f->front.tag;
	r->interval = f->front.interval;
	r->body = status == 200 ? &f->front.body : NULL;
	return status;
}
