/*
 * Asks one question after another, and changes nothing: it registers nobody,
 * gives the worker nothing, and takes no lock, so that it may be used beside
 * a running agent.
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ack.h"
#include "ask.h"
#include "check_state.h"
#include "command.h"
#include "tell.h"

struct check {
	struct loop *loop;
	struct fetch_hub *hub;
	const struct settings *settings;
	struct state state;	/* none: the credential is the fleet's */
	size_t step;
	bool bad, unreached;	/* by the last question */
};

struct check_step {
	const char *name;
	struct fetch *(*ask)(struct check *);
	void (*judge)(struct check *, const struct fetch_result *);
	bool follows;		/* pointless when the last went unanswered */
};

static const struct check_step check_steps[];

__attribute__((format(printf, 3, 4))) static void
check_say(struct check *c, bool well, const char *fmt, ...)
{
	va_list ap;

	printf("%-11s %s: ", check_steps[c->step].name, well ? "ok" :
	    "not ok");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	c->bad |= !well;
}

/* True: an answer came. */
static bool
check_reached(struct check *c, const struct fetch_result *r,
    const char *name, const char *url)
{
	char why[2 * WORDS_MAX];

	c->unreached = r->end != FETCH_DONE;
	if (!c->unreached)
		return true;
	snprintf(why, sizeof(why), "%s", r->detail);
	words_steady(why);
	check_say(c, false, "%s: %s; is it running, and is %s right?%s", url,
	    why, name, strstr(why, "certificate") != NULL ||
	    strstr(why, "SSL") != NULL ? " CONTROLLER_CA_FILE names the "
	    "certificates to trust" : "");
	return false;
}

/* --- the controller ------------------------------------------------------ */

static void check_done(void *arg, const struct fetch_result *);

static struct fetch *
check_ask_health(struct check *c)
{
	struct ask ask = { c->hub, c->settings, &c->state };

	return ask_health(&ask, check_done, c);
}

static void
check_health(struct check *c, const struct fetch_result *r)
{
	const char *url = c->settings->controller_url;

	if (!check_reached(c, r, "CONTROLLER_URL", url))
		return;
	if (r->status == 200)
		check_say(c, true, "%s answers", url);
	else
		check_say(c, false, "%s/health answers %d, not 200; is "
		    "CONTROLLER_URL right, with the prefix of its mount?",
		    url, r->status);
}

static struct fetch *
check_ask_credential(struct check *c)
{
	struct ask ask = { c->hub, c->settings, &c->state };

	return ask_credential(&ask, check_done, c);
}

static void
check_credential(struct check *c, const struct fetch_result *r)
{
	char words[WORDS_MAX] = "";

	if (!check_reached(c, r, "CONTROLLER_URL",
	    c->settings->controller_url))
		return;
	if (r->status == 400 || r->status / 100 == 2) {
		check_say(c, true, "accepted");
		return;
	}
	words_of(r->body, words);
	if (r->status == 401 || r->status == 403)
		check_say(c, false, "refused with %d: %s; %s must be the "
		    "controller's for agents, %s", r->status, words,
		    c->settings->api_key != NULL ? "CONTROLLER_API_KEY" :
		    "CONTROLLER_USERNAME and CONTROLLER_PASSWORD",
		    c->settings->api_key != NULL ? "AGENT_API_KEY there" :
		    "AGENT_USERNAME and AGENT_PASSWORD there");
	else
		check_say(c, false, "cannot be judged, /register answers %d: "
		    "%s", r->status, words);
}

/* --- the worker ---------------------------------------------------------- */

static struct fetch *
check_ask_worker(struct check *c)
{
	return tell_state(c->hub, c->settings, check_done, c);
}

static void
check_worker(struct check *c, const struct fetch_result *r)
{
	struct ack ack;

	if (r->end != FETCH_DONE && c->settings->worker_command != NULL &&
	    !check_state_used(c->settings->state_file)) {
		c->unreached = true;
		check_say(c, true, "not there yet; the agent starts it");
		return;
	}
	if (!check_reached(c, r, "WORKER_URL", c->settings->worker_url))
		return;
	ack_state(&ack, r);
	if (ack.kind != ACK_TOLD)
		check_say(c, false, "%s; is WORKER_URL a dcm-worker?",
		    ack.why);
	else if (ack.version > 0)
		check_say(c, true, "%s has version %lld",
		    c->settings->worker_url, ack.version);
	else
		check_say(c, true, "%s has no configuration",
		    c->settings->worker_url);
}

static struct fetch *
check_ask_key(struct check *c)
{
	return tell_held(c->hub, c->settings, check_done, c);
}

static void
check_key(struct check *c, const struct fetch_result *r)
{
	if (!check_reached(c, r, "WORKER_URL", c->settings->worker_url))
		return;
	if (r->status == 401 || r->status == 403)
		check_say(c, false, "refused with %d; WORKER_API_KEY must be "
		    "the worker's", r->status);
	else if (r->status == 200 || r->status == 404)
		check_say(c, true, "accepted");
	else
		check_say(c, false, "cannot be judged, /config answers %d",
		    r->status);
}

/* WORKER_COMMAND's first word, as execvp(3) would look for it. */
static bool
check_finds(const char *word)
{
	const char *path = getenv("PATH"), *end;
	char file[4096];

	if (strchr(word, '/') != NULL)
		return access(word, X_OK) == 0;
	for (path = path != NULL ? path : "/bin:/usr/bin"; ; path = end + 1) {
		end = path + strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path),
		    path, word);
		if (access(file, X_OK) == 0)
			return true;
		if (*end == '\0')
			return false;
	}
}

static void
check_command(struct check *c, const struct fetch_result *r)
{
	char **words;

	(void)r;
	if (c->settings->worker_command == NULL)
		return;
	words = command_words(c->settings->worker_command);
	if (words != NULL && check_finds(words[0]))
		check_say(c, true, "%s", words[0]);
	else
		check_say(c, false, "%s cannot be executed; WORKER_COMMAND is "
		    "a path, or a program in PATH", words != NULL ? words[0] :
		    "it");
	free(words);
}

static void
check_file(struct check *c, const struct fetch_result *r)
{
	char text[CHECK_STATE_TEXT];

	(void)r;
	check_say(c, check_state(c->settings->state_file, text), "%s", text);
}

/* --- one after another --------------------------------------------------- */

static const struct check_step check_steps[] = {
	{ "controller", check_ask_health, check_health, false },
	{ "credential", check_ask_credential, check_credential, true },
	{ "worker", check_ask_worker, check_worker, false },
	{ "worker key", check_ask_key, check_key, true },
	{ "command", NULL, check_command, false },
	{ "state file", NULL, check_file, false },
	{ .name = NULL },
};

static void
check_next(struct check *c)
{
	for (; check_steps[c->step].name != NULL; c->step++) {
		const struct check_step *step = &check_steps[c->step];

		if (step->follows && c->unreached)
			continue;
		if (step->ask == NULL)
			step->judge(c, NULL);
		else if (step->ask(c) != NULL)
			return;
		else
			check_say(c, false, "out of memory");
	}
	loop_stop(c->loop);
}

static void
check_done(void *arg, const struct fetch_result *r)
{
	struct check *c = arg;

	check_steps[c->step].judge(c, r);
	fflush(stdout);
	c->step++;
	check_next(c);
}

void
check_settings(char *errors)
{
	char *rest = errors, *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			printf("%-11s not ok: %s\n", "settings", line);
}

int
check_run(struct loop *loop, struct fetch_hub *hub,
    const struct settings *settings)
{
	struct check c = { .loop = loop, .hub = hub, .settings = settings };

	printf("%-11s ok\n", "settings");
	check_next(&c);
	loop_run(loop);
	return c.bad ? 1 : 0;
}
