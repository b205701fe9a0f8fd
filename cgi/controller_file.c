/*
 * The file of DCM_CONFIG: settings for a web server that can give a program
 * variables, and no arguments. Where it lies nobody can guess, so it is
 * named in full; and as nobody on a shared host can restart a process, it
 * is read again when it has changed.
 */
#include "controller.h"

#include <stdlib.h>
#include <string.h>

static const char controller_file_name[] = "DCM_CONFIG";

void
controller_file_close(struct controller_file *f)
{
	setting_file_close(f->file);
	free(f->path);
	memset(f, 0, sizeof(*f));
}

static const char *
controller_file_named(struct setting_source first)
{
	const char *path = first.get != NULL ?
	    first.get(first.arg, controller_file_name) : NULL;

	if (path == NULL || path[0] == '\0')
		path = setting_environment.get(setting_environment.arg,
		    controller_file_name);
	return path != NULL && path[0] != '\0' ? path : NULL;
}

bool
controller_file_open(struct controller_file *f, struct setting_source first,
    struct buf *wrong)
{
	const char *path = controller_file_named(first);
	struct buf error = BUF_INIT(8192);

	controller_file_close(f);
	if (path == NULL)
		return true;
	if (path[0] != '/') {
		buf_printf(wrong, "%s is \"%s\": it must begin with /\n",
		    controller_file_name, path);
		return false;
	}
	f->path = strdup(path);
	/* looked at first: what changes while it is read is seen later */
	if (f->path == NULL || stat(path, &f->seen) < 0)
		memset(&f->seen, 0, sizeof(f->seen));
	f->file = setting_file_open(path, &error);
	if (f->file == NULL)
		buf_printf(wrong, "%s: %s", controller_file_name,
		    buf_text(&error));
	buf_free(&error);
	return f->file != NULL;
}

bool
controller_file_changed(const struct controller_file *f)
{
	struct stat now;

	if (f->path == NULL)
		return false;
	return stat(f->path, &now) < 0 || now.st_ino != f->seen.st_ino ||
	    now.st_dev != f->seen.st_dev || now.st_size != f->seen.st_size ||
	    now.st_mtim.tv_sec != f->seen.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != f->seen.st_mtim.tv_nsec;
}

/* The current folder of a CGI program is the web server's choice, and often
 * one that is served. */
static void
controller_file_placed(const char *name, const char *path, struct buf *wrong)
{
	if (path != NULL && path[0] != '/')
		buf_printf(wrong, "%s is \"%s\": with %s it must begin with "
		    "/\n", name, path, controller_file_name);
}

void
controller_file_check(const struct controller_file *f,
    const struct controller_settings *s, struct buf *wrong)
{
	if (f->file == NULL)
		return;
	controller_file_placed("STATE_DIR", s->state_dir, wrong);
	controller_file_placed("DB_PATH", s->db_path, wrong);
	controller_file_placed("TOKEN_KEY_FILE", s->token_key_file, wrong);
}
