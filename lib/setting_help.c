/*
 * The table of settings for people: --help, and the README's rows.
 */
#include <limits.h>
#include <string.h>

#include "setting.h"

enum { SETTING_HELP_WIDTH = 80 };

static void
setting_help_words(struct buf *b, const char *words, const char *before,
    const char *after)
{
	const char *comma = "";

	for (size_t n; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		buf_printf(b, "%s%s%.*s%s", comma, before, (int)n, words,
		    after);
		comma = ", ";
	}
}

/* "1 to 65535", "text, json", "http://, https://", or nothing. */
static void
setting_help_allowed(const struct setting *s, struct buf *b)
{
	if (s->kind == SETTING_NUMBER && s->max == LONG_MAX)
		buf_printf(b, "%ld or more", s->min);
	else if (s->kind == SETTING_NUMBER)
		buf_printf(b, "%ld to %ld", s->min, s->max);
	else if (s->kind == SETTING_CHOICE)
		setting_help_words(b, s->choices, "", "");
	else if (s->kind == SETTING_URL)
		setting_help_words(b, s->choices, "", "://");
}

/* The other names: its aliases, and the files of a secret. */
static void
setting_help_names(const struct setting *s, struct buf *b, const char *quote)
{
	if (s->also != NULL)
		setting_help_words(b, s->also, quote, quote);
	if (s->kind == SETTING_SECRET)
		buf_printf(b, "%s%s%s_FILE%s", s->also != NULL ? ", " : "",
		    quote, s->name, quote);
}

static void
setting_help_details(const struct setting *s, struct buf *b)
{
	if (s->fallback != NULL)
		buf_printf(b, "default %s", s->fallback);
	if (s->kind == SETTING_NUMBER || s->kind == SETTING_CHOICE ||
	    s->kind == SETTING_URL) {
		buf_str(b, b->len > 0 ? "; " : "");
		setting_help_allowed(s, b);
	}
	if (s->also != NULL || s->kind == SETTING_SECRET) {
		buf_str(b, b->len > 0 ? "; also " : "also ");
		setting_help_names(s, b, "");
	}
}

/* Words from a column on, in lines; the cursor already stands there. */
static void
setting_help_wrap(struct buf *b, const char *text, int column)
{
	int at = column;

	for (size_t n; *text != '\0'; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		if (at > column && at + 1 + (int)n > SETTING_HELP_WIDTH) {
			buf_printf(b, "\n%*s", column, "");
			at = column;
		}
		if (at > column) {
			buf_char(b, ' ');
			at++;
		}
		buf_add(b, text, n);
		at += (int)n;
	}
	buf_char(b, '\n');
}

void
setting_help(const struct setting *table, struct buf *out)
{
	size_t width = 0;

	for (const struct setting *s = table; s->name != NULL; s++)
		if (strlen(s->name) > width)
			width = strlen(s->name);
	for (const struct setting *s = table; s->name != NULL; s++) {
		struct buf details = BUF_INIT(4096);
		int column = (int)width + 4;

		buf_printf(out, "  %-*s  ", (int)width, s->name);
		setting_help_wrap(out, s->doc, column);
		setting_help_details(s, &details);
		if (details.len > 0) {
			buf_printf(out, "%*s", column, "");
			setting_help_wrap(out, buf_text(&details), column);
		}
		buf_free(&details);
	}
}

/* A cell of a Markdown table: | would end it, even in `code`. */
static void
setting_help_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
}

void
setting_markdown(const struct setting *table, struct buf *out)
{
	for (const struct setting *s = table; s->name != NULL; s++) {
		struct buf cell = BUF_INIT(4096);

		buf_printf(out, "| `%s` | ", s->name);
		if (s->fallback != NULL)
			buf_printf(&cell, "`%s`", s->fallback);
		setting_help_cell(out, buf_text(&cell));
		buf_str(out, " | ");
		buf_reset(&cell);
		setting_help_allowed(s, &cell);
		setting_help_cell(out, s->doc);
		if (cell.len > 0) {
			buf_str(out, " (");
			setting_help_cell(out, buf_text(&cell));
			buf_char(out, ')');
		}
		buf_str(out, " | ");
		buf_reset(&cell);
		setting_help_names(s, &cell, "`");
		setting_help_cell(out, buf_text(&cell));
		buf_str(out, " |\n");
		buf_free(&cell);
	}
}
