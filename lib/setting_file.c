/*
 * The file of --config: lines of NAME=value, read as a shell would read them
 * as far as quotes go. Nothing is expanded and nothing is run. The bytes of
 * the file are kept as they were read; names and values are found, unquoted
 * and ended within them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "setting.h"

enum { SETTING_FILE_MAX = 1024 * 1024 };

struct setting_file_row {
	const char *name, *value;
};

struct setting_file {
	struct buf text;
	struct setting_file_row *rows;
	size_t count, room;
};

static char *
setting_file_blank(char *p)
{
	return p + strspn(p, " \t");
}

/* Behind a name, or p itself when none is there. */
static char *
setting_file_name(char *p)
{
	if (*p >= '0' && *p <= '9')
		return p;
	return p + strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_");
}

/* Unquotes the word at p in its place. The error, or NULL with *rest behind
 * the word and *end where it is to be ended. */
static const char *
setting_file_word(char *p, char **end, char **rest)
{
	char *out = p, quote = '\0';

	for (; *p != '\0'; p++) {
		if (*p == '\\' && quote != '\'' && p[1] == '\0')
			return "a backslash at the end of a line";
		if (quote == '\0' && (*p == ' ' || *p == '\t'))
			break;
		if (*p == '\\' && quote != '\'' && (quote == '\0' ||
		    strchr("\"\\$`", p[1]) != NULL))
			*out++ = *++p;
		else if (quote != '\0' && *p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else
			*out++ = *p;
	}
	*end = out;
	*rest = setting_file_blank(p);
	return quote != '\0' ? "a quote without an end" : NULL;
}

static const char *
setting_file_add(struct setting_file *f, const char *name, const char *value)
{
	size_t room = f->room > 0 ? f->room * 2 : 32;
	struct setting_file_row *grown;

	if (f->count == f->room) {
		grown = realloc(f->rows, room * sizeof(*grown));
		if (grown == NULL)
			return "out of memory";
		f->rows = grown;
		f->room = room;
	}
	f->rows[f->count++] = (struct setting_file_row) { name, value };
	return NULL;
}

/* One line without its end. What is wrong with it, or NULL. */
static const char *
setting_file_line(struct setting_file *f, char *line)
{
	char *name = setting_file_blank(line), *equals, *end, *rest;
	const char *wrong;

	if (*name == '\0' || *name == '#')
		return NULL;
	if (strncmp(name, "export", 6) == 0 &&
	    (name[6] == ' ' || name[6] == '\t'))
		name = setting_file_blank(name + 6);
	equals = setting_file_name(name);
	if (equals == name || *equals != '=')
		return "not of the form NAME=value";
	wrong = setting_file_word(equals + 1, &end, &rest);
	if (wrong != NULL)
		return wrong;
	if (*rest != '\0' && *rest != '#')
		return "more text after the value; a value with spaces needs "
		    "quotes";
	*equals = '\0';
	*end = '\0';
	return setting_file_add(f, name, equals + 1);
}

static bool
setting_file_parse(struct setting_file *f, const char *path,
    struct buf *error)
{
	char *line = f->text.data, *last = line + f->text.len, *end;
	const char *wrong;
	size_t len;

	for (size_t number = 1; line < last; number++, line = end + 1) {
		end = memchr(line, '\n', (size_t)(last - line));
		if (end == NULL)
			end = last;
		len = (size_t)(end - line);
		len -= len > 0 && line[len - 1] == '\r';
		line[len] = '\0';
		wrong = strlen(line) == len ? setting_file_line(f, line) :
		    "a NUL byte";
		if (wrong != NULL) {
			buf_printf(error, "%s:%zu: %s\n", path, number, wrong);
			return false;
		}
	}
	return true;
}

struct setting_file *
setting_file_open(const char *path, struct buf *error)
{
	struct setting_file *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL) {
		buf_str(error, "out of memory\n");
		return NULL;
	}
	buf_init(&f->text, SETTING_FILE_MAX);
	err = keep_read(path, &f->text);
	if (err == EFBIG)
		buf_printf(error, "%s: larger than 1 MiB\n", path);
	else if (err != 0)
		buf_printf(error, "%s: %s\n", path, strerror(err));
	if (err == 0 && (f->text.data == NULL ||
	    setting_file_parse(f, path, error)))
		return f;
	setting_file_close(f);
	return NULL;
}

static const char *
setting_file_get(const void *arg, const char *name)
{
	const struct setting_file *f = arg;

	for (size_t i = f->count; i > 0; i--)
		if (strcmp(f->rows[i - 1].name, name) == 0)
			return f->rows[i - 1].value;
	return NULL;
}

struct setting_source
setting_file_source(const struct setting_file *f)
{
	return (struct setting_source) { setting_file_get, f };
}

void
setting_file_close(struct setting_file *f)
{
	if (f == NULL)
		return;
	if (f->text.data != NULL)
		explicit_bzero(f->text.data, f->text.cap);
	buf_free(&f->text);
	free(f->rows);
	free(f);
}
