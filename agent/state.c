/*
 * The state file: printed, parsed, put aside. A file is believed whole or
 * not at all; only the id, which has a check of its own, is taken from a
 * broken one, so that the controller's books do not gain a stranger.
 */
#include "state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keep.h"

enum {
	STATE_CHECK = 8,	/* hex digits behind the id */
	STATE_SUM = 7 + 2 * TOKEN_SHA256 + 1,	/* the last line */
};

static const char state_first[] = "dcm-agent state 1\n";

void
state_free(struct state *s)
{
	free(s->controller);
	free(s->poll_url);
	if (s->token != NULL)
		explicit_bzero(s->token, strlen(s->token));
	free(s->token);
	config_free(&s->good);
	memset(s, 0, sizeof(*s));
}

bool
state_set(char **text, const char *value)
{
	char *copy = NULL;

	if (value != NULL) {
		size_t len = strlen(value);

		if (len == 0 || len > STATE_VALUE_MAX)
			return false;
		for (size_t i = 0; i < len; i++)
			if (value[i] < 0x21 || value[i] > 0x7e)
				return false;
		copy = strdup(value);
		if (copy == NULL)
			return false;
	}
	free(*text);
	*text = copy;
	return true;
}

static void
state_digest(char hex[2 * TOKEN_SHA256 + 1], const char *text, size_t len)
{
	unsigned char sum[TOKEN_SHA256];

	token_sha256(sum, text, len);
	token_hex(hex, sum, sizeof(sum));
}

/* The file's bytes; out->failed when they do not fit. */
static void
state_print(const struct state *s, struct buf *out)
{
	char hex[2 * TOKEN_SHA256 + 1];

	buf_str(out, state_first);
	state_digest(hex, s->id, strlen(s->id));
	buf_printf(out, "agent_id %s %.8s\n", s->id, hex);
	if (s->controller != NULL)
		buf_printf(out, "controller %s\n", s->controller);
	if (s->poll_url != NULL)
		buf_printf(out, "poll_url %s\n", s->poll_url);
	if (s->token != NULL)
		buf_printf(out, "token %s\n", s->token);
	buf_printf(out, "poll_interval_seconds %ld\n", s->interval);
	if (s->good.version > 0) {
		buf_printf(out, "version %lld\netag %s\nbody %zu\n",
		    s->good.version, s->good.etag, s->good.len);
		buf_add(out, s->good.body, s->good.len);
		buf_char(out, '\n');
	}
	state_digest(hex, buf_text(out), out->len);
	buf_printf(out, "sha256 %s\n", hex);
}

/* The rest of the bytes to read. */
struct state_rest {
	const char *at, *end;
};

/* The value of a line "name value\n" when it is the next one: given, or NULL
 * and nothing was read. */
static char *
state_line(struct state_rest *rest, const char *name)
{
	size_t n = strlen(name), left = (size_t)(rest->end - rest->at);
	const char *newline = memchr(rest->at, '\n', left);
	char *value;

	if (newline == NULL || left < n || memcmp(rest->at, name, n) != 0)
		return NULL;
	value = strndup(rest->at + n, (size_t)(newline - rest->at) - n);
	if (value != NULL)
		rest->at = newline + 1;
	return value;
}

static bool
state_number(struct state_rest *rest, const char *name, long long max,
    long long *out)
{
	char *value = state_line(rest, name), *end;
	bool fits = false;

	if (value == NULL)
		return false;
	errno = 0;
	*out = strtoll(value, &end, 10);
	fits = end != value && *end == '\0' && errno == 0 && *out >= 0 &&
	    *out <= max;
	free(value);
	return fits;
}

static bool
state_parse_id(struct state *s, const char *value)
{
	char id[TOKEN_UUID], hex[2 * TOKEN_SHA256 + 1];

	if (strlen(value) != TOKEN_UUID + STATE_CHECK)
		return false;
	memcpy(id, value, TOKEN_UUID - 1);
	id[TOKEN_UUID - 1] = '\0';
	state_digest(hex, id, strlen(id));
	if (!token_is_uuid(id) || value[TOKEN_UUID - 1] != ' ' ||
	    memcmp(value + TOKEN_UUID, hex, STATE_CHECK) != 0)
		return false;
	memcpy(s->id, id, sizeof(id));
	return true;
}

/* The id's line, wherever it stands. */
static void
state_rescue_id(struct state *s, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *p = text; p != NULL && p < end;) {
		struct state_rest rest = { p, end };
		char *value = state_line(&rest, "agent_id ");
		bool found = value != NULL && state_parse_id(s, value);

		free(value);
		if (found)
			return;
		p = memchr(p, '\n', (size_t)(end - p));
		p = p != NULL ? p + 1 : NULL;
	}
}

static bool
state_parse_text(struct state_rest *rest, const char *name, char **text)
{
	char *value = state_line(rest, name);
	bool fits = value == NULL || state_set(text, value);

	free(value);
	return fits;
}

static bool
state_parse_config(struct state_rest *rest, struct config *c)
{
	char why[CONFIG_WHY], *etag = NULL;
	long long version, len;
	bool fits = false;

	if (rest->at == rest->end)
		return true;
	if (!state_number(rest, "version ", LLONG_MAX, &version) ||
	    (etag = state_line(rest, "etag ")) == NULL ||
	    !state_number(rest, "body ", CONFIG_BODY_MAX, &len))
		goto out;
	if (rest->end - rest->at == len + 1 && rest->at[len] == '\n' &&
	    config_read(c, rest->at, (size_t)len, etag, why))
		fits = c->version == version && version > 0;
out:
	free(etag);
	return fits;
}

static bool
state_parse_all(struct state *s, const char *text, size_t len)
{
	size_t first = sizeof(state_first) - 1;
	struct state_rest rest = { text + first, text + len };
	char *id;
	long long interval;
	bool fits;

	if (len < first || memcmp(text, state_first, first) != 0)
		return false;
	id = state_line(&rest, "agent_id ");
	fits = id != NULL && state_parse_id(s, id) &&
	    state_parse_text(&rest, "controller ", &s->controller) &&
	    state_parse_text(&rest, "poll_url ", &s->poll_url) &&
	    state_parse_text(&rest, "token ", &s->token) &&
	    state_number(&rest, "poll_interval_seconds ",
	    CONFIG_INTERVAL_MAX, &interval) &&
	    state_parse_config(&rest, &s->good);
	if (fits)
		s->interval = (long)interval;
	free(id);
	return fits;
}

bool
state_parse(struct state *s, const char *text, size_t len)
{
	char hex[2 * TOKEN_SHA256 + 1], want[STATE_SUM + 1];

	if (len > STATE_SUM) {
		state_digest(hex, text, len - STATE_SUM);
		snprintf(want, sizeof(want), "sha256 %s\n", hex);
		if (memcmp(text + len - STATE_SUM, want, STATE_SUM) == 0 &&
		    state_parse_all(s, text, len - STATE_SUM))
			return true;
	}
	state_free(s);
	state_rescue_id(s, text, len);
	return false;
}

static void
state_put_aside(const char *path, char *aside, size_t size)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;
	int n = 0;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(aside, size, "%s.bad-%s", path, when);
	while (access(aside, F_OK) == 0 && n < 100)
		snprintf(aside, size, "%s.bad-%s-%d", path, when, ++n);
	if (n == 100 || keep_rename(path, aside) != 0)
		aside[0] = '\0';
}

enum state_end
state_load(struct state *s, const char *path, char *aside, size_t size)
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	enum state_end end = STATE_READ;
	int err = keep_read(path, &text);

	aside[0] = '\0';
	if (err == ENOENT)
		end = STATE_NEW;
	else if (err != 0 && err != EFBIG)
		end = STATE_UNREADABLE;
	else if (err == EFBIG || !state_parse(s, buf_text(&text), text.len))
		end = STATE_BAD;
	if (end == STATE_BAD || end == STATE_UNREADABLE)
		state_put_aside(path, aside, size);
	buf_free(&text);
	errno = err;
	return end;
}

/* Makes the folder of path. 0 or errno. */
static int
state_folder(const char *path)
{
	char folder[PATH_MAX], *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return 0;
	*slash = '\0';
	return keep_folder(folder);
}

int
state_store(const struct state *s, const char *path)
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	int err = state_folder(path);

	state_print(s, &text);
	if (err == 0)
		err = text.failed ? ENOMEM :
		    keep_write(path, text.data, text.len, 0600);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	return err;
}

int
state_lock(const char *path)
{
	char name[PATH_MAX];

	if (strlen(path) + sizeof(".lock") > sizeof(name))
		return ENAMETOOLONG;
	state_folder(path);	/* what fails here is told by the next */
	snprintf(name, sizeof(name), "%s.lock", path);
	if (keep_lock(name, 0) < 0)
		return errno;
	snprintf(name, sizeof(name), "%s.new", path);
	unlink(name);
	return 0;
}
