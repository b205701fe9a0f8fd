/*
 * Reads what can be read without taking part: the lock of another process is
 * seen in /proc/locks (proc(5)), for to try it would be to hold it.
 */
#include "check_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "keep.h"
#include "state.h"

long
check_state_used(const char *path)
{
	char name[4200], line[256];
	unsigned at_major, at_minor;
	unsigned long inode;
	long process, found = 0;
	struct stat st;
	FILE *locks;

	snprintf(name, sizeof(name), "%s.lock", path);
	if (stat(name, &st) < 0 || (locks = fopen("/proc/locks", "re")) ==
	    NULL)
		return 0;
	while (fgets(line, sizeof(line), locks) != NULL)
		if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%lu", &process,
		    &at_major, &at_minor, &inode) == 4 &&
		    inode == st.st_ino && at_major == major(st.st_dev) &&
		    at_minor == minor(st.st_dev))
			found = process;
	fclose(locks);
	return found;
}

/* What stands between the agent and writing it; 0 or errno. */
static int
check_state_room(const char *path)
{
	char folder[4200], *slash;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash != NULL && slash != folder)
		*slash = '\0';
	if (slash != NULL && stat(folder, &st) < 0 && errno == ENOENT)
		return 0;	/* it is made at the start */
	return keep_room(path, STATE_FILE_MAX);
}

bool
check_state(const char *path, char text[CHECK_STATE_TEXT])
{
	struct buf bytes = BUF_INIT(STATE_FILE_MAX);
	struct state state = { .interval = 0 };
	int err = keep_read(path, &bytes), room = check_state_room(path);
	long used = check_state_used(path);
	bool parsed = err == 0 &&
	    state_parse(&state, buf_text(&bytes), bytes.len);
	bool well = room == 0 && (err == ENOENT || parsed);

	if (room != 0)
		snprintf(text, CHECK_STATE_TEXT, "%s cannot be written: %s; "
		    "let this user write there, or set STATE_DIR", path,
		    strerror(room));
	else if (err == ENOENT)
		snprintf(text, CHECK_STATE_TEXT, "%s is made by the agent",
		    path);
	else if (err != 0)
		snprintf(text, CHECK_STATE_TEXT, "%s cannot be read: %s; let "
		    "this user read it", path, strerror(err));
	else if (!parsed)
		snprintf(text, CHECK_STATE_TEXT, "%s is truncated or altered; "
		    "the agent will put it aside and go on as new", path);
	else if (used > 0)
		snprintf(text, CHECK_STATE_TEXT, "%s: agent %s, version "
		    "%lld, in use by process %ld", path, state.id,
		    state.good.version, used);
	else
		snprintf(text, CHECK_STATE_TEXT, "%s: agent %s, version %lld",
		    path, state.id, state.good.version);
	state_free(&state);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	return well;
}
