/*
 * The file of DCM_CONFIG: where it may be named, when it is another one, and
 * that no path in it depends on the current folder.
 */
#include "../../cgi/controller_file.c"

#include <stdio.h>
#include <unistd.h>

#include "keep.h"
#include "unit.h"

static struct controller_file named;
static struct buf wrong = BUF_INIT(8192);
static char path[64];

/* A file in the place of the one before. */
static void
put(const char *text)
{
	if (path[0] == '\0') {
		strcpy(path, "/tmp/controller_file.XXXXXX");
		close(mkstemp(path));
	}
	CHECK_INT(keep_write(path, text, strlen(text), 0600), 0);
}

/* A source that has DCM_CONFIG alone. */
static const char *
get(const void *arg, const char *name)
{
	return strcmp(name, "DCM_CONFIG") == 0 ? arg : NULL;
}

static bool
opened(const char *of)
{
	buf_reset(&wrong);
	return controller_file_open(&named, (struct setting_source)
	    { get, of }, &wrong);
}

static const char *
value(const char *name)
{
	struct setting_source source = setting_file_source(named.file);

	return source.get(source.arg, name);
}

UNIT("the variable of a request goes before that of the environment")
{
	put("LOG_LEVEL=warn\n");
	setenv("DCM_CONFIG", "/nowhere/at/all", 1);
	CHECK(opened(path));
	CHECK_TEXT(value("LOG_LEVEL"), "warn");
	CHECK(!opened(""));
	CHECK_TEXT(buf_text(&wrong), "DCM_CONFIG: /nowhere/at/all: "
	    "No such file or directory\n");
	CHECK(controller_file_changed(&named));
	setenv("DCM_CONFIG", path, 1);
	CHECK(opened(NULL));
	CHECK_TEXT(value("LOG_LEVEL"), "warn");
	unsetenv("DCM_CONFIG");
	CHECK(opened(NULL));
	CHECK(named.file == NULL && !controller_file_changed(&named));
	unlink(path);
}

UNIT("a path that does not begin with a slash is refused")
{
	CHECK(!opened("controller.conf"));
	CHECK_TEXT(buf_text(&wrong), "DCM_CONFIG is \"controller.conf\": it "
	    "must begin with /\n");
	CHECK(named.file == NULL);
}

UNIT("a file that was replaced, changed or removed is another one")
{
	put("LOG_LEVEL=warn\n");
	CHECK(opened(path));
	CHECK(!controller_file_changed(&named));
	CHECK_INT(truncate(path, 3), 0);
	CHECK(controller_file_changed(&named));
	put("LOG_LEVEL=info\n");
	CHECK(controller_file_changed(&named));
	CHECK(opened(path));
	CHECK_TEXT(value("LOG_LEVEL"), "info");
	unlink(path);
	CHECK(controller_file_changed(&named));
}

UNIT("no path depends on the current folder")
{
	char state[] = "var", db[] = "x/y.db", whole[] = "/a/b";
	struct controller_settings s = { .state_dir = state, .db_path = db,
		.token_key_file = whole };

	buf_reset(&wrong);
	controller_file_close(&named);
	controller_file_check(&named, &s, &wrong);
	CHECK_INT(wrong.len, 0);
	put("");
	CHECK(opened(path));
	controller_file_check(&named, &s, &wrong);
	CHECK_TEXT(buf_text(&wrong), "STATE_DIR is \"var\": with DCM_CONFIG "
	    "it must begin with /\nDB_PATH is \"x/y.db\": with DCM_CONFIG it "
	    "must begin with /\n");
	unlink(path);
	controller_file_close(&named);
	buf_free(&wrong);
}

UNIT_MAIN
