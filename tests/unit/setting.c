#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/setting.c"
#include "../../lib/setting_help.c"

#include "file_here.h"

struct sample {
	char *name, *password, *path, *level, *url;
	long port, any;
};

static const struct setting table[] = {
	{ "SAMPLE_NAME", NULL, SETTING_TEXT, offsetof(struct sample, name),
	  NULL, 0, 0, NULL, "what it is called | by whom" },
	{ "SAMPLE_PASSWORD", "PASSWORD PASS", SETTING_SECRET,
	  offsetof(struct sample, password), NULL, 0, 0, NULL,
	  "what only friends know" },
	{ "SAMPLE_PATH", NULL, SETTING_PATH, offsetof(struct sample, path),
	  "/var/lib/sample", 0, 0, NULL, "where it lives" },
	{ "LOG_LEVEL", NULL, SETTING_CHOICE, offsetof(struct sample, level),
	  "info", 0, 0, "error warn info debug", "how much is said" },
	{ "SAMPLE_URL", "URL", SETTING_URL, offsetof(struct sample, url),
	  NULL, 0, 0, "http https", "whom it asks" },
	{ "SAMPLE_PORT", "PORT", SETTING_NUMBER,
	  offsetof(struct sample, port), "8080", 1, 65535, NULL,
	  "where it listens" },
	{ "SAMPLE_ANY", NULL, SETTING_NUMBER, offsetof(struct sample, any),
	  NULL, LONG_MIN, LONG_MAX, NULL, "any number at all" },
	{ NULL, NULL, 0, 0, NULL, 0, 0, NULL, NULL },
};

/* A source for tests: name, value, name, value, NULL. */
static const char *
pairs_get(const void *arg, const char *name)
{
	const char *const *pair = arg;

	for (; pair[0] != NULL; pair += 2)
		if (strcmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

static struct buf said = BUF_INIT(100000);

static const char *
load_two(struct sample *s, const char *const *first,
    const char *const *second)
{
	struct setting_source sources[] = {
		{ pairs_get, first }, { pairs_get, second }, { NULL, NULL },
	};
	bool good;

	buf_reset(&said);
	memset(s, 0, sizeof(*s));
	good = setting_load(table, s, sources, &said);
	if (good != (said.len == 0))
		return "count and answer differ";
	return buf_text(&said);
}

#define PAIRS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* What is said of one setting. */
static const char *
said_of(const char *name, const char *value)
{
	struct sample s;
	const char *text = load_two(&s, PAIRS(name, value), PAIRS(NULL));

	setting_free(table, &s);
	return text;
}

UNIT("without any source the fallbacks hold")
{
	struct sample s;

	CHECK_TEXT(load_two(&s, PAIRS(NULL), PAIRS(NULL)), "");
	CHECK(s.name == NULL && s.password == NULL && s.url == NULL);
	CHECK_TEXT(s.path, "/var/lib/sample");
	CHECK_TEXT(s.level, "info");
	CHECK_INT(s.port, 8080);
	CHECK_INT(s.any, 0);
	setting_free(table, &s);
	CHECK(s.path == NULL);
	setting_free(table, &s);
}

UNIT("an earlier source wins, then the name, then its other names in turn")
{
	struct sample s;

	CHECK_TEXT(load_two(&s, PAIRS("PORT", "1", "PASS", "late",
	    "PASSWORD", "early", "SAMPLE_NAME", ""),
	    PAIRS("SAMPLE_PORT", "2", "SAMPLE_NAME", "second",
	    "SAMPLE_PASSWORD", "x")), "");
	CHECK_INT(s.port, 1);
	CHECK_TEXT(s.name, "second");
	CHECK_TEXT(s.password, "early");
	setting_free(table, &s);
	CHECK_TEXT(load_two(&s, PAIRS("PORT", "1", "SAMPLE_PORT", "2"),
	    PAIRS(NULL)), "");
	CHECK_INT(s.port, 2);
	setting_free(table, &s);
}

UNIT("the environment is a source")
{
	struct setting_source sources[] = { setting_environment,
		{ NULL, NULL } };
	struct sample s = { .port = 0 };
	struct buf error = BUF_INIT(100);

	setenv("SAMPLE_PORT", "4711", 1);
	CHECK(setting_load(table, &s, sources, &error));
	unsetenv("SAMPLE_PORT");
	CHECK_INT(s.port, 4711);
	setting_free(table, &s);
}

UNIT("a number is whole, plain and within its bounds")
{
	static const char *const bad[] = { "abc", "0", "65536", "-1", "1.0",
		"1e3", " 1", "1 ", "+1", "0x10", "8080a", "-", "--1",
		"99999999999999999999999999" };
	char want[200];
	struct sample s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(want, sizeof(want), "SAMPLE_PORT: \"%s\" is not a "
		    "whole number from 1 to 65535\n", bad[i]);
		CHECK_TEXT(said_of("SAMPLE_PORT", bad[i]), want);
	}
	CHECK_TEXT(said_of("PORT", "http"), "SAMPLE_PORT (from PORT): "
	    "\"http\" is not a whole number from 1 to 65535\n");
	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_ANY", "-9223372036854775808"),
	    PAIRS(NULL)), "");
	CHECK(s.any == LONG_MIN);
	setting_free(table, &s);
	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_ANY", "9223372036854775807"),
	    PAIRS(NULL)), "");
	CHECK(s.any == LONG_MAX);
	setting_free(table, &s);
	CHECK_TEXT(said_of("SAMPLE_ANY", "9223372036854775808"),
	    "SAMPLE_ANY: \"9223372036854775808\" is not a whole number of "
	    "at least -9223372036854775808\n");
	CHECK_TEXT(said_of("SAMPLE_ANY", "-9223372036854775809"),
	    "SAMPLE_ANY: \"-9223372036854775809\" is not a whole number of "
	    "at least -9223372036854775808\n");
}

UNIT("a choice and a URL are what the row lists")
{
	CHECK_TEXT(said_of("LOG_LEVEL", "debug"), "");
	CHECK_TEXT(said_of("LOG_LEVEL", "loud"), "LOG_LEVEL: \"loud\" is not "
	    "one of error, warn, info, debug\n");
	CHECK_TEXT(said_of("LOG_LEVEL", "inf"), "LOG_LEVEL: \"inf\" is not "
	    "one of error, warn, info, debug\n");
	CHECK_TEXT(said_of("LOG_LEVEL", "warn info"), "LOG_LEVEL: \"warn "
	    "info\" is not one of error, warn, info, debug\n");
	CHECK_TEXT(said_of("SAMPLE_URL", "https://a"), "");
	CHECK_TEXT(said_of("SAMPLE_URL", "http://"), "SAMPLE_URL: \"http://\" "
	    "is not a URL that begins with http:// or https://\n");
	CHECK_TEXT(said_of("URL", "http:a"), "SAMPLE_URL (from URL): "
	    "\"http:a\" is not a URL that begins with http:// or https://\n");
	CHECK(said_of("SAMPLE_URL", "http://a b")[0] != '\0');
}

UNIT("text has no control characters, a path an end")
{
	char path[4200];

	CHECK_TEXT(said_of("SAMPLE_NAME", "caf\xc3\xa9 {\"a\": 1}"), "");
	CHECK_TEXT(said_of("SAMPLE_NAME", "a\nb"),
	    "SAMPLE_NAME: contains a control character\n");
	CHECK_TEXT(said_of("SAMPLE_NAME", "\x7f"),
	    "SAMPLE_NAME: contains a control character\n");
	memset(path, 'x', sizeof(path));
	path[4096] = '\0';
	CHECK_TEXT(said_of("SAMPLE_PATH", path),
	    "SAMPLE_PATH: a path of more than 4095 bytes\n");
	path[4095] = '\0';
	CHECK_TEXT(said_of("SAMPLE_PATH", path), "");
}

UNIT("all that is wrong is said at once")
{
	struct sample s;

	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_PORT", "0", "LOG_LEVEL", "x",
	    "SAMPLE_NAME", "fine"), PAIRS("SAMPLE_URL", "ftp://a")),
	    "LOG_LEVEL: \"x\" is not one of error, warn, info, debug\n"
	    "SAMPLE_URL: \"ftp://a\" is not a URL that begins with http:// "
	    "or https://\n"
	    "SAMPLE_PORT: \"0\" is not a whole number from 1 to 65535\n");
	CHECK_TEXT(s.name, "fine");
	setting_free(table, &s);
}

UNIT("what is wrong is shown cut and escaped, and never a secret")
{
	char wrong[1001];

	CHECK_TEXT(said_of("SAMPLE_PORT", "1\n2"), "SAMPLE_PORT: \"1\\x0a2\" "
	    "is not a whole number from 1 to 65535\n");
	memset(wrong, 'x', 1000);
	wrong[1000] = '\0';
	CHECK(strlen(said_of("SAMPLE_PORT", wrong)) < 300);
	CHECK_TEXT(said_of("SAMPLE_PASSWORD", "hun\x01ter2"),
	    "SAMPLE_PASSWORD: contains a control character\n");
	CHECK_TEXT(said_of("SAMPLE_URL", "ftp://bob:hunter2@host/x"),
	    "SAMPLE_URL: \"***@host/x\" is not a URL that begins with "
	    "http:// or https://\n");
	CHECK(strstr(said_of("SAMPLE_URL", "bob:hunter2@host"), "hunter2") ==
	    NULL);
	CHECK(strstr(said_of("SAMPLE_URL", "ftp://b:hunter2@h@i"),
	    "hunter2") == NULL);
}

UNIT("a secret may be the content of a file, less one newline")
{
	static const char *const contents[][2] = {
		{ "hunter2", "hunter2" }, { "hunter2\n", "hunter2" },
		{ "hunter2\r\n", "hunter2" }, { " a b \n", " a b " },
	};
	struct sample s;

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		const char *path = write_file(contents[i][0],
		    strlen(contents[i][0]));

		CHECK_TEXT(load_two(&s, PAIRS("PASSWORD_FILE", path),
		    PAIRS("SAMPLE_PASSWORD", "x")), "");
		CHECK_TEXT(s.password, contents[i][1]);
		setting_free(table, &s);
	}
	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_NAME_FILE", file),
	    PAIRS(NULL)), "");
	CHECK(s.name == NULL);
	setting_free(table, &s);
	drop_file();
}

UNIT("a secret's file that is missing, empty or odd is an error")
{
	char want[300];
	char *big;

	CHECK_TEXT(said_of("SAMPLE_PASSWORD_FILE", "/nonexistent/x"),
	    "SAMPLE_PASSWORD (from SAMPLE_PASSWORD_FILE): cannot read "
	    "\"/nonexistent/x\": No such file or directory\n");
	CHECK_TEXT(said_of("PASS_FILE", "/"), "SAMPLE_PASSWORD (from "
	    "PASS_FILE): cannot read \"/\": Is a directory\n");
	write_file("\n", 1);
	snprintf(want, sizeof(want), "SAMPLE_PASSWORD (from PASS_FILE): "
	    "\"%s\" is empty\n", file);
	CHECK_TEXT(said_of("PASS_FILE", file), want);
	write_file("", 0);
	CHECK_TEXT(said_of("PASS_FILE", file), want);
	write_file("a\0b\n", 4);
	CHECK(strstr(said_of("PASS_FILE", file), "NUL") != NULL);
	write_file("a\nb\n", 4);
	CHECK_TEXT(said_of("PASS_FILE", file), "SAMPLE_PASSWORD (from "
	    "PASS_FILE): contains a control character\n");
	big = calloc(1, 100000);
	write_file(big, 100000);
	free(big);
	CHECK(strstr(said_of("PASS_FILE", file), "too large") != NULL);
	drop_file();
}

UNIT("a secret given twice in one source is an error, in two it is not")
{
	struct sample s;

	write_file("hunter2", 7);
	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_PASSWORD", "hunter3",
	    "SAMPLE_PASSWORD_FILE", file), PAIRS(NULL)),
	    "SAMPLE_PASSWORD: SAMPLE_PASSWORD and SAMPLE_PASSWORD_FILE are "
	    "both set; one is enough\n");
	setting_free(table, &s);
	CHECK_TEXT(load_two(&s, PAIRS("SAMPLE_PASSWORD", "hunter3"),
	    PAIRS("SAMPLE_PASSWORD_FILE", file)), "");
	CHECK_TEXT(s.password, "hunter3");
	setting_free(table, &s);
	drop_file();
}

UNIT("--help names every setting within 80 columns")
{
	struct buf out = BUF_INIT(100000);

	setting_help(table, &out);
	CHECK(strstr(buf_text(&out), "  SAMPLE_PORT      where it listens\n"
	    "                   default 8080; 1 to 65535; also PORT\n") !=
	    NULL);
	CHECK(strstr(buf_text(&out), "  SAMPLE_PASSWORD  what only friends "
	    "know\n                   also PASSWORD, PASS, "
	    "SAMPLE_PASSWORD_FILE\n") != NULL);
	CHECK(strstr(buf_text(&out), "  SAMPLE_NAME      what it is called | "
	    "by whom\n  SAMPLE_PASSWORD") != NULL);
	for (const char *p = buf_text(&out); *p != '\0';
	    p += strcspn(p, "\n") + 1)
		CHECK(strcspn(p, "\n") <= 80);
	buf_free(&out);
}

UNIT("long words and long texts are wrapped at their column")
{
	struct buf out = BUF_INIT(100000);
	char text[400] = "";

	for (int i = 0; i < 30; i++)
		strcat(text, "wordwords ");
	setting_help_wrap(&out, text, 20);
	CHECK(strstr(buf_text(&out),
	    "wordwords\n                    wordwords ") != NULL);
	CHECK(strstr(buf_text(&out), " \n") == NULL);
	buf_free(&out);
}

UNIT("the README's rows are a Markdown table")
{
	struct buf out = BUF_INIT(100000);

	setting_markdown(table, &out);
	CHECK_TEXT(buf_text(&out),
	    "| `SAMPLE_NAME` |  | what it is called \\| by whom |  |\n"
	    "| `SAMPLE_PASSWORD` |  | what only friends know | `PASSWORD`, "
	    "`PASS`, `SAMPLE_PASSWORD_FILE` |\n"
	    "| `SAMPLE_PATH` | `/var/lib/sample` | where it lives |  |\n"
	    "| `LOG_LEVEL` | `info` | how much is said (error, warn, info, "
	    "debug) |  |\n"
	    "| `SAMPLE_URL` |  | whom it asks (http://, https://) | `URL` |\n"
	    "| `SAMPLE_PORT` | `8080` | where it listens (1 to 65535) | "
	    "`PORT` |\n"
	    "| `SAMPLE_ANY` |  | any number at all (-9223372036854775808 or "
	    "more) |  |\n");
	buf_free(&out);
}

UNIT_MAIN
