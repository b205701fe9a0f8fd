#ifndef BEAT_H
#define BEAT_H
/*
 * Heartbeats: a poll notes one with one write(2) to the file of the present
 * two-second slot, in STATE_DIR/beats; whoever housekeeps folds the files of
 * closed slots into the store. One line a beat:
 *
 *   <ms since 1970> <agent id> <applied version or -> <state or -> <T or F>
 *
 * T: it came with the agent's own token. A line of lighttpd's fast path
 * (fast.c) has the status that the poll was answered with as a sixth word, and
 * - for the id where the poll did not say it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "store.h"

enum {
	BEAT_SLOT_MS = 2000,
	BEAT_LINE_MAX = 128,
};

struct beat {
	char *folder;		/* NULL: nowhere, nothing is noted */
	int fd;			/* of the slot's file, -1 */
	long long slot;
	int late;		/* ms that a closed slot is left to others, 0
				 * to 1500 */
	int claim;		/* the lock of the one who folds, -1 */
	bool more;		/* the last fold left some, for want of time */
	bool waits;		/* or as the store took none, which is said */
	long long shut;		/* the last slot that was said to wait alone */
	/* Told of polls that lighttpd itself has answered. May be NULL. */
	void (*polled)(void *arg, int status, long long count);
	void *arg;
};

void beat_open(struct beat *);
/* Beats are kept in state_dir/beats from now on. False: out of memory. */
bool beat_place(struct beat *, const char *state_dir);
void beat_close(struct beat *);

/* The word of a state as a string that stays, NULL for any other. */
const char *beat_state(const char *word);

/*
 * What a poll says, into the beat: of which agent, in lower case (false, and
 * nothing is changed: that is no id), and what was applied and how it went.
 * What is malformed counts as not said. Each may be NULL.
 */
bool beat_whose(struct store_beat *, const char *id);
void beat_said(struct store_beat *, const char *version, const char *state);

/*
 * status: of a poll that lighttpd answers, else 0. Liveness is worth less than
 * an answer: false, when there is no file for the slot, may be ignored.
 */
bool beat_note(struct beat *, const struct store_beat *, int status);

/* The same in pieces. Whether there is a file for the slot of `now` (ms since
 * 1970); a line, its length; how much of some lines was written. */
bool beat_ready(struct beat *, long long now);
size_t beat_line(char out[BEAT_LINE_MAX], const struct store_beat *,
    int status);
size_t beat_write(const struct beat *, const char *lines, size_t len);

/* The file of a slot; false: the path is too long. */
bool beat_path(const struct beat *, char out[], size_t size, long long slot);

/* Makes this process the one that folds, until it closes. False: another is.
 * True without a claim where there can be none, as on a full disk. It remembers
 * whom it has met (store_remember) and so folds cheapest; who folds beside it,
 * when it is late, does no harm. */
bool beat_claim(struct beat *);

/* Folds the slots that were closed at `now` (ms since 1970), unless another
 * process does; about a tenth of a second's worth, see more. Whether there was
 * anything. */
bool beat_fold(struct beat *, struct store *, long long now);

#endif
