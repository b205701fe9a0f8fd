/*
 * The command line. It changes the database with --migrate and --restore
 * alone, and prints no secret.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "controller.h"
#include "describe.h"
#include "gateway.h"
#include "log.h"

enum { COMMAND_TEXT_MAX = 1 << 20 };

enum command_what {
	COMMAND_NOTHING,
	COMMAND_MIGRATE = 'm',
	COMMAND_CHECK = 'k',
	COMMAND_BACKUP = 'b',
	COMMAND_RESTORE = 'r',
	COMMAND_OPENAPI = 'o',
	COMMAND_HELP = 'h',
	COMMAND_MARKDOWN = 'd',
	COMMAND_VERSION = 'v',
	COMMAND_CONFIG = 'c',
	COMMAND_WRONG = '?',
};

static const struct option command_options[] = {
	{ "migrate", no_argument, NULL, COMMAND_MIGRATE },
	{ "check", no_argument, NULL, COMMAND_CHECK },
	{ "backup", required_argument, NULL, COMMAND_BACKUP },
	{ "restore", required_argument, NULL, COMMAND_RESTORE },
	{ "openapi", no_argument, NULL, COMMAND_OPENAPI },
	{ "help", no_argument, NULL, COMMAND_HELP },
	{ "help-markdown", no_argument, NULL, COMMAND_MARKDOWN },
	{ "version", no_argument, NULL, COMMAND_VERSION },
	{ "config", required_argument, NULL, COMMAND_CONFIG },
	{ NULL, 0, NULL, 0 },
};

static const char command_usage[] =
    "usage: dcm-controller --migrate | --check | --backup FILE | "
    "--restore FILE |\n"
    "           --openapi | --help | --version [--config FILE]\n"
    "\n"
    "  --migrate      makes the database, or brings it to this version's "
    "schema\n"
    "  --check        looks at settings, permissions, schema and integrity\n"
    "  --backup FILE  copies the database, while others write\n"
    "  --restore FILE publishes what a backup has as a new version; what "
    "is replaced\n"
    "                 is kept beside it; nothing need be stopped\n"
    "  --openapi      prints swagger.yaml\n"
    "  --config FILE  settings, one NAME=value a line; the environment goes "
    "first\n"
    "\n"
    "Started by a web server, over FastCGI or CGI, it answers requests.\n";

/* A command line. */
struct command {
	const char *config;	/* of --config, or NULL */
	const char *operand;	/* of --backup and --restore */
};

static enum command_what
command_read(int argc, char **argv, struct command *command)
{
	enum command_what what = COMMAND_NOTHING;
	int option;

	memset(command, 0, sizeof(*command));
	while ((option = getopt_long(argc, argv, "", command_options,
	    NULL)) != -1) {
		if (option == COMMAND_CONFIG)
			command->config = optarg;
		else if (what != COMMAND_NOTHING || option == COMMAND_WRONG)
			return COMMAND_WRONG;
		else
			what = (enum command_what)option;
		if (option == COMMAND_BACKUP || option == COMMAND_RESTORE)
			command->operand = optarg;
	}
	return optind < argc ? COMMAND_WRONG : what;
}

const char *
command_config(int argc, char **argv)
{
	struct command command;

	if (command_read(argc, argv, &command) != COMMAND_NOTHING)
		log_fatal("a responder takes --config FILE and no other "
		    "argument");
	return command.config;
}

/* --- text --------------------------------------------------------------- */

static int
command_print(struct buf *text)
{
	if (buf_print(text))
		return 0;
	fprintf(stderr, "dcm-controller: standard output: %s\n",
	    strerror(errno));
	return 1;
}

static int
command_openapi(void)
{
	struct buf text = BUF_INIT(COMMAND_TEXT_MAX);
	struct route_table table;

	gateway_table(&table, NULL);
	describe_print(&table, "/", &text);
	return command_print(&text);
}

static int
command_help(bool markdown)
{
	struct buf text = BUF_INIT(COMMAND_TEXT_MAX);

	if (markdown) {
		setting_markdown(controller_setting, &text);
	} else {
		buf_printf(&text, "%s\nSettings:\n", command_usage);
		setting_help(controller_setting, &text);
	}
	return command_print(&text);
}

/* --- looking and mending ------------------------------------------------ */

static int
command_failed(const struct controller *c)
{
	fprintf(stderr, "%s\n%s\n", store_why(c->store),
	    store_detail(c->store));
	return 1;
}

static int
command_migrate(struct controller *c, const char *operand)
{
	const struct store_version *v;
	enum store_end end = store_ready(c->store);

	(void)operand;
	if (end == STORE_DONE)
		end = controller_current(c, &v);
	if (end != STORE_DONE)
		return command_failed(c);
	printf("%s is at this version's schema; the present version is "
	    "%lld\n", c->db_path, v->version);
	return 0;
}

static int
command_backup(struct controller *c, const char *operand)
{
	if (store_backup(c->store, operand) != STORE_DONE)
		return command_failed(c);
	printf("%s is a copy of %s\n", operand, c->db_path);
	return 0;
}

static int
command_restore(struct controller *c, const char *operand)
{
	struct store_restored restored;

	if (store_restore(c->store, operand, &restored) != STORE_DONE)
		return command_failed(c);
	front_publish(c);
	printf("version %lld is in force, with the content of version %lld "
	    "of %s\n", restored.version, restored.content_of, operand);
	if (restored.kept[0] != '\0')
		printf("the replaced database is %s\n", restored.kept);
	notify_due(&c->notify);
	return 0;
}

static bool
command_say(bool ok, const char *what, const char *text)
{
	printf("%s %s: %s\n", ok ? "ok  " : "bad ", what, text);
	return ok;
}

static bool
command_check_folder(const char *path)
{
	if (access(path, R_OK | W_OK | X_OK) == 0)
		return command_say(true, path, "can be written");
	if (errno == ENOENT)
		return command_say(true, path,
		    "not there yet, it will be made");
	return command_say(false, path, strerror(errno));
}

static bool
command_check_key(const char *path)
{
	struct pass_key key = { .known = false };
	struct stat st;
	int err;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? command_say(true, path,
		    "not there yet, it will be made") :
		    command_say(false, path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return command_say(false, path,
		    "others may read it: chmod 600");
	err = pass_load(&key, path);
	pass_forget(&key);
	return command_say(err == 0, path, err == 0 ? "is a key" :
	    err == EINVAL ? "is not 32 bytes long" : strerror(err));
}

static int
command_check(struct controller *c, const char *operand)
{
	const struct store_options options = {
		.path = c->db_path,
		.journal = c->settings.db_journal,
		.interval = c->settings.poll_interval,
		.busy_ms = 2000,
	};
	const char *unset = controller_unset(c);
	struct buf text = BUF_INIT(COMMAND_TEXT_MAX);
	bool ok;

	(void)operand;
	ok = command_say(true, "settings", "each is well-formed");
	ok = command_say(unset[0] == '\0', "credentials",
	    unset[0] == '\0' ? "set for both roles" : unset) && ok;
	ok = command_check_folder(c->settings.state_dir) && ok;
	ok = command_check_key(c->key_path) && ok;
	fflush(stdout);
	ok = store_examine(&options, &text) && ok;
	return command_print(&text) == 0 && ok ? 0 : 1;
}

/* A command that needs the settings. */
static int
command_with(int (*run)(struct controller *, const char *operand),
    const struct command *command)
{
	const struct setting_source none = { .get = NULL };
	struct buf error = BUF_INIT(65536);
	struct controller c;
	int status = 1;

	if (!controller_start(&c, command->config, &error))
		fprintf(stderr, "%s\n", buf_text(&error));
	else if (!controller_load(&c, none))
		fputs(buf_text(&c.wrong), stderr);
	else
		status = run(&c, command->operand);
	notify_turn(&c);
	controller_stop(&c);
	buf_free(&error);
	return status;
}

int
command_run(int argc, char **argv)
{
	struct command command;

	switch (command_read(argc, argv, &command)) {
	case COMMAND_MIGRATE:
		return command_with(command_migrate, &command);
	case COMMAND_CHECK:
		return command_with(command_check, &command);
	case COMMAND_BACKUP:
		return command_with(command_backup, &command);
	case COMMAND_RESTORE:
		return command_with(command_restore, &command);
	case COMMAND_OPENAPI:
		return command_openapi();
	case COMMAND_HELP:
		return command_help(false);
	case COMMAND_MARKDOWN:
		return command_help(true);
	case COMMAND_VERSION:
		printf("dcm-controller %s\n", DCM_VERSION);
		return 0;
	default:
		fputs(command_usage, stderr);
		return 2;
	}
}
