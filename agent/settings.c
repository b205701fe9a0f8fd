/*
 * The table of settings, and the rules that hold between its rows.
 */
#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "wake.h"

/* What POST /register takes, in bytes. */
enum {
	SETTINGS_HOSTNAME_MAX = 255,
	SETTINGS_IP_MAX = 64,
	SETTINGS_METADATA_MAX = 4096,
};

#define AT(member) offsetof(struct settings, member)

const struct setting settings_table[] = {
	{ .name = "CONTROLLER_URL", .kind = SETTING_URL,
	    .offset = AT(controller_url), .choices = "http https",
	    .doc = "The controller, with the prefix of its mount; required" },
	{ .name = "CONTROLLER_USERNAME", .kind = SETTING_TEXT,
	    .offset = AT(username),
	    .doc = "The fleet's user name, with CONTROLLER_PASSWORD" },
	{ .name = "CONTROLLER_PASSWORD", .kind = SETTING_SECRET,
	    .offset = AT(password), .doc = "The fleet's password" },
	{ .name = "CONTROLLER_API_KEY", .also = "API_KEY",
	    .kind = SETTING_SECRET, .offset = AT(api_key),
	    .doc = "The fleet's key, instead of name and password" },
	{ .name = "CONTROLLER_CA_FILE", .kind = SETTING_PATH,
	    .offset = AT(ca_file),
	    .doc = "Certificates to trust (PEM), instead of the system's" },
	{ .name = "CONTROLLER_CERT_FILE", .kind = SETTING_PATH,
	    .offset = AT(cert_file),
	    .doc = "Client certificate (PEM), with CONTROLLER_KEY_FILE" },
	{ .name = "CONTROLLER_KEY_FILE", .kind = SETTING_PATH,
	    .offset = AT(key_file), .doc = "Its private key (PEM)" },
	{ .name = "WORKER_URL", .kind = SETTING_URL,
	    .offset = AT(worker_url), .fallback = "http://127.0.0.1:8082",
	    .choices = "http https", .doc = "The worker" },
	{ .name = "WORKER_API_KEY", .kind = SETTING_SECRET,
	    .offset = AT(worker_key),
	    .doc = "The worker's key, when it has one" },
	{ .name = "WORKER_COMMAND", .kind = SETTING_TEXT,
	    .offset = AT(worker_command),
	    .doc = "Starts the worker: words between blanks, no quotes, no "
	    "shell; it ends with the agent, which waits for it 10 s. Unset: "
	    "the worker is someone else's" },
	{ .name = "AGENT_PORT", .also = "PORT", .kind = SETTING_NUMBER,
	    .offset = AT(port), .fallback = "8081", .min = 0, .max = 65535,
	    .doc = "Where the agent listens; 0: any free port" },
	{ .name = "BIND_ADDRESS", .kind = SETTING_TEXT, .offset = AT(bind),
	    .fallback = "127.0.0.1", .doc = "The address it listens on" },
	{ .name = "STATE_DIR", .kind = SETTING_PATH, .offset = AT(state_dir),
	    .fallback = "var", .doc = "Folder of the state file" },
	{ .name = "STATE_FILE", .also = "CACHE_FILE", .kind = SETTING_PATH,
	    .offset = AT(state_file),
	    .doc = "The state file itself (STATE_DIR/agent.state)" },
	{ .name = "AGENT_HOSTNAME", .kind = SETTING_TEXT,
	    .offset = AT(hostname),
	    .doc = "The name to register with (this machine's)" },
	{ .name = "AGENT_IP", .kind = SETTING_TEXT, .offset = AT(ip),
	    .doc = "The address to register with" },
	{ .name = "AGENT_METADATA", .kind = SETTING_TEXT,
	    .offset = AT(metadata),
	    .doc = "A text or a JSON object to register with; as JSON "
	    "4096 bytes" },
	{ .name = "DISTRIBUTION_STRATEGY", .kind = SETTING_CHOICE,
	    .offset = AT(strategy), .fallback = "POLLER",
	    .choices = "POLLER WATCH REDIS NATS",
	    .doc = "How it learns of a change; the polls go on beside it" },
	{ .name = "REDIS_URL", .kind = SETTING_SECRET,
	    .offset = AT(redis_url), .doc = "The controller's, for REDIS: "
	    "redis://[[user]:password@]host[:port]" },
	{ .name = "NATS_URL", .kind = SETTING_SECRET, .offset = AT(nats_url),
	    .doc = "The controller's, for NATS; several by commas: "
	    "nats://[user:password@|token@]host[:port]" },
	{ .name = "HINT_SPREAD_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(hint_spread), .fallback = "0", .min = 0, .max = 3600,
	    .doc = "A fleet that gets a message reads within so long" },
	{ .name = "REQUEST_TIMEOUT_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(timeout), .fallback = "10", .min = 1, .max = 300,
	    .doc = "The longest that one request may take" },
	{ .name = "BACKOFF_MAX_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(backoff_max), .fallback = "300", .min = 1,
	    .max = 86400, .doc = "The longest wait after failures" },
	{ .name = "WORKER_CHECK_SECONDS", .kind = SETTING_NUMBER,
	    .offset = AT(worker_check), .fallback = "5", .min = 1,
	    .max = 3600, .doc = "How often it asks what the worker has" },
	{ .name = "LOG_LEVEL", .kind = SETTING_CHOICE,
	    .offset = AT(log_level), .fallback = "info",
	    .choices = "error warn info debug",
	    .doc = "The least important lines to log" },
	{ .name = "LOG_FORMAT", .kind = SETTING_CHOICE,
	    .offset = AT(log_format), .fallback = "text",
	    .choices = "text json", .doc = "The shape of a log line" },
	{ .name = NULL },
};

#undef AT

/* A URL that a path can be put behind: a host, no user, query, fragment. */
static void
settings_check_url(const char *name, const char *url, struct buf *error)
{
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");

	if (len == 0 || host[0] == ':')
		buf_printf(error, "%s: \"%s\" has no host\n", name, url);
	else if (memchr(host, '@', len) != NULL)
		buf_printf(error, "%s: no user or password inside the URL; "
		    "they have settings of their own\n", name);
	else if (strpbrk(host, "?#") != NULL)
		buf_printf(error, "%s: \"%s\" may not have a query or a "
		    "fragment\n", name, url);
	else
		for (const char *p = url; *p != '\0'; p++)
			if (*p < 0x21 || *p > 0x7e) {
				buf_printf(error, "%s: \"%s\" may only have "
				    "printable ASCII\n", name, url);
				break;
			}
}

static void
settings_check_credential(const struct settings *s, struct buf *error)
{
	if ((s->username == NULL) != (s->password == NULL))
		buf_printf(error, "%s is not set: CONTROLLER_USERNAME and "
		    "CONTROLLER_PASSWORD go together\n", s->username == NULL ?
		    "CONTROLLER_USERNAME" : "CONTROLLER_PASSWORD");
	else if (s->username == NULL && s->api_key == NULL)
		buf_str(error, "CONTROLLER_API_KEY is not set, nor are "
		    "CONTROLLER_USERNAME and CONTROLLER_PASSWORD: without a "
		    "credential the controller lets no agent in\n");
	if (s->username != NULL && strchr(s->username, ':') != NULL)
		buf_str(error, "CONTROLLER_USERNAME: no colon is possible in "
		    "a user name (RFC 7617)\n");
}

static void
settings_check_readable(const char *name, const char *path, struct buf *error)
{
	if (path != NULL && access(path, R_OK) < 0)
		buf_printf(error, "%s: \"%s\": %m\n", name, path);
}

static void
settings_check_tls(const struct settings *s, struct buf *error)
{
	if ((s->cert_file == NULL) != (s->key_file == NULL))
		buf_printf(error, "%s is not set: CONTROLLER_CERT_FILE and "
		    "CONTROLLER_KEY_FILE go together\n", s->cert_file ==
		    NULL ? "CONTROLLER_CERT_FILE" : "CONTROLLER_KEY_FILE");
	settings_check_readable("CONTROLLER_CA_FILE", s->ca_file, error);
	settings_check_readable("CONTROLLER_CERT_FILE", s->cert_file, error);
	settings_check_readable("CONTROLLER_KEY_FILE", s->key_file, error);
}

/* What a controller would refuse to register. */
static void
settings_check_length(const char *name, const char *text, size_t most,
    struct buf *error)
{
	if (text != NULL && strlen(text) > most)
		buf_printf(error, "%s: %zu bytes; at most %zu\n", name,
		    strlen(text), most);
}

/* It is an object within another one. */
static void
settings_check_object(const char *text, struct buf *error)
{
	struct buf around = BUF_INIT(strlen(text) + 8);
	struct json_error why;
	struct json *object = json_parse(text, strlen(text), &why);

	buf_printf(&around, "{\"\":%s}", text);
	if (object == NULL)
		buf_printf(error, "AGENT_METADATA: begins like a JSON "
		    "object, but: %s (byte %zu)\n", why.message, why.offset);
	else if (!json_check(around.data, around.len, &why))
		buf_printf(error, "AGENT_METADATA: at most %d levels of "
		    "[ and {\n", JSON_DEPTH_MAX - 1);
	json_free(object);
	buf_free(&around);
}

/* It has a bound as JSON, in which a text is longer than it looks. */
static void
settings_check_metadata(const char *text, struct buf *error)
{
	struct buf json = BUF_INIT(SETTINGS_METADATA_MAX);

	if (text == NULL)
		return;
	if (text[0] == '{') {
		settings_check_object(text, error);
		buf_str(&json, text);
	} else {
		json_put_text(&json, text);
	}
	if (json.failed)
		buf_printf(error, "AGENT_METADATA: as JSON it has more than "
		    "%d bytes\n", SETTINGS_METADATA_MAX);
	buf_free(&json);
}

static void
settings_check_command(const struct settings *s, struct buf *error)
{
	if (s->worker_command != NULL &&
	    s->worker_command[strspn(s->worker_command, " ")] == '\0')
		buf_str(error, "WORKER_COMMAND has no words\n");
}

static void
settings_complete(struct settings *s, struct buf *error)
{
	char host[256], *path;

	if (s->state_file == NULL && s->state_dir != NULL) {
		if (asprintf(&path, "%s/agent.state", s->state_dir) < 0)
			path = NULL;
		s->state_file = path;
	}
	if (s->hostname == NULL && gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		s->hostname = strdup(host);
	}
	if (s->state_file == NULL)
		buf_str(error, "STATE_FILE: out of memory\n");
}

bool
settings_load(struct settings *s, const char *file, struct buf *error)
{
	struct setting_file *opened = NULL;
	struct setting_source sources[] = {
		setting_environment, { .get = NULL }, { .get = NULL },
	};
	bool ok = false;

	if (file != NULL) {
		opened = setting_file_open(file, error);
		if (opened == NULL)
			goto out;
		sources[1] = setting_file_source(opened);
	}
	ok = setting_load(settings_table, s, sources, error);
	if (!ok)
		goto out;
	if (s->controller_url == NULL)
		buf_str(error, "CONTROLLER_URL is not set: where the "
		    "controller is, like http://192.0.2.1:8080\n");
	else
		settings_check_url("CONTROLLER_URL", s->controller_url, error);
	settings_check_url("WORKER_URL", s->worker_url, error);
	settings_check_credential(s, error);
	settings_check_tls(s, error);
	settings_check_command(s, error);
	settings_check_length("AGENT_IP", s->ip, SETTINGS_IP_MAX, error);
	settings_check_metadata(s->metadata, error);
	wake_check(s, error);
	settings_complete(s, error);
	settings_check_length("AGENT_HOSTNAME", s->hostname,
	    SETTINGS_HOSTNAME_MAX, error);
	ok = error->len == 0;
out:
	if (opened != NULL)
		setting_file_close(opened);
	return ok;
}

void
settings_free(struct settings *s)
{
	setting_free(settings_table, s);
}
