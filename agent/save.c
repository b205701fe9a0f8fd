/*
 * Writes the state file whenever it is told to, and again until it worked.
 * Also again: the lock, where it could not be had at the start. A file that
 * became another agent's meanwhile is not written.
 */
#include "save.h"

#include <errno.h>
#include <string.h>

#include "log.h"

/* 0, or what state_lock says. */
static int
save_claim(struct save *save)
{
	int err = save->state->unlocked ? state_lock(save->path) : 0;

	if (err != 0)
		return err;
	if (save->state->unlocked)
		log_info("state", "%s is locked now", save->path);
	save->state->unlocked = false;
	return 0;
}

/* Where only the lock is missing, the file is not written for it. */
static void
save_fires(struct loop_timer *timer)
{
	struct save *save = LOOP_OF(struct save, timer, timer);
	int err = save->error == 0 ? save_claim(save) : 0;

	if (err != 0 && err != EWOULDBLOCK)
		loop_timer_start(save->loop, &save->timer, SAVE_RETRY);
	else
		save_now(save);
}

void
save_start(struct save *save, struct loop *loop, struct state *state,
    const char *path)
{
	*save = (struct save){ .loop = loop, .state = state, .path = path,
		.timer.fire = save_fires };
	if (state->unlocked)
		loop_timer_start(loop, &save->timer, SAVE_RETRY);
}

static void
save_note(struct save *save, int err)
{
	if (err != 0 && err != save->error)
		log_warn("state", "%s cannot be written: %s; tried again "
		    "every %d s, all else goes on", save->path,
		    err == EWOULDBLOCK ? "another dcm-agent uses it; give "
		    "each a STATE_FILE of its own" : strerror(err),
		    SAVE_RETRY / 1000);
	else if (err == 0 && save->error != 0)
		log_info("state", "%s is written again", save->path);
	save->error = err;
	save->failures += err != 0;
}

void
save_now(struct save *save)
{
	bool others = save_claim(save) == EWOULDBLOCK;
	int err = others ? EWOULDBLOCK :
	    state_store(save->state, save->path);

	save_note(save, err);
	if (err != 0 || save->state->unlocked)
		loop_timer_start(save->loop, &save->timer, SAVE_RETRY);
	else
		loop_timer_stop(save->loop, &save->timer);
}

void
save_stop(struct save *save)
{
	if (loop_timer_runs(&save->timer))
		save_now(save);
	loop_timer_stop(save->loop, &save->timer);
}
