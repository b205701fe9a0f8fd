/*
 * Writes the state file whenever it is told to, and again until it worked.
 */
#include "save.h"

#include <string.h>

#include "log.h"

static void
save_fires(struct loop_timer *timer)
{
	save_now(LOOP_OF(struct save, timer, timer));
}

void
save_start(struct save *save, struct loop *loop, const struct state *state,
    const char *path)
{
	*save = (struct save){ .loop = loop, .state = state, .path = path,
		.timer.fire = save_fires };
}

void
save_now(struct save *save)
{
	int err = state_store(save->state, save->path);

	if (err != 0 && err != save->error)
		log_warn("state", "%s cannot be written: %s; tried again "
		    "every %d s, all else goes on", save->path, strerror(err),
		    SAVE_RETRY / 1000);
	else if (err == 0 && save->error != 0)
		log_info("state", "%s is written again", save->path);
	save->error = err;
	save->failures += err != 0;
	if (err != 0)
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
