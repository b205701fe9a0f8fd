/*
 * Reads the settings again while the agent runs. The environment of a
 * process does not change, so what can be another is in the file.
 */
#include "reload.h"

#include <string.h>

#include "log.h"

enum { RELOAD_ERRORS = 16384 };

static void
reload_complain(char *errors)
{
	char *rest = errors;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (line[0] != '\0')
			log_error("init", "%s", line);
	log_error("init", "the settings stay as they were");
}

static bool
reload_differs(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return strcmp(a, b) != 0;
}

static bool
reload_is_anew(const struct settings *a, const struct settings *b)
{
	return reload_differs(a->controller_url, b->controller_url) ||
	    reload_differs(a->username, b->username) ||
	    reload_differs(a->password, b->password) ||
	    reload_differs(a->api_key, b->api_key);
}

static bool
reload_is_other_worker(const struct settings *a, const struct settings *b)
{
	return reload_differs(a->worker_url, b->worker_url) ||
	    reload_differs(a->worker_key, b->worker_key);
}

/* The old value stays, in the same memory: others have borrowed it. */
static void
reload_keep(const char *name, char **old, char **fresh)
{
	char *kept = *old;

	if (reload_differs(*old, *fresh))
		log_warn("init", "%s changes at the next start only", name);
	*old = *fresh;
	*fresh = kept;
}

void
reload_settings(struct agent *a, const char *file)
{
	struct settings fresh = { .port = 0 }, old;
	struct buf errors = BUF_INIT(RELOAD_ERRORS);
	bool anew, other;

	log_info("init", "the settings are read again");
	if (!settings_load(&fresh, file, &errors)) {
		if (errors.data != NULL)
			reload_complain(errors.data);
		settings_free(&fresh);
		agent_hurry(a);
		goto out;
	}
	reload_keep("STATE_FILE", &a->settings->state_file,
	    &fresh.state_file);
	reload_keep("WORKER_COMMAND", &a->settings->worker_command,
	    &fresh.worker_command);
	reload_keep("BIND_ADDRESS", &a->settings->bind, &fresh.bind);
	if (a->settings->port != fresh.port)
		log_warn("init", "AGENT_PORT changes at the next start only");
	fresh.port = a->settings->port;
	anew = reload_is_anew(a->settings, &fresh);
	other = reload_is_other_worker(a->settings, &fresh);
	old = *a->settings;
	*a->settings = fresh;
	settings_free(&old);
	log_setup(fresh.log_level, fresh.log_format);
	if (other)
		deliver_anew(&a->deliver);
	agent_resettle(a, anew);
out:
	buf_free(&errors);
}
