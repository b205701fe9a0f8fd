/*
 * The fields of an answer, as they are kept.
 */
#include "../../lib/fetch_field.c"

#include "unit.h"

static struct fetch f;
static struct buf seen;

static void
t_open(void)
{
	buf_init(&f.fields, 200);
	buf_init(&seen, 1000);
}

static void
t_close(void)
{
	buf_free(&f.fields);
	buf_free(&seen);
}

static bool
t_add(const char *line)
{
	return fetch_field_add(&f, line, strlen(line));
}

static void
t_each(void *arg, const char *name, const char *value)
{
	(void)arg;
	buf_printf(&seen, "[%s|%s]", name, value);
}

static const char *
t_all(void)
{
	buf_reset(&seen);
	fetch_headers(&f, t_each, NULL);
	return buf_text(&seen);
}

UNIT("fields are told in order, trimmed, and found by any case")
{
	t_open();
	CHECK_TEXT(t_all(), "");
	CHECK(fetch_header(&f, "A") == NULL);
	CHECK(t_add("Content-Type: text/plain\r\n"));
	CHECK(t_add("a:1\n"));
	CHECK(t_add("A: \t two words \t\r\n"));
	CHECK(t_add("Empty:\r\n"));
	CHECK_TEXT(t_all(), "[Content-Type|text/plain][a|1][A|two words]"
	    "[Empty|]");
	CHECK_TEXT(fetch_header(&f, "CONTENT-TYPE"), "text/plain");
	CHECK_TEXT(fetch_header(&f, "A"), "1");
	CHECK_TEXT(fetch_header(&f, "empty"), "");
	CHECK(fetch_header(&f, "Content") == NULL);
	CHECK(fetch_header(&f, "Content-Type2") == NULL);
	t_close();
}

UNIT("a folded line goes on with one space, behind the last field only")
{
	t_open();
	CHECK(!t_add(" alone\r\n"));
	CHECK(t_add("A: 1\r\n"));
	CHECK(t_add("B: 2\r\n"));
	CHECK(t_add(" \t and more \r\n"));
	CHECK(t_add("\tagain\r\n"));
	CHECK(t_add("C: 3\r\n"));
	CHECK_TEXT(t_all(), "[A|1][B|2 and more again][C|3]");
	t_close();
}

UNIT("what is no field, or too much, is refused and changes nothing")
{
	t_open();
	CHECK(t_add("A: 1\r\n"));
	CHECK(!t_add("no colon\r\n"));
	CHECK(!fetch_field_add(&f, "B: \0 2\r\n", 8));
	CHECK_TEXT(t_all(), "[A|1]");
	CHECK(!t_add("C: 012345678901234567890123456789012345678901234567890123"
	    "4567890123456789012345678901234567890123456789012345678901234567"
	    "8901234567890123456789012345678901234567890123456789\r\n"));
	CHECK_TEXT(t_all(), "[A|1]");
	t_close();
}

UNIT_MAIN
