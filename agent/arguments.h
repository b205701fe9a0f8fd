#ifndef ARGUMENTS_H
#define ARGUMENTS_H
/*
 * The command line.
 */

enum arguments_mode {
	ARGUMENTS_RUN, ARGUMENTS_ONCE, ARGUMENTS_CHECK,
	ARGUMENTS_DONE,		/* something was printed, and that was all */
	ARGUMENTS_UNSAID,	/* it could not be; said on standard error */
	ARGUMENTS_WRONG,	/* said there, too */
};

/* *file: of --config, or NULL; borrowed of argv. */
enum arguments_mode arguments_read(int argc, char **argv, const char **file);

#endif
