/*
 * Options: one table that reads, checks and documents them, as the settings
 * of the three programs are.
 *
 * It refuses to ask anything but this machine: it is no tool to load others
 * with.
 */
#include "fleet_option.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setting.h"

enum { OPTION_DAY = 86400 };

#define AT(member) offsetof(struct fleet_option, member)
#define NUMBER(name, member, fallback, min, max, doc) \
	{ name, NULL, SETTING_NUMBER, AT(member), fallback, min, max, NULL, \
	    doc }
#define TEXT(name, member, kind, fallback, words, doc) \
	{ name, NULL, kind, AT(member), fallback, 0, 0, words, doc }

static const struct setting option_table[] = {
	TEXT("--url", url, SETTING_URL, "http://127.0.0.1:8080", "http",
	    "The controller, on a loopback address"),
	NUMBER("--agents", agents, "1000", 1, 10000000,
	    "How many agents to play"),
	NUMBER("--interval", interval, "30", 0, OPTION_DAY,
	    "Seconds between an agent's polls; 0: as fast as the connections "
	    "allow"),
	NUMBER("--jitter", jitter, "9", 0, 100,
	    "Percent by which an interval varies to either side"),
	NUMBER("--seconds", seconds, "60", 1, OPTION_DAY,
	    "How long it is measured"),
	NUMBER("--warm", warm, "2", 0, OPTION_DAY,
	    "Seconds before that, which do not count"),
	NUMBER("--connections", connections, "200", 1, 60000,
	    "The most connections at once; with --hold an agent has one of "
	    "its own, or a stream of one"),
	NUMBER("--streams", streams, "1", 1, 100,
	    "Requests at once on a connection: more than one by HTTP/2, "
	    "without TLS, as from a proxy; lighttpd takes eight"),
	TEXT("--keep-alive", keep_alive, SETTING_CHOICE, "on", "on off",
	    "Whether a connection carries more than one request"),
	NUMBER("--sources", sources, "8", 1, 200,
	    "Addresses of 127.0.0.0/8 to come from, by HTTP/1.1"),
	NUMBER("--timeout", timeout, "10", 1, 300,
	    "Seconds for an answer, beyond what is held"),
	TEXT("--beats", beats, SETTING_CHOICE, "on", "on off",
	    "Whether polls carry heartbeats"),
	TEXT("--confirm", confirm, SETTING_CHOICE, "on", "on off",
	    "Whether an agent that got a version polls once more within 5 s, "
	    "as agents do that have applied it"),
	NUMBER("--hold", hold, "0", 0, 60,
	    "Seconds that the controller shall hold a poll (?wait=)"),
	TEXT("--subscribe", subscribe, SETTING_URL, NULL, "redis nats",
	    "A broker that each agent subscribes to, beside its polls"),
	NUMBER("--spread", spread, "0", 0, OPTION_DAY,
	    "Seconds over which agents spread what a message makes them ask"),
	TEXT("--token-key", token_key, SETTING_PATH, NULL, NULL,
	    "The controller's TOKEN_KEY_FILE: each agent has its own token, "
	    "and registers again with AGENT_API_KEY when it is refused"),
	NUMBER("--seed", seed, "1", 0, 1000000000,
	    "The agents' ids come from it"),
	NUMBER("--publish-at", publish_at, "0", 0, OPTION_DAY,
	    "Publishes a version after so many seconds; 0: never"),
	NUMBER("--publish-every", publish_every, "0", 0, OPTION_DAY,
	    "And one more every so many; 0: none"),
	TEXT("--until", until, SETTING_CHOICE, "time", "time seen",
	    "seen: ends as soon as all have the last version"),
	NUMBER("--pid", pid, "0", 0, 1 << 30,
	    "Of the controller's lighttpd: what it and its children take"),
	TEXT("--csv", csv, SETTING_PATH, NULL, NULL,
	    "Writes a line for each second there"),
	TEXT("--svg", svg, SETTING_PATH, NULL, NULL,
	    "Draws there how a version spread"),
	TEXT("--values", values, SETTING_PATH, NULL, NULL,
	    "Writes what is printed there, one name=number a line"),
	{ .name = NULL },
};

static const struct setting option_secrets[] = {
	TEXT("ADMIN_API_KEY", admin_key, SETTING_SECRET, NULL, NULL,
	    "Environment: what it publishes with"),
	TEXT("AGENT_API_KEY", agent_key, SETTING_SECRET, NULL, NULL,
	    "Environment: what agents without tokens ask with"),
	{ .name = NULL },
};

/* What is said last counts. */
static const char *
option_get(const void *arg, const char *name)
{
	const char *const *word = arg, *value = NULL;

	for (; word[0] != NULL; word += 2)
		if (strcmp(word[0], name) == 0)
			value = word[1];
	return value;
}

static void
option_help(void)
{
	struct buf text = BUF_INIT(65536);

	buf_str(&text, "usage: fleet [--OPTION VALUE]...\n\n"
	    "Plays a fleet of agents against a controller of this machine, "
	    "and says what\nit saw. Memory: 17 MB, 68 bytes an agent, "
	    "1 KB a connection; of HTTP/2\n100 KB, and 3 KB a stream.\n\n");
	setting_help(option_table, &text);
	setting_help(option_secrets, &text);
	fputs(buf_text(&text), stdout);
	buf_free(&text);
}

bool
option_address(const char *url, struct sockaddr_in *to, const char **rest)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, ":/");
	char text[INET_ADDRSTRLEN], *end = NULL;
	long port;

	*to = (struct sockaddr_in){ .sin_family = AF_INET };
	snprintf(text, sizeof(text), "%.*s", (int)n,
	    n == 9 && memcmp(host, "localhost", 9) == 0 ? "127.0.0.1" : host);
	if (n >= sizeof(text) || host[n] != ':' ||
	    inet_pton(AF_INET, text, &to->sin_addr) != 1 ||
	    ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return false;
	port = strtol(host + n + 1, &end, 10);
	if (port < 1 || port > 65535 || (*end != '\0' && *end != '/'))
		return false;
	to->sin_port = htons((uint16_t)port);
	if (rest != NULL)
		*rest = end;
	return true;
}

__attribute__((format(printf, 1, 2))) static bool
option_wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fleet: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
	va_end(ap);
	return false;
}

/* What one option means to another. */
static bool
option_fits(struct fleet_option *o)
{
	struct sockaddr_in broker;
	const char *path = "";
	char host[INET_ADDRSTRLEN];
	size_t n;

	if (!option_address(o->url, &o->address, &path))
		return option_wrong("--url is http://127.x.x.x:PORT[/PREFIX]");
	if (o->subscribe != NULL &&
	    !option_address(o->subscribe, &broker, NULL))
		return option_wrong("--subscribe is nats://127.x.x.x:PORT "
		    "or redis://127.x.x.x:PORT");
	n = strlen(path);
	while (n > 0 && path[n - 1] == '/')
		n--;
	if (n >= sizeof(o->path) || strcspn(path, "? ") < n)
		return option_wrong("--url has a strange path");
	memcpy(o->path, path, n);
	snprintf(o->host, sizeof(o->host), "%s:%d", inet_ntop(AF_INET,
	    &o->address.sin_addr, host, sizeof(host)),
	    ntohs(o->address.sin_port));
	o->keeps = strcmp(o->keep_alive, "on") == 0;
	if (o->token_key == NULL && o->agent_key == NULL)
		return option_wrong("neither --token-key nor AGENT_API_KEY in "
		    "the environment: agents have no credential");
	if (o->publish_at > 0 && o->admin_key == NULL)
		return option_wrong("--publish-at needs ADMIN_API_KEY in the "
		    "environment");
	if (o->publish_at == 0 && strcmp(o->until, "seen") == 0)
		return option_wrong("--until seen needs --publish-at");
	if (o->streams > 1 && !o->keeps)
		return option_wrong("--streams wants connections that are kept "
		    "alive");
	if (o->hold > 0 && o->connections * o->streams < o->agents)
		return option_wrong("each held poll has a connection, or a "
		    "stream of one: --connections %ld at least",
		    (o->agents + o->streams - 1) / o->streams);
	if (o->interval == 0 &&
	    o->agents < 2 * o->connections * o->streams)
		return option_wrong("--interval 0 wants twice as many agents "
		    "as requests at once");
	if (o->subscribe != NULL && o->agents > 50000)
		return option_wrong("--subscribe is for 50000 agents at most");
	return true;
}

/* Every word that begins with -- is an option of the table, and has a
 * value. */
static bool
option_known(char **argv)
{
	for (; *argv != NULL; argv += 2) {
		const struct setting *s = option_table;

		while (s->name != NULL && strcmp(s->name, *argv) != 0)
			s++;
		if (s->name == NULL)
			return option_wrong("there is no option \"%s\"; "
			    "--help lists them", *argv);
		if (argv[1] == NULL || argv[1][0] == '\0')
			return option_wrong("%s has no value", *argv);
	}
	return true;
}

enum option_end
option_load(struct fleet_option *o, int argc, char **argv)
{
	struct setting_source words[] = { { option_get, argv + 1 }, { 0 } };
	struct setting_source secrets[] = { setting_environment, { 0 } };
	struct buf error = BUF_INIT(65536);
	bool good;

	memset(o, 0, sizeof(*o));
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			option_help();
			return OPTION_HELP;
		}
	if (!option_known(argv + 1))
		return OPTION_WRONG;
	good = setting_load(option_table, o, words, &error);
	good = setting_load(option_secrets, o, secrets, &error) && good;
	if (error.len > 0)
		fprintf(stderr, "fleet: %s", buf_text(&error));
	buf_free(&error);
	return good && option_fits(o) ? OPTION_GO : OPTION_WRONG;
}

void
option_free(struct fleet_option *o)
{
	setting_free(option_table, o);
	setting_free(option_secrets, o);
}
