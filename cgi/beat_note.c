/*
 * Heartbeats on their way from a poll to the file of their slot, by the
 * responders and by lighttpd's fast path, which gathers them (gather.c). A poll
 * pays for one O_APPEND write at most, and never waits for a disk.
 */
#include "beat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "log.h"

enum { BEAT_NUMBER_MAX = 18 };	/* digits */

void
beat_open(struct beat *b)
{
	*b = (struct beat){ .folder = NULL, .fd = -1, .slot = -1,
		.claim = -1 };
}

bool
beat_place(struct beat *b, const char *state_dir)
{
	beat_close(b);
	if (asprintf(&b->folder, "%s/beats", state_dir) < 0)
		b->folder = NULL;
	return b->folder != NULL;
}

void
beat_close(struct beat *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->claim >= 0)
		close(b->claim);
	free(b->folder);
	beat_open(b);
}

const char *
beat_state(const char *word)
{
	static const char *const words[] = { "ok", "failed", "no-worker" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	return NULL;
}

bool
beat_path(const struct beat *b, char out[], size_t size, long long slot)
{
	return snprintf(out, size, "%s/%lld", b->folder, slot) < (int)size;
}

/* --- what is said ------------------------------------------------------- */

/* The number in a header; -1 when there is none. */
static long long
beat_version(const char *text)
{
	long long number = 0;
	int digits = 0;

	if (text == NULL)
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (++digits > BEAT_NUMBER_MAX)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return digits > 0 && *text == '\0' ? number : -1;
}

bool
beat_whose(struct store_beat *beat, const char *id)
{
	if (id == NULL || !token_is_uuid(id))
		return false;
	for (size_t i = 0; i < TOKEN_UUID - 1; i++)	/* hex digits and - */
		beat->id[i] = (char)(id[i] | 0x20);
	beat->id[TOKEN_UUID - 1] = '\0';
	return true;
}

void
beat_said(struct store_beat *beat, const char *version, const char *state)
{
	beat->applied_version = beat_version(version);
	beat->state = state != NULL ? beat_state(state) : NULL;
}

/* --- noting ------------------------------------------------------------- */

static char *
beat_put(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return to + n;
}

/* snprintf(3) would cost a poll more than its token does. */
static char *
beat_put_number(char *to, long long number)
{
	char digits[24], *end = digits + sizeof(digits), *first = end;

	if (number < 0)
		return beat_put(to, "-");
	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (first < end)
		*to++ = *first++;
	return to;
}

size_t
beat_line(char out[BEAT_LINE_MAX], const struct store_beat *beat, int status)
{
	char *to = beat_put_number(out, beat->at);

	*to++ = ' ';
	to = beat_put(to, beat->id[0] != '\0' ? beat->id : "-");
	*to++ = ' ';
	to = beat_put_number(to, beat->applied_version);
	*to++ = ' ';
	to = beat_put(to, beat->state != NULL ? beat->state : "-");
	*to++ = ' ';
	*to++ = beat->trusted ? 'T' : 'F';
	if (status > 0) {
		*to++ = ' ';
		to = beat_put_number(to, status);
	}
	*to++ = '\n';
	return (size_t)(to - out);
}

/* Opens the slot's file, and the folder when it is not there yet. */
static bool
beat_turn(struct beat *b, long long slot)
{
	char path[PATH_MAX];

	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->slot = slot;
	if (!beat_path(b, path, sizeof(path), slot))
		return false;
	for (int i = 0; i < 2 && b->fd < 0; i++) {
		if (i > 0 && (errno != ENOENT ||
		    keep_folder(b->folder) != 0))
			break;
		b->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK |
		    O_CLOEXEC, 0600);
	}
	if (b->fd >= 0 && !keep_plain(b->fd)) {	/* a FIFO would fill up */
		close(b->fd);
		b->fd = -1;
		errno = ENOTSUP;
	}
	if (b->fd < 0)
		log_warn("beat", "%s: %s", path, strerror(errno));
	return b->fd >= 0;
}

bool
beat_ready(struct beat *b, long long now)
{
	long long slot = now / BEAT_SLOT_MS;

	if (b->folder == NULL)
		return false;
	return (slot == b->slot || beat_turn(b, slot)) && b->fd >= 0;
}

size_t
beat_write(const struct beat *b, const char *lines, size_t len)
{
	ssize_t n = write(b->fd, lines, len);

	if (n != (ssize_t)len)
		log_debug("beat", "heartbeats were not written");
	return n > 0 ? (size_t)n : 0;
}

bool
beat_note(struct beat *b, const struct store_beat *beat, int status)
{
	char line[BEAT_LINE_MAX];

	if (!beat_ready(b, beat->at))
		return false;
	beat_write(b, line, beat_line(line, beat, status));
	return true;
}
