/*
 * The worker's life, when it is the agent's to lead: one at a time, and none
 * after the agent. What it is given to do is not decided here.
 */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "token.h"

enum { SUPERVISOR_BASE = 1000 };	/* ms, of the backoff */

static void
supervisor_wait(struct supervisor *s)
{
	int64_t ms = retry_next(&s->retry, SUPERVISOR_BASE,
	    s->settings->backoff_max * 1000, token_chance());

	log_info("supervisor", "starts it again in %.1f s",
	    (double)ms / 1000);
	s->at = SUPERVISOR_WAITING;
	loop_timer_start(s->loop, &s->timer, ms);
}

static void
supervisor_begin(struct supervisor *s)
{
	char **words = command_words(s->settings->worker_command);
	char **env = command_environment(environ);
	int err = ENOMEM, output;

	if (words != NULL && env != NULL)
		err = child_start(&s->child, s->loop, words, env, &output);
	if (err != 0) {
		log_warn("supervisor", "WORKER_COMMAND: %s", strerror(err));
		supervisor_wait(s);
		goto out;
	}
	log_info("supervisor", "started %s, process %d", words[0],
	    (int)s->child.pid);
	s->at = SUPERVISOR_RUNNING;
	s->since = loop_now(s->loop);
	s->starts++;
	relay_start(&s->relay, s->loop, output);
out:
	free(words);
	free(env);
}

static void
supervisor_fires(struct loop_timer *timer)
{
	struct supervisor *s = LOOP_OF(struct supervisor, timer, timer);

	if (s->at == SUPERVISOR_WAITING) {
		supervisor_begin(s);
	} else if (s->at == SUPERVISOR_STOPPING) {
		log_warn("supervisor", "the worker does not stop: killed");
		child_signal(&s->child, SIGKILL);
	}
}

static void
supervisor_describe(int status)
{
	if (WIFSIGNALED(status))
		log_warn("supervisor", "the worker was ended by SIG%s",
		    sigabbrev_np(WTERMSIG(status)));
	else
		log_warn("supervisor", "the worker ended with status %d%s",
		    WEXITSTATUS(status), WEXITSTATUS(status) == 127 ?
		    ": is WORKER_COMMAND a program?" : "");
}

static void
supervisor_over(struct supervisor *s)
{
	loop_timer_stop(s->loop, &s->timer);
	s->at = SUPERVISOR_OFF;
	s->over(s->arg);
}

static void
supervisor_caught(void *arg, int number)
{
	struct supervisor *s = arg;
	int status;

	(void)number;
	if (!child_ended(&s->child, &status))
		return;
	relay_stop(&s->relay);
	if (s->at == SUPERVISOR_STOPPING) {
		log_info("supervisor", "the worker has stopped");
		supervisor_over(s);
		return;
	}
	supervisor_describe(status);
	if (loop_now(s->loop) - s->since >= SUPERVISOR_STEADY)
		retry_reset(&s->retry);
	supervisor_wait(s);
	s->ended(s->arg);
}

void
supervisor_start(struct supervisor *s, struct loop *loop,
    const struct settings *settings, void (*ended)(void *arg), void *arg)
{
	*s = (struct supervisor){ .loop = loop, .settings = settings,
		.ended = ended, .arg = arg, .timer.fire = supervisor_fires };
	if (settings->worker_command == NULL)
		return;
	if (!loop_signal(loop, SIGCHLD, supervisor_caught, s))
		log_fatal("SIGCHLD: %s", strerror(errno));
	supervisor_begin(s);
}

void
supervisor_stop(struct supervisor *s, void (*over)(void *arg))
{
	s->over = over;
	if (s->at == SUPERVISOR_STOPPING) {
		child_signal(&s->child, SIGKILL);
	} else if (s->at == SUPERVISOR_RUNNING) {
		s->at = SUPERVISOR_STOPPING;
		child_signal(&s->child, SIGTERM);
		loop_timer_start(s->loop, &s->timer, SUPERVISOR_PATIENCE);
	} else {
		supervisor_over(s);
	}
}
