#ifndef COMMAND_H
#define COMMAND_H
/*
 * WORKER_COMMAND as words, and the environment that they run in. Pure.
 */

/*
 * Split at blanks; no quotes, no escapes, no shell. Gives one block, to be
 * freed with free(3), that ends with NULL. NULL: there is no word, or no
 * memory.
 */
char **command_words(const char *text);

/*
 * What of `from` a worker may see: nothing of the controller's credentials,
 * in any spelling that a setting has, and no PORT, which is the agent's.
 * Gives one block of borrowed strings, to be freed with free(3); NULL: no
 * memory.
 */
char **command_environment(char *const *from);

#endif
