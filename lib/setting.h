#ifndef SETTING_H
#define SETTING_H
/*
 * Settings: one table of rows that reads them into a struct, checks them,
 * documents them and prints --help.
 *
 * A setting is looked up in each source in turn (the environment, then the
 * file of --config, …); within a source by its name, then by the other names
 * it answers to. An empty value counts as not set. A secret NAME may be
 * given as NAME_FILE, a file whose content it is, less one final newline.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum setting_kind {
	SETTING_TEXT,	/* char *: any text without control characters */
	SETTING_SECRET,	/* char *: the same; also NAME_FILE; never printed */
	SETTING_PATH,	/* char *: a path, 4095 bytes at most */
	SETTING_NUMBER,	/* long: whole, min..max */
	SETTING_CHOICE,	/* char *: one word of `choices` */
	SETTING_URL,	/* char *: begins with one of `choices` and "://" */
};

struct setting {
	const char *name;
	const char *also;	/* other names, by spaces; or NULL */
	enum setting_kind kind;
	size_t offset;		/* of the char * or long in the struct */
	const char *fallback;	/* NULL: not set (char * NULL, long 0) */
	long min, max;		/* SETTING_NUMBER */
	const char *choices;	/* SETTING_CHOICE, _URL: words by spaces */
	const char *doc;	/* one line, no full stop at its end */
};
/* A table ends with a row whose name is NULL. */

/* Where values come from. get: the value, or NULL; borrowed until the load
 * is over. */
struct setting_source {
	const char *(*get)(const void *arg, const char *name);
	const void *arg;
};

extern const struct setting_source setting_environment;

/* A KEY=value file: # comments, blank lines, `export ` before a name, values
 * bare or in '…' or "…" as a shell would read them without expansion. */
struct setting_file;

/* Reads path, 1 MiB at most. NULL: error says why in one line, with the
 * line's number. A name given twice has its last value, as in a shell.
 * Gives: setting_file_close frees, and zeroes what was read. */
struct setting_file *setting_file_open(const char *path, struct buf *error);
struct setting_source setting_file_source(const struct setting_file *);
void setting_file_close(struct setting_file *);	/* or NULL */

/*
 * Reads every row into `into`, which was zeroed. sources ends with a get of
 * NULL. False: error holds one line, with its newline, for each wrong
 * setting: its name, the value (unless secret, and without the user part of a
 * URL) and what is allowed; `into` can be freed all the same. A wrong value is
 * an error even if a later source has a good one. Both NAME and NAME_FILE in
 * one source, and a NAME_FILE that cannot be read or is empty, are errors.
 */
bool setting_load(const struct setting *, void *into,
    const struct setting_source *sources, struct buf *error);

/* Frees what setting_load allocated and zeroes secrets. */
void setting_free(const struct setting *, void *into);

/* The table for --help, 80 columns wide, and as the rows of a Markdown table
 * for README.md:
 * | `NAME` | default | what it is | other names | */
void setting_help(const struct setting *, struct buf *);
void setting_markdown(const struct setting *, struct buf *);

#endif
