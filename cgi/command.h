#ifndef COMMAND_H
#define COMMAND_H
/*
 * dcm-controller as a command: --migrate, --check, --backup, --restore,
 * --openapi, --help, --version.
 */

/* Runs it; an exit status. 2: the arguments make no sense. */
int command_run(int argc, char **argv);

/* What follows --config, or NULL. Ends the program when any argument is not
 * one that a responder takes. */
const char *command_config(int argc, char **argv);

#endif
