/*
 * The command line. It changes nothing but with --migrate, and prints no
 * secret.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
	{ "openapi", no_argument, NULL, COMMAND_OPENAPI },
	{ "help", no_argument, NULL, COMMAND_HELP },
	{ "help-markdown", no_argument, NULL, COMMAND_MARKDOWN },
	{ "version", no_argument, NULL, COMMAND_VERSION },
	{ "config", required_argument, NULL, COMMAND_CONFIG },
	{ NULL, 0, NULL, 0 },
};

static const char command_usage[] =
    "usage: dcm-controller --migrate | --check | --openapi | --help | "
    "--version\n"
    "           [--config FILE]\n"
    "\n"
    "  --migrate      makes the database, or brings it to this version's "
    "schema\n"
    "  --check        looks at settings, permissions, schema and integrity\n"
    "  --openapi      prints swagger.yaml\n"
    "  --config FILE  settings, one NAME=value a line; the environment goes "
    "first\n"
    "\n"
    "Started by a web server, over FastCGI or CGI, it answers requests.\n";

/* The options of argv: what is asked for, and the file of --config. */
static enum command_what
command_read(int argc, char **argv, const char **file)
{
	enum command_what what = COMMAND_NOTHING;
	int option;

	*file = NULL;
	while ((option = getopt_long(argc, argv, "", command_options,
	    NULL)) != -1) {
		if (option == COMMAND_CONFIG)
			*file = optarg;
		else if (what != COMMAND_NOTHING || option == COMMAND_WRONG)
			return COMMAND_WRONG;
		else
			what = (enum command_what)option;
	}
	return optind < argc ? COMMAND_WRONG : what;
}

const char *
command_config(int argc, char **argv)
{
	const char *file;

	if (command_read(argc, argv, &file) != COMMAND_NOTHING)
		log_fatal("a responder takes --config FILE and no other "
		    "argument");
	return file;
}

/* --- text --------------------------------------------------------------- */

static int
command_print(struct buf *text)
{
	bool ok = !text->failed &&
	    fwrite(buf_text(text), 1, text->len, stdout) == text->len &&
	    fflush(stdout) == 0;

	buf_free(text);
	return ok ? 0 : 1;
}

static int
command_openapi(void)
{
	struct buf text = BUF_INIT(COMMAND_TEXT_MAX);
	struct route_table table;

	gateway_table(&table, NULL);
	describe_print(&table, &text);
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
command_migrate(struct controller *c)
{
	const struct store_version *v;
	enum store_end end = store_ready(c->store);

	if (end == STORE_DONE)
		end = controller_current(c, &v);
	if (end != STORE_DONE) {
		fprintf(stderr, "%s\n%s\n", store_why(c->store),
		    store_detail(c->store));
		return 1;
	}
	printf("%s is at this version's schema; the present version is "
	    "%lld\n", c->db_path, v->version);
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
command_check(struct controller *c)
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

	ok = command_say(true, "settings", "each is well-formed");
	ok = command_say(unset[0] == '\0', "credentials",
	    unset[0] == '\0' ? "set for both roles" : unset) && ok;
	ok = command_check_folder(c->settings.state_dir) && ok;
	ok = command_check_key(c->key_path) && ok;
	fflush(stdout);
	ok = store_examine(&options, &text) && ok;
	fputs(buf_text(&text), stdout);
	buf_free(&text);
	return ok ? 0 : 1;
}

/* A command that needs the settings. */
static int
command_with(int (*run)(struct controller *), const char *file)
{
	const struct setting_source none = { .get = NULL };
	struct buf error = BUF_INIT(65536);
	struct controller c;
	int status = 1;

	if (!controller_start(&c, file, &error))
		fprintf(stderr, "%s\n", buf_text(&error));
	else if (!controller_load(&c, none))
		fputs(buf_text(&c.wrong), stderr);
	else
		status = run(&c);
	controller_stop(&c);
	buf_free(&error);
	return status;
}

int
command_run(int argc, char **argv)
{
	const char *file;

	switch (command_read(argc, argv, &file)) {
	case COMMAND_MIGRATE:
		return command_with(command_migrate, file);
	case COMMAND_CHECK:
		return command_with(command_check, file);
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
