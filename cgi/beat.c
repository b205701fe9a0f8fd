/*
 * Heartbeats on their way from the files of their slots (beat_note.c) to the
 * store. A slot's file is removed only after the store has what was in it.
 *
 * It refuses to grow without bound: what cannot be folded for ten minutes is
 * forgotten. And to keep a process for long: after a piece of a file, whoever
 * waits has his turn, and this or another process goes on behind it.
 */
#include "beat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "keep.h"
#include "log.h"

enum {
	BEAT_GRACE_MS = 200,	/* a writer may be that late for its slot */
	BEAT_FILE_MAX = 64 << 20,
	BEAT_PIECE = 6 << 20,	/* folded at a time: a million agents' slot */
	BEAT_TURN_MS = 100,	/* then no other piece is begun */
	BEAT_KEEP_SLOTS = 300,	/* ten minutes */
	/* looked at in one go: more than those that may wait as they cannot
	 * be opened */
	BEAT_SLOTS_MAX = BEAT_KEEP_SLOTS + 64,
};

/* The answers of polls that lighttpd may give itself. */
static const int beat_answers[] = { 200, 304 };

enum { BEAT_ANSWERS = sizeof(beat_answers) / sizeof(*beat_answers) };

/* What a piece of a slot's file has in it, from one byte to another. */
struct beat_slot {
	off_t from, to;
	bool last;
	struct store_beat *beats;
	size_t count;
	long long answers[BEAT_ANSWERS];
};

/* One word of a line, ended by a space or the end. NULL: there is none. */
static char *
beat_word(char **line)
{
	char *word = *line, *end;

	if (word == NULL || *word == '\0')
		return NULL;
	end = strchr(word, ' ');
	*line = end != NULL ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	return word;
}

static bool
beat_number(const char *word, long long *out)
{
	int digits = 0;

	*out = 0;
	for (; word != NULL && digits < 18 && *word >= '0' && *word <= '9';
	    digits++)
		*out = *out * 10 + (*word++ - '0');
	return digits > 0 && *word == '\0';
}

static bool
beat_answer(struct beat_slot *slot, const char *word)
{
	long long status;

	if (!beat_number(word, &status))
		return false;
	for (int i = 0; i < BEAT_ANSWERS; i++) {
		if (status == beat_answers[i]) {
			slot->answers[i]++;
			return true;
		}
	}
	return false;
}

/* A line without its newline; it is cut into words. False: it is no beat,
 * but it may have been counted. */
static bool
beat_parse(char *line, struct beat_slot *slot, struct store_beat *beat)
{
	char *id, *version, *state, *trust, *status;

	if (!beat_number(beat_word(&line), &beat->at))
		return false;
	id = beat_word(&line);
	version = beat_word(&line);
	state = beat_word(&line);
	trust = beat_word(&line);
	status = beat_word(&line);
	if (trust == NULL || line != NULL ||
	    (status != NULL && !beat_answer(slot, status)) ||
	    !token_is_uuid(id))
		return false;
	memcpy(beat->id, id, TOKEN_UUID);
	beat->applied_version = -1;
	if (strcmp(version, "-") != 0 &&
	    !beat_number(version, &beat->applied_version))
		return false;
	beat->state = beat_state(state);
	beat->trusted = strcmp(trust, "T") == 0;
	return true;
}

/* Cuts a file's text into lines; those that are no beats are left out. False:
 * out of memory. */
static bool
beat_gather(char *text, struct beat_slot *slot)
{
	size_t lines = 0;

	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	slot->beats = calloc(lines + 1, sizeof(*slot->beats));
	if (slot->beats == NULL)
		return false;
	for (; lines > 0; lines--) {
		char *end = strchr(text, '\n');

		*end = '\0';
		if (beat_parse(text, slot, &slot->beats[slot->count]))
			slot->count++;
		text = end + 1;
	}
	return true;
}

/* A NUL, of a disk that had no power, spoils its line and ends no text. */
static void
beat_blank(char *text, ssize_t n)
{
	const char *end = text + n;

	while ((text = memchr(text, '\0', (size_t)(end - text))) != NULL)
		*text = ' ';
}

/*
 * Reads the piece that is next: what was folded are empty lines. Half a line
 * is left to the next piece, or out when there is none. DONE; NONE, there is
 * no more; BUSY, some other time.
 */
static enum store_end
beat_read(int fd, struct beat_slot *slot, char *text)
{
	ssize_t n, empty;
	char *end;

	do {
		n = pread(fd, text, BEAT_PIECE, slot->from);
		if (n <= 0)
			return n == 0 ? STORE_NONE : STORE_BUSY;
		beat_blank(text, n);
		text[n] = '\0';
		empty = (ssize_t)strspn(text, "\n");
		slot->from += empty;
	} while (empty > 0);
	slot->last = n < BEAT_PIECE;
	end = memrchr(text, '\n', (size_t)n);
	slot->to = slot->from + (end != NULL ? end + 1 - text : n);
	text[slot->to - slot->from] = '\0';
	return beat_gather(text, slot) ? STORE_DONE : STORE_BUSY;
}

/* Whoever goes on finds empty lines there. */
static void
beat_done(int fd, const struct beat_slot *slot, char *text)
{
	memset(text, '\n', (size_t)(slot->to - slot->from));
	if (pwrite(fd, text, (size_t)(slot->to - slot->from), slot->from) < 0)
		log_debug("beat", "heartbeats will be folded again");
}

/* Folds the next piece. As beat_read, but NONE after the last one too. */
static enum store_end
beat_piece(struct beat *b, struct store *s, long long now, int fd, char *text)
{
	struct beat_slot slot = { .count = 0 };
	enum store_end end = beat_read(fd, &slot, text);

	if (end == STORE_DONE && slot.count > 0) {
		end = store_fold(s, slot.beats, slot.count, now);
		if (end != STORE_DONE && !b->waits)
			log_warn("beat", "heartbeats wait: %s",
			    store_detail(s));
		b->waits = end != STORE_DONE;
	}
	for (int i = 0; i < BEAT_ANSWERS && end == STORE_DONE; i++)
		if (slot.answers[i] > 0 && b->polled != NULL)
			b->polled(b->arg, beat_answers[i], slot.answers[i]);
	free(slot.beats);
	if (end == STORE_DONE && !slot.last)
		beat_done(fd, &slot, text);
	return end == STORE_DONE && slot.last ? STORE_NONE : end;
}

/* Opens a slot's file, or says once why not. */
static int
beat_slot_open(struct beat *b, const char *path, long long slot)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && slot > b->shut && errno != ENOENT) {
		log_warn("beat", "%s: %s: its heartbeats wait", path,
		    strerror(errno));
		b->shut = slot;
	}
	return fd;
}

/* DONE: the slot is done with, folded or hopeless. NONE: it cannot be had.
 * BUSY: some other time, and so are those behind it; b->more, for want of
 * time. */
static enum store_end
beat_slot(struct beat *b, struct store *s, const char *path, long long slot,
    long long now, long long until)
{
	int fd = beat_slot_open(b, path, slot);
	enum store_end end = STORE_BUSY;
	struct stat st;
	char *text;

	if (fd < 0)
		return STORE_NONE;
	text = malloc(BEAT_PIECE + 1);
	if (text != NULL && fstat(fd, &st) == 0) {
		end = st.st_size > BEAT_FILE_MAX ? STORE_NONE : STORE_DONE;
		if (end == STORE_NONE)
			log_warn("beat", "%s is too large: forgotten", path);
		while (end == STORE_DONE &&
		    !(b->more = clock_steady() >= until))
			end = beat_piece(b, s, now, fd, text);
	}
	close(fd);
	free(text);
	return end == STORE_NONE ? STORE_DONE : STORE_BUSY;
}

/* Whether a folder's entry is a slot's file, and of which. */
static bool
beat_entry(const struct dirent *e, long long *slot)
{
	return (e->d_type == DT_REG || e->d_type == DT_UNKNOWN) &&
	    (e->d_name[0] != '0' || e->d_name[1] == '\0') &&
	    beat_number(e->d_name, slot);
}

/* The numbers of slots that were closed at `now`, the oldest first. A slot of
 * the future is one from before the clock was set back. */
static size_t
beat_list(const struct beat *b, long long now,
    long long slots[BEAT_SLOTS_MAX])
{
	long long open = (now - BEAT_GRACE_MS) / BEAT_SLOT_MS, slot;
	DIR *folder = opendir(b->folder);
	struct dirent *entry;
	size_t count = 0, i;

	while (folder != NULL && count < BEAT_SLOTS_MAX &&
	    (entry = readdir(folder)) != NULL) {
		if (!beat_entry(entry, &slot) ||
		    (slot >= open && slot <= open + 1))
			continue;
		for (i = count; i > 0 && slots[i - 1] > slot; i--)
			slots[i] = slots[i - 1];
		slots[i] = slot;
		count++;
	}
	if (folder != NULL)
		closedir(folder);
	return count;
}

static void
beat_fold_all(struct beat *b, struct store *s, long long now,
    const long long *slots, size_t count)
{
	long long until = clock_steady() + BEAT_TURN_MS;
	long long oldest = now / BEAT_SLOT_MS - BEAT_KEEP_SLOTS;
	char path[PATH_MAX];
	enum store_end end;

	for (size_t i = 0; i < count; i++) {
		if (!beat_path(b, path, sizeof(path), slots[i]))
			return;
		end = beat_slot(b, s, path, slots[i], now, until);
		if (end == STORE_BUSY && (b->more || slots[i] > oldest))
			return;
		if (end == STORE_NONE && slots[i] > oldest)
			continue;
		if (end != STORE_DONE)
			log_warn("beat", "%s is too old: forgotten", path);
		unlink(path);
	}
}

bool
beat_claim(struct beat *b)
{
	char path[PATH_MAX];

	if (b->folder == NULL || b->claim >= 0)
		return true;
	snprintf(path, sizeof(path), "%s/folder", b->folder);
	b->claim = keep_lock(path, 0);
	return b->claim >= 0 || errno != EWOULDBLOCK;
}

bool
beat_fold(struct beat *b, struct store *s, long long now)
{
	long long slots[BEAT_SLOTS_MAX];
	char path[PATH_MAX];
	size_t count;
	int lock;

	b->more = false;
	if (b->folder == NULL || beat_list(b, now - b->late, slots) == 0)
		return false;
	snprintf(path, sizeof(path), "%s/lock", b->folder);
	lock = keep_lock(path, 0);
	if (lock < 0 && errno == EWOULDBLOCK)
		return false;	/* one that nobody can have keeps nobody */
	/* again under the lock: another may have folded them meanwhile */
	count = beat_list(b, now - b->late, slots);
	beat_fold_all(b, s, now, slots, count);
	if (lock >= 0)
		close(lock);
	return count > 0;
}
