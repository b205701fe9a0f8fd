/*
 * The controller's settings and what is made of them. It never ends the
 * program: a responder that cannot work says so to whoever asks, and works
 * as soon as it can.
 */
#include "controller.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "publish.h"
#include "version.h"

#define CONTROLLER_AT(member) offsetof(struct controller_settings, member)

const struct setting controller_setting[] = {
	{ .name = "DCM_CONFIG", .kind = SETTING_PATH,
	    .offset = CONTROLLER_AT(config_path),
	    .doc = "File of settings, as --config; for a web server that "
	    "gives no arguments" },
	{ .name = "STATE_DIR", .kind = SETTING_PATH,
	    .offset = CONTROLLER_AT(state_dir), .fallback = "var",
	    .doc = "Folder of the database, the token key and heartbeats" },
	{ .name = "BIND_ADDRESS", .kind = SETTING_TEXT,
	    .offset = CONTROLLER_AT(bind_address), .fallback = "127.0.0.1",
	    .doc = "Address of the lighttpd that lighttpd/run.sh starts" },
	{ .name = "CONTROLLER_PORT", .also = "PORT", .kind = SETTING_NUMBER,
	    .offset = CONTROLLER_AT(port), .fallback = "8080",
	    .min = 1, .max = 65535,
	    .doc = "Port of the lighttpd that lighttpd/run.sh starts" },
	{ .name = "LOG_LEVEL", .kind = SETTING_CHOICE,
	    .offset = CONTROLLER_AT(log_level), .fallback = "info",
	    .choices = "error warn info debug",
	    .doc = "What is logged" },
	{ .name = "LOG_FORMAT", .kind = SETTING_CHOICE,
	    .offset = CONTROLLER_AT(log_format), .fallback = "text",
	    .choices = "text json",
	    .doc = "How it is logged" },
	{ .name = "BASE_PATH", .kind = SETTING_PATH,
	    .offset = CONTROLLER_AT(base_path),
	    .doc = "Prefix of the mount, / for none; else SCRIPT_NAME" },
	{ .name = "DB_PATH", .also = "CONTROLLER_DB_PATH",
	    .kind = SETTING_PATH, .offset = CONTROLLER_AT(db_path),
	    .doc = "The database; else controller.db in STATE_DIR" },
	{ .name = "DB_JOURNAL", .kind = SETTING_CHOICE,
	    .offset = CONTROLLER_AT(db_journal), .fallback = "wal",
	    .choices = "wal truncate",
	    .doc = "For a new database; truncate for shared hosts and "
	    "network disks" },
	{ .name = "ADMIN_USERNAME", .kind = SETTING_TEXT,
	    .offset = CONTROLLER_AT(admin_username),
	    .doc = "Name of the administrator" },
	{ .name = "ADMIN_PASSWORD", .kind = SETTING_SECRET,
	    .offset = CONTROLLER_AT(admin_password),
	    .doc = "Password of the administrator" },
	{ .name = "ADMIN_API_KEY", .also = "API_KEY",
	    .kind = SETTING_SECRET, .offset = CONTROLLER_AT(admin_key),
	    .doc = "X-API-Key of the administrator" },
	{ .name = "AGENT_USERNAME", .kind = SETTING_TEXT,
	    .offset = CONTROLLER_AT(agent_username),
	    .doc = "Name of the fleet" },
	{ .name = "AGENT_PASSWORD", .kind = SETTING_SECRET,
	    .offset = CONTROLLER_AT(agent_password),
	    .doc = "Password of the fleet" },
	{ .name = "AGENT_API_KEY", .also = "API_KEY",
	    .kind = SETTING_SECRET, .offset = CONTROLLER_AT(agent_key),
	    .doc = "X-API-Key of the fleet" },
	{ .name = "TOKEN_KEY_FILE", .kind = SETTING_PATH,
	    .offset = CONTROLLER_AT(token_key_file),
	    .doc = "The key of the agents' tokens, made when missing; "
	    "else token.key in STATE_DIR" },
	{ .name = "DEFAULT_POLL_INTERVAL", .also = "POLL_INTERVAL_SECONDS",
	    .kind = SETTING_NUMBER, .offset = CONTROLLER_AT(poll_interval),
	    .fallback = "30", .min = 1, .max = PUBLISH_INTERVAL_MAX,
	    .doc = "Seconds between polls until a version says otherwise" },
	{ .name = "DEFAULT_CONFIG", .kind = SETTING_TEXT,
	    .offset = CONTROLLER_AT(first_config),
	    .doc = "A configuration, version 1 of an empty database" },
	{ .name = "CONFIG_MAX_BYTES", .kind = SETTING_NUMBER,
	    .offset = CONTROLLER_AT(config_max), .fallback = "65536",
	    .min = 64, .max = VERSION_DATA_MAX,
	    .doc = "How large a configuration may be" },
	{ .name = "AUDIT_RETENTION_DAYS", .kind = SETTING_NUMBER,
	    .offset = CONTROLLER_AT(audit_days), .fallback = "365",
	    .min = 1, .max = 36500,
	    .doc = "Days that the audit goes back" },
	{ .name = "REDIS_URL", .kind = SETTING_SECRET,
	    .offset = CONTROLLER_AT(redis_url),
	    .doc = "A Redis that is told of each version: "
	    "redis://[[user]:password@]host[:port][/number]" },
	{ .name = "REDIS_HOST", .kind = SETTING_TEXT,
	    .offset = CONTROLLER_AT(redis_host),
	    .doc = "The same, where it wants no password" },
	{ .name = "REDIS_PORT", .kind = SETTING_NUMBER,
	    .offset = CONTROLLER_AT(redis_port), .fallback = "6379",
	    .min = 1, .max = 65535, .doc = "Its port, with REDIS_HOST" },
	{ .name = "NATS_URL", .kind = SETTING_SECRET,
	    .offset = CONTROLLER_AT(nats_url),
	    .doc = "NATS servers that are told, by commas: "
	    "nats://[user:password@|token@]host[:port]" },
	{ .name = NULL },
};

enum {
	CONTROLLER_BUSY_MS = 5000,	/* how long to wait for a lock */
	CONTROLLER_SAY_S = 10,		/* between two lines that are equal */
	CONTROLLER_PATH_MAX = 4000,	/* room for "-live.db.lock" */
};

bool
controller_start(struct controller *c, const char *path, struct buf *error)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->given, 65536);
	buf_init(&c->wrong, 65536);
	beat_open(&c->beat);
	refusal_open(&c->refusal);
	if (path == NULL)
		return true;
	c->file = setting_file_open(path, error);
	return c->file != NULL;
}

/* Back to the state before a load. */
static void
controller_unload(struct controller *c)
{
	store_free(c->store);
	c->store = NULL;
	beat_close(&c->beat);
	front_close(&c->front);
	refusal_close(&c->refusal);
	measure_close(&c->measure);
	notify_close(&c->notify);
	pass_forget(&c->key);
	free(c->db_path);
	free(c->key_path);
	c->db_path = c->key_path = NULL;
	setting_free(controller_setting, &c->settings);
	memset(&c->settings, 0, sizeof(c->settings));
}

void
controller_stop(struct controller *c)
{
	controller_unload(c);
	setting_file_close(c->file);
	controller_file_close(&c->named);
	buf_free(&c->given);
	buf_free(&c->wrong);
	memset(c, 0, sizeof(*c));
}

/* A path that was set, or a file in STATE_DIR. NULL: out of memory. */
static char *
controller_path(const struct controller *c, const char *set, const char *name)
{
	char *path;

	if (set != NULL)
		return strdup(set);
	return asprintf(&path, "%s/%s", c->settings.state_dir, name) < 0 ?
	    NULL : path;
}

static void
controller_refuse(void *arg, const char *field, const char *message)
{
	buf_printf(arg, "DEFAULT_CONFIG: %s: %s\n", field, message);
}

/* What a table cannot check. */
static void
controller_check(struct controller *c)
{
	const struct controller_settings *s = &c->settings;
	struct publish_body body;

	if (s->base_path != NULL && s->base_path[0] != '/')
		buf_printf(&c->wrong, "BASE_PATH is \"%s\": it must begin "
		    "with /\n", s->base_path);
	controller_file_check(&c->named, s, &c->wrong);
	if (strlen(c->db_path) > CONTROLLER_PATH_MAX)
		buf_str(&c->wrong, "DB_PATH is too long\n");
	if (s->first_config == NULL)
		return;
	if (publish_read(&body, s->first_config, strlen(s->first_config),
	    controller_refuse, &c->wrong) &&
	    body.len > (size_t)s->config_max)
		buf_str(&c->wrong, "DEFAULT_CONFIG is larger than "
		    "CONFIG_MAX_BYTES\n");
	publish_free(&body);
}

/* Who is told: REDIS_URL goes before REDIS_HOST. */
static bool
controller_brokers(struct controller *c)
{
	const struct controller_settings *s = &c->settings;
	char *redis = NULL;
	bool good;

	if (s->redis_url == NULL && s->redis_host != NULL &&
	    asprintf(&redis, strchr(s->redis_host, ':') != NULL ?
	    "redis://[%s]:%ld" : "redis://%s:%ld", s->redis_host,
	    s->redis_port) < 0)
		return false;
	good = notify_open(&c->notify, redis != NULL ? redis : s->redis_url,
	    s->nats_url, &c->wrong);
	free(redis);
	return good;
}

static bool
controller_beats(struct controller *c)
{
	bool ok = beat_place(&c->beat, c->settings.state_dir);

	c->beat.polled = measure_polled;
	c->beat.arg = &c->measure;
	return ok;
}

bool
controller_load(struct controller *c, struct setting_source first)
{
	struct setting_source sources[5];
	struct store_options options;
	size_t n = 0;
	bool ok;

	controller_unload(c);
	buf_reset(&c->wrong);
	if (first.get != NULL)
		sources[n++] = first;
	sources[n++] = setting_environment;
	if (c->file != NULL)
		sources[n++] = setting_file_source(c->file);
	else if (!controller_file_open(&c->named, first, &c->wrong))
		return false;
	if (c->named.file != NULL)
		sources[n++] = setting_file_source(c->named.file);
	sources[n] = (struct setting_source){ .get = NULL };
	ok = setting_load(controller_setting, &c->settings, sources,
	    &c->wrong);
	if (!ok)
		return false;
	log_setup(c->settings.log_level, c->settings.log_format);
	c->db_path = controller_path(c, c->settings.db_path, "controller.db");
	c->key_path = controller_path(c, c->settings.token_key_file,
	    "token.key");
	if (c->db_path == NULL || c->key_path == NULL)
		return false;
	controller_check(c);
	if (!controller_brokers(c) || c->wrong.len > 0)
		return false;
	options = (struct store_options){
		.path = c->db_path,
		.journal = c->settings.db_journal,
		.interval = c->settings.poll_interval,
		.busy_ms = CONTROLLER_BUSY_MS,
		.fault = measure_fault,
		.applied = measure_applied,
		.arg = &c->measure,
	};
	c->store = store_new(&options);
	return c->store != NULL && controller_beats(c) &&
	    front_place(&c->front, c->settings.state_dir) &&
	    measure_place(&c->measure, c->settings.state_dir) &&
	    refusal_place(&c->refusal, c->settings.state_dir);
}

/* --- behind the routes -------------------------------------------------- */

struct controller *
controller_of(const struct route_request *req)
{
	return req->table->context;
}

static void
controller_quiet(void *arg, const char *field, const char *message)
{
	(void)arg, (void)field, (void)message;
}

enum store_end
controller_current(struct controller *c, const struct store_version **v)
{
	enum store_end end = store_current(c->store, v);
	const struct store_deed deed = {
		.action = "publish",
		.who = "DEFAULT_CONFIG",
		.address = "",
		.request_id = "",
	};
	struct store_change change;
	struct publish_body body;

	if (end != STORE_DONE || (*v)->version > 0 ||
	    c->settings.first_config == NULL)
		return end;
	if (!publish_read(&body, c->settings.first_config,
	    strlen(c->settings.first_config), controller_quiet, NULL)) {
		publish_free(&body);
		return end;	/* controller_load has refused it before */
	}
	change = (struct store_change){
		.data = body.data,
		.len = body.len,
		.interval = body.interval,
		.author = "DEFAULT_CONFIG",
		.comment = body.comment,
		.first = true,
		.deed = &deed,
	};
	end = store_publish(c->store, &change, v);
	if (end == STORE_DONE) {
		log_info("config", "version 1 from DEFAULT_CONFIG");
		notify_due(&c->notify);
	}
	publish_free(&body);
	return end == STORE_STALE ? STORE_DONE : end;
}

const char *
controller_unset(const struct controller *c)
{
	const struct controller_settings *s = &c->settings;

	if (s->admin_key == NULL && s->admin_username == NULL)
		return "ADMIN_USERNAME and ADMIN_PASSWORD, or ADMIN_API_KEY, "
		    "are not set";
	if (s->admin_key == NULL && s->admin_password == NULL)
		return "ADMIN_PASSWORD is not set";
	if (s->agent_key == NULL && s->agent_username == NULL)
		return "AGENT_USERNAME and AGENT_PASSWORD, or AGENT_API_KEY, "
		    "are not set";
	if (s->agent_key == NULL && s->agent_password == NULL)
		return "AGENT_PASSWORD is not set";
	return "";
}

bool
controller_key(const struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	int err = c->key.known ? 0 : pass_load(&c->key, c->key_path);

	if (err == 0)
		return true;
	log_error("auth", "%s: %s", c->key_path, strerror(err));
	route_problem(req, reply, 503,
	    "the key of TOKEN_KEY_FILE cannot be read or made");
	return false;
}

void
controller_fault(const struct route_request *req, struct route_reply *reply,
    enum store_end end)
{
	static char said[1024];
	static time_t when;
	const struct controller *c = controller_of(req);
	time_t now = time(NULL);

	if (strcmp(said, store_detail(c->store)) != 0 ||
	    now - when >= CONTROLLER_SAY_S) {
		snprintf(said, sizeof(said), "%s", store_detail(c->store));
		when = now;
		log_error("store", "%s", said);
	}
	if (end == STORE_BUSY)
		route_header(reply, "Retry-After", "1");
	route_problem(req, reply, 503, "%s", store_why(c->store));
}
