/*
 * Reads the command line, and prints what only has to be printed.
 */
#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "routes.h"
#include "settings.h"

enum { ARGUMENTS_TEXT = 1 << 20 };

static void
arguments_help(struct buf *text)
{
	buf_str(text, "usage: dcm-agent [--config FILE] [--once | --check]\n"
	    "       dcm-agent --openapi | --help | --version\n\n"
	    "Keeps a worker on the configuration that the controller wants. "
	    "SIGHUP: reads\nFILE again and polls now.\n\n"
	    "--once   registers, reads and delivers once, beside no other "
	    "agent of the same\n         state file, and does not start "
	    "WORKER_COMMAND. Its exit status:\n"
	    "         0 the worker has what the controller has (or nothing is "
	    "published)\n"
	    "         1 wrong settings, or stopped   2 wrong arguments\n"
	    "         3 no good answer from the controller\n"
	    "         4 the controller refuses the credential\n"
	    "         5 no good answer from the worker\n"
	    "         6 the worker refuses the configuration\n"
	    "         7 the state file is in use, or cannot be written\n"
	    "--check  says of settings, controller, credential, worker and "
	    "state file whether\n         they are as they should be, and what "
	    "to do; changes nothing, may be used\n         while an agent "
	    "runs. Its exit status: 0 all is well, 1 something is not.\n\n"
	    "Settings come from the environment, then from FILE (KEY=value "
	    "lines):\n\n");
	setting_help(settings_table, text);
}

/* The rows of README.md's table. */
static void
arguments_markdown(struct buf *text)
{
	setting_markdown(settings_table, text);
}

static void
arguments_version(struct buf *text)
{
	buf_str(text, "dcm-agent " DCM_VERSION "\n");
}

static const struct argument {
	const char *name;
	void (*print)(struct buf *);
	enum arguments_mode mode;
} arguments_all[] = {
	{ "--help", arguments_help, ARGUMENTS_DONE },
	{ "--help-markdown", arguments_markdown, ARGUMENTS_DONE },
	{ "--version", arguments_version, ARGUMENTS_DONE },
	{ "--openapi", routes_print, ARGUMENTS_DONE },
	{ "--once", NULL, ARGUMENTS_ONCE },
	{ "--check", NULL, ARGUMENTS_CHECK },
};

static const struct argument *
arguments_find(const char *word)
{
	size_t count = sizeof(arguments_all) / sizeof(arguments_all[0]);

	for (size_t i = 0; i < count; i++)
		if (strcmp(word, arguments_all[i].name) == 0)
			return &arguments_all[i];
	return NULL;
}

static enum arguments_mode
arguments_wrong(const char *word)
{
	fprintf(stderr, "dcm-agent: what is \"%s\"? Try --help\n", word);
	return ARGUMENTS_WRONG;
}

static enum arguments_mode
arguments_print(void (*print)(struct buf *))
{
	struct buf text = BUF_INIT(ARGUMENTS_TEXT);

	print(&text);
	if (buf_print(&text))
		return ARGUMENTS_DONE;
	fprintf(stderr, "dcm-agent: standard output: %s\n", strerror(errno));
	return ARGUMENTS_UNSAID;
}

enum arguments_mode
arguments_read(int argc, char **argv, const char **file)
{
	enum arguments_mode mode = ARGUMENTS_RUN;
	const struct argument *found;

	*file = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			*file = argv[++i];
			continue;
		}
		found = arguments_find(argv[i]);
		if (found == NULL || mode != ARGUMENTS_RUN)
			return arguments_wrong(argv[i]);
		mode = found->mode;
		if (mode == ARGUMENTS_DONE)
			return arguments_print(found->print);
	}
	return mode;
}
