/*
 * dcm-controller, also called config.fcgi, agents.fcgi, status.fcgi and
 * watch.fcgi: a responder when a web server starts it, a command otherwise.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "gateway.h"
#include "log.h"

static bool
main_is(const char *name)
{
	return strcmp(program_invocation_short_name, name) == 0;
}

/* A responder for FastCGI: a wrong setting stops it before it serves. */
static int
main_fcgi(struct controller *c)
{
	const struct setting_source none = { .get = NULL };
	bool watch = main_is("watch.fcgi");

	if (!controller_load(c, none)) {
		fputs(buf_text(&c->wrong), stderr);
		log_fatal("the settings are wrong, see above");
	}
	c->prompt = watch || main_is("config.fcgi");
	return watch ? gateway_watch(c) : gateway_fcgi(c);
}

int
main(int argc, char **argv)
{
	struct buf error = BUF_INIT(65536);
	struct controller c;
	int status;

	umask(077);	/* a configuration may hold secrets */
	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, no end */
	if (!gateway_is_fcgi()) {
		/* arguments of a CGI program come from the query */
		if (getenv("GATEWAY_INTERFACE") == NULL &&
		    getenv("REQUEST_METHOD") == NULL)
			return command_run(argc, argv);
		controller_start(&c, NULL, &error);
		status = gateway_cgi(&c);
	} else {
		if (!controller_start(&c, command_config(argc, argv),
		    &error))
			log_fatal("%s", buf_text(&error));
		status = main_fcgi(&c);
	}
	controller_stop(&c);
	buf_free(&error);
	return status;
}
