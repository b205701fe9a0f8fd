/*
 * Reads what the responders publish for lighttpd's fast path (front.h). A line
 * of `now` is believed when both files are what it says, and when it was
 * written since this began and less than a lease ago.
 *
 * It runs in lighttpd: it waits for nobody, writes nothing, and bounds what
 * it reads.
 */
#include "front_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "hex.h"
#include "keep.h"
#include "version.h"

#define FRONT_DIGITS "0123456789"

enum {
	FRONT_PATH = 4096,
	FRONT_INTERVAL_MAX = 9,		/* digits */
};

/* A line of now. */
struct front_now {
	char at[FRONT_NUMBER_SIZE];
	char tag[ETAG_SIZE];
	char interval[FRONT_NUMBER_SIZE];
	char stamp[FRONT_STAMP_SIZE];
};

/* What a file of credentials says. */
struct front_secrets {
	struct pass_key key;
	bool agent, tokens;
	unsigned char agent_sum[TOKEN_SHA256];
	struct front_raised *raised;
	size_t count, room;
};

bool
front_open_view(struct front_view *v, const char *state_dir, long long now)
{
	*v = (struct front_view){
		.begun = now, .looked = now - FRONT_LOOK_MS,
		.body = BUF_INIT(VERSION_BODY_MAX),
	};
	if (asprintf(&v->folder, "%s/front", state_dir) < 0)
		v->folder = NULL;
	return v->folder != NULL;
}

void
front_close_view(struct front_view *v)
{
	free(v->folder);
	free(v->raised);
	buf_free(&v->body);
	explicit_bzero(v, sizeof(*v));
}

/* Whether a file of the folder was read whole. */
static bool
front_read_file(const struct front_view *v, const char *name, struct buf *into)
{
	char path[FRONT_PATH];

	return snprintf(path, sizeof(path), "%s/%s", v->folder, name) <
	    (int)sizeof(path) && keep_read_plain(path, into) == 0 &&
	    strlen(buf_text(into)) == into->len;
}

/* --- now ---------------------------------------------------------------- */

/* Takes what stands before `end`, which is there, and goes on behind it. */
static bool
front_word(const char **text, char end, char *out, size_t size)
{
	const char *stop = strchr(*text, end);
	size_t n = stop != NULL ? (size_t)(stop - *text) : 0;

	if (n == 0 || n >= size)
		return false;
	memcpy(out, *text, n);
	out[n] = '\0';
	*text = stop + 1;
	return true;
}

static bool
front_number(const char *word)
{
	return word[strspn(word, FRONT_DIGITS)] == '\0';
}

static bool
front_now_read(const struct front_view *v, struct front_now *said)
{
	struct buf line = BUF_INIT(FRONT_LINE);
	const char *text;
	bool ok;

	ok = front_read_file(v, "now", &line);
	text = buf_text(&line);
	ok = ok && front_word(&text, ' ', said->at, sizeof(said->at)) &&
	    front_number(said->at) &&
	    front_word(&text, ' ', said->tag, sizeof(said->tag)) &&
	    said->tag[0] == '"' && etag_single(said->tag) >= 0 &&
	    front_word(&text, ' ', said->interval, FRONT_INTERVAL_MAX + 1) &&
	    front_number(said->interval) &&
	    front_word(&text, '\n', said->stamp, sizeof(said->stamp)) &&
	    strlen(said->stamp) == FRONT_STAMP_SIZE - 1 && *text == '\0';
	buf_free(&line);
	return ok;
}

/* --- published ---------------------------------------------------------- */

static bool
front_published_read(struct front_view *v, const char *tag)
{
	struct buf body = BUF_INIT(VERSION_BODY_MAX);
	char made[ETAG_SIZE];

	if (strcmp(tag, v->tag) == 0)
		return true;
	if (front_read_file(v, "published", &body))
		etag_make(made, etag_single(tag), body.data, body.len);
	else
		made[0] = '\0';
	if (strcmp(made, tag) != 0) {
		buf_free(&body);
		return false;
	}
	buf_free(&v->body);
	v->body = body;
	v->version = etag_single(tag);
	memcpy(v->tag, made, sizeof(v->tag));
	return true;
}

/* --- credentials -------------------------------------------------------- */

static bool
front_secrets_bytes(const char *text, unsigned char out[TOKEN_SHA256])
{
	size_t len = strlen(text);

	if (len != 2 * TOKEN_SHA256)
		return false;
	for (size_t i = 0; i < TOKEN_SHA256; i++) {
		int byte = hex_pair(text + 2 * i, 2);

		if (byte < 0)
			return false;
		out[i] = (unsigned char)byte;
	}
	return true;
}

/* "ID GENERATION". */
static bool
front_secrets_raised(struct front_secrets *k, char *line)
{
	char *number = line + TOKEN_UUID;
	struct front_raised *row = &k->raised[k->count];

	if (k->count == k->room || strlen(line) <= TOKEN_UUID ||
	    number[-1] != ' ' || strlen(number) >= FRONT_NUMBER_SIZE ||
	    !front_number(number))
		return false;
	number[-1] = '\0';
	if (!token_is_uuid(line))
		return false;
	memcpy(row->id, line, TOKEN_UUID);
	row->generation = strtoll(number, NULL, 10);
	row->line = k->count++;
	return true;
}

/* False: it is none that a responder writes. */
static bool
front_secrets_line(struct front_secrets *k, char *line)
{
	unsigned char key[PASS_KEY];

	if (k->tokens)
		return false;		/* that is the last one */
	if (!k->key.known) {
		k->key.known = strncmp(line, "key ", 4) == 0 &&
		    front_secrets_bytes(line + 4, key);
		if (k->key.known)
			pass_set(&k->key, key);
		explicit_bzero(key, sizeof(key));
		return k->key.known;
	}
	if (strcmp(line, "tokens") == 0)
		return k->tokens = true;
	if (strncmp(line, "agent ", 6) == 0)
		return k->agent = front_secrets_bytes(line + 6, k->agent_sum);
	return front_secrets_raised(k, line);
}

static int
front_raised_order(const void *a, const void *b)
{
	const struct front_raised *x = a, *y = b;
	int order = memcmp(x->id, y->id, TOKEN_UUID);

	if (order != 0)
		return order;
	return (x->line > y->line) - (x->line < y->line);
}

static bool
front_secrets_parse(struct front_secrets *k, char *text)
{
	size_t lines = 0;
	char *end;

	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	k->room = lines;
	k->raised = calloc(lines + 1, sizeof(*k->raised));
	if (k->raised == NULL)
		return false;
	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		*end = '\0';
		if (!front_secrets_line(k, text))
			return false;
	}
	if (k->count > 1)
		qsort(k->raised, k->count, sizeof(*k->raised),
		    front_raised_order);
	return k->key.known && *text == '\0';
}

static void
front_secrets_learn(struct front_view *v, const struct front_secrets *k)
{
	free(v->raised);
	v->key = k->key;
	v->agent = k->agent;
	memcpy(v->agent_sum, k->agent_sum, sizeof(v->agent_sum));
	v->tokens = k->tokens;
	v->raised = k->raised;
	v->count = k->count;
}

static bool
front_secrets_read(struct front_view *v, const char *stamp)
{
	struct buf text = BUF_INIT(FRONT_SECRETS_MAX);
	struct front_secrets known = { .count = 0 };
	unsigned char sum[TOKEN_SHA256];
	char hex[2 * TOKEN_SHA256 + 1];
	bool ok;

	if (strcmp(stamp, v->stamp) == 0)
		return true;
	/* at once: what is grown leaves its secrets in freed memory */
	ok = buf_room(&text, text.max) != NULL &&
	    front_read_file(v, "credentials", &text);
	token_sha256(sum, buf_text(&text), text.len);
	token_hex(hex, sum, sizeof(sum));
	hex[FRONT_STAMP_SIZE - 1] = '\0';
	ok = ok && strcmp(hex, stamp) == 0 &&
	    front_secrets_parse(&known, text.data);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	if (ok) {
		front_secrets_learn(v, &known);
		memcpy(v->stamp, hex, sizeof(v->stamp));
	} else {
		free(known.raised);
	}
	explicit_bzero(&known, sizeof(known));
	return ok;
}

/* --- what is known ------------------------------------------------------ */

bool
front_look(struct front_view *v, long long now)
{
	struct front_now said;
	long long at;

	if (now >= v->looked && now - v->looked < FRONT_LOOK_MS)
		return v->good;
	if (now < v->looked)
		v->begun = now;		/* the clock was set back */
	v->looked = now;
	v->good = false;
	if (!front_now_read(v, &said))
		return false;
	at = strtoll(said.at, NULL, 10);
	if (at < v->begun || at < now - FRONT_LEASE_MS ||
	    at > now + FRONT_AHEAD_MS)
		return false;
	if (!front_published_read(v, said.tag) ||
	    !front_secrets_read(v, said.stamp))
		return false;
	memcpy(v->interval, said.interval, sizeof(v->interval));
	return v->good = true;
}

void
front_key_sum(const struct pass_key *key, const char *sent,
    unsigned char out[TOKEN_SHA256])
{
	struct token_mac mac = key->mac;

	token_mac_add(&mac, FRONT_LABEL, strlen(FRONT_LABEL));
	token_mac_add(&mac, sent, strlen(sent));
	token_mac_end(&mac, out);
}

bool
front_key_good(const struct front_view *v, const char *key)
{
	unsigned char sum[TOKEN_SHA256];

	if (!v->agent)
		return false;
	front_key_sum(&v->key, key, sum);
	return token_same(sum, v->agent_sum, sizeof(sum));
}

bool
front_token_good(const struct front_view *v, const char *id,
    long long generation)
{
	size_t from = 0, to = v->count;
	long long present = 1;

	if (!v->tokens)
		return false;
	while (from < to) {	/* to behind the last of that id */
		size_t at = from + (to - from) / 2;

		if (strcmp(v->raised[at].id, id) <= 0)
			from = at + 1;
		else
			to = at;
	}
	if (from > 0 && strcmp(v->raised[from - 1].id, id) == 0)
		present = v->raised[from - 1].generation;
	return generation == present;
}
