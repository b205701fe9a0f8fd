/*
 * The table of settings, and what is made of them.
 */
#include "settings.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "document.h"

#define AT(member) offsetof(struct settings, member)

const struct setting settings_table[] = {
	{ .name = "WORKER_PORT", .also = "PORT", .kind = SETTING_NUMBER,
	    .offset = AT(port), .fallback = "8082", .min = 0, .max = 65535,
	    .doc = "where the worker listens; 0: any free port" },
	{ .name = "BIND_ADDRESS", .kind = SETTING_TEXT, .offset = AT(bind),
	    .fallback = "0.0.0.0", .doc = "the address it listens on" },
	{ .name = "WORKER_API_KEY", .also = "AGENT_API_KEY",
	    .kind = SETTING_SECRET, .offset = AT(key),
	    .doc = "the key for /config; unset: loopback callers only" },
	{ .name = "REQUEST_TIMEOUT_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(timeout), .fallback = "30", .min = 1,
	    .max = DOCUMENT_TIMEOUT_MAX,
	    .doc = "how long it waits for a target, where the configuration "
	    "does not say" },
	{ .name = "MAX_RESPONSE_BYTES", .kind = SETTING_NUMBER,
	    .offset = AT(max_response), .fallback = "0", .min = 0,
	    .max = LONG_MAX,
	    .doc = "where a target's body is cut off; 0: nowhere" },
	{ .name = "ALLOW_CIDR", .kind = SETTING_TEXT,
	    .offset = AT(allow_cidr),
	    .doc = "special addresses that may be fetched from, such as "
	    "127.0.0.1,10.0.0.0/8" },
	{ .name = "STATE_DIR", .kind = SETTING_PATH,
	    .offset = AT(state_dir), .fallback = "var",
	    .doc = "folder of the queue" },
	{ .name = "HIT_MODE", .kind = SETTING_CHOICE,
	    .offset = AT(hit_mode), .fallback = "sync",
	    .choices = "sync async",
	    .doc = "async: GET /hit is a task where it does not say" },
	{ .name = "QUEUE_URL", .kind = SETTING_SECRET,
	    .offset = AT(queue_url), .fallback = "sqlite:",
	    .doc = "where tasks wait: sqlite: (in STATE_DIR), sqlite:FILE, "
	    "memory:, redis://[[user]:password@]host[:port][/number]" },
	{ .name = "QUEUE_MAX", .kind = SETTING_NUMBER,
	    .offset = AT(queue_max), .fallback = "100000", .min = 1,
	    .max = 100000000,
	    .doc = "tasks that are not over; more are refused" },
	{ .name = "WORKER_CONCURRENCY", .kind = SETTING_NUMBER,
	    .offset = AT(concurrency), .fallback = "64", .min = 1,
	    .max = 1000, .doc = "tasks that run at once" },
	{ .name = "WORKER_RETRY_MAX", .kind = SETTING_NUMBER,
	    .offset = AT(retry_max), .fallback = "3", .min = 0, .max = 100,
	    .doc = "how often a task is tried again" },
	{ .name = "RESULT_TTL_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(result_ttl), .fallback = "3600", .min = 1,
	    .max = 31536000, .doc = "how long a task's result is kept" },
	{ .name = "MAX_RESULT_BYTES", .kind = SETTING_NUMBER,
	    .offset = AT(max_result), .fallback = "1048576", .min = 1,
	    .max = 67108864,
	    .doc = "the longest body of a task's result" },
	{ .name = "SANDBOX", .kind = SETTING_CHOICE, .offset = AT(sandbox),
	    .fallback = "on", .choices = "on off",
	    .doc = "once started, write nothing but the queue's folder and "
	    "execute nothing (Landlock)" },
	{ .name = "LOG_LEVEL", .kind = SETTING_CHOICE,
	    .offset = AT(log_level), .fallback = "info",
	    .choices = "error warn info debug",
	    .doc = "the least important lines to log" },
	{ .name = "LOG_FORMAT", .kind = SETTING_CHOICE,
	    .offset = AT(log_format), .fallback = "text",
	    .choices = "text json", .doc = "the shape of a log line" },
	{ .name = NULL },
};

bool
settings_load(struct settings *s, const char *file, struct buf *error)
{
	struct setting_source sources[3] = { setting_environment };
	struct setting_file *opened = NULL;
	struct buf why = BUF_INIT(1024);
	bool ok;

	if (file != NULL) {
		opened = setting_file_open(file, error);
		if (opened == NULL)
			return false;
		sources[1] = setting_file_source(opened);
	}
	ok = setting_load(settings_table, s, sources, error);
	setting_file_close(opened);
	if (!guard_read(&s->guard, s->allow_cidr, &why)) {
		buf_printf(error, "ALLOW_CIDR: %s\n", buf_text(&why));
		ok = false;
	}
	buf_free(&why);
	return ok;
}

void
settings_free(struct settings *s)
{
	setting_free(settings_table, s);
	guard_free(&s->guard);
}
