#include "unit.h"

#include <dirent.h>
#include "../../agent/state.c"

#include <sys/stat.h>

#define ID "0b9cf4ac-6a43-4a0f-9bd8-21d1f2a70c7e"
#define BODY "{\"version\":7,\"data\":{\"url\":\"https://ip.me\"}}"

static char folder[64], path[128];

static void
make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/dcm-state.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/agent.state", folder);
}

static void
drop_folder(void)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

static void
make_state(struct state *s)
{
	char why[CONFIG_WHY];

	memset(s, 0, sizeof(*s));
	memcpy(s->id, ID, sizeof(ID));
	state_set(&s->controller, "http://192.0.2.1:8080");
	state_set(&s->poll_url, "http://192.0.2.1:8080/config");
	state_set(&s->token, "dcm1." ID ".1.abc");
	s->interval = 30;
	CHECK(config_read(&s->good, BODY, strlen(BODY), "\"7-x\"", why));
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_state(const struct state *a, const struct state *b)
{
	return strcmp(a->id, b->id) == 0 &&
	    same_text(a->controller, b->controller) &&
	    same_text(a->poll_url, b->poll_url) &&
	    same_text(a->token, b->token) && a->interval == b->interval &&
	    config_same(&a->good, &b->good) &&
	    strcmp(a->good.etag, b->good.etag) == 0;
}

/* Zeroed, but perhaps for the right id. */
static bool
is_new(const struct state *s)
{
	return (s->id[0] == '\0' || strcmp(s->id, ID) == 0) &&
	    s->controller == NULL && s->poll_url == NULL &&
	    s->token == NULL && s->interval == 0 && s->good.version == 0 &&
	    s->good.body == NULL;
}

UNIT("what is printed is read again, with and without a configuration")
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	struct state s, again = { .interval = 0 };

	make_state(&s);
	state_print(&s, &text);
	CHECK(state_parse(&again, text.data, text.len));
	CHECK(same_state(&s, &again));
	CHECK_TEXT(again.good.url, "https://ip.me");
	state_free(&again);
	config_free(&s.good);
	state_set(&s.token, NULL);
	buf_reset(&text);
	state_print(&s, &text);
	CHECK(state_parse(&again, text.data, text.len));
	CHECK(same_state(&s, &again));
	state_free(&s);
	state_free(&again);
	buf_free(&text);
}

UNIT("a file cut at any length is never believed, and its id is kept")
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	struct state s, again = { .interval = 0 };
	size_t kept = 0;

	make_state(&s);
	state_print(&s, &text);
	for (size_t len = 0; len < text.len; len++) {
		char *part = malloc(len + 1);	/* a sanitizer sees its end */

		memcpy(part, text.data, len);
		CHECK(!state_parse(&again, part, len));
		CHECK(is_new(&again));
		kept += again.id[0] != '\0';
		state_free(&again);
		free(part);
	}
	CHECK(kept > text.len - 100);
	state_free(&s);
	buf_free(&text);
}

UNIT("a file with any byte altered is never believed, nor is another id")
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	struct state s, again = { .interval = 0 };
	size_t kept = 0;

	make_state(&s);
	state_print(&s, &text);
	for (size_t i = 0; i < text.len; i++)
		for (int flip = 1; flip < 256; flip++) {
			text.data[i] = (char)(text.data[i] ^ flip);
			CHECK(!state_parse(&again, text.data, text.len));
			CHECK(is_new(&again));
			kept += again.id[0] != '\0';
			state_free(&again);
			text.data[i] = (char)(text.data[i] ^ flip);
		}
	CHECK(kept > (text.len - 60) * 255);
	state_free(&s);
	buf_free(&text);
}

UNIT("bytes behind the end, two files in one and noise are not believed")
{
	struct buf text = BUF_INIT(STATE_FILE_MAX);
	struct state s, again = { .interval = 0 };
	size_t len;
	char *once;

	make_state(&s);
	state_print(&s, &text);
	len = text.len;
	buf_char(&text, '\n');
	CHECK(!state_parse(&again, text.data, text.len));
	buf_reset(&text);
	state_print(&s, &text);
	once = strdup(text.data);
	buf_add(&text, once, len);
	CHECK(!state_parse(&again, text.data, text.len));
	memset(text.data, '\n', text.len);
	CHECK(!state_parse(&again, text.data, text.len));
	memset(text.data, '\0', text.len);
	CHECK(!state_parse(&again, text.data, text.len));
	CHECK(is_new(&again));
	free(once);
	state_free(&s);
	buf_free(&text);
}

UNIT("a file that proves its bytes but says nonsense is not believed")
{
	static const char *const bodies[] = {
		"dcm-agent state 2\nagent_id " ID " c0ffee00\n",
		"dcm-agent state 1\n",
		"",
	};
	struct state again = { .interval = 0 };

	for (int i = 0; i < 3; i++) {
		struct buf text = BUF_INIT(STATE_FILE_MAX);
		char hex[2 * TOKEN_SHA256 + 1];

		buf_str(&text, bodies[i]);
		state_digest(hex, buf_text(&text), text.len);
		buf_printf(&text, "sha256 %s\n", hex);
		CHECK(!state_parse(&again, text.data, text.len));
		buf_free(&text);
	}
}

UNIT("a bad file is put aside under a name of its own, and its id lives on")
{
	struct state s = { .interval = 0 };
	char aside[256], first[256];

	make_folder();
	CHECK_INT(state_load(&s, path, aside, sizeof(aside)), STATE_NEW);
	make_state(&s);
	CHECK_INT(state_store(&s, path), 0);
	CHECK(truncate(path, 200) == 0);
	state_free(&s);
	CHECK_INT(state_load(&s, path, first, sizeof(first)), STATE_BAD);
	CHECK_TEXT(s.id, ID);
	CHECK(strncmp(first, path, strlen(path)) == 0);
	CHECK(strstr(first, ".bad-") != NULL && access(first, F_OK) == 0);
	CHECK(access(path, F_OK) < 0);
	CHECK_INT(state_store(&s, path), 0);
	CHECK(truncate(path, 10) == 0);
	state_free(&s);
	CHECK_INT(state_load(&s, path, aside, sizeof(aside)), STATE_BAD);
	CHECK(strcmp(first, aside) != 0);
	CHECK(access(first, F_OK) == 0 && access(aside, F_OK) == 0);
	drop_folder();
}

UNIT("a folder in the file's place is put aside too")
{
	struct state s = { .interval = 0 };
	char aside[256];

	make_folder();
	CHECK(mkdir(path, 0700) == 0);
	CHECK_INT(state_load(&s, path, aside, sizeof(aside)),
	    STATE_UNREADABLE);
	CHECK(rmdir(aside) == 0);
	drop_folder();
}

UNIT("the file can be read by its owner only, and its folder is made")
{
	struct state s, again = { .interval = 0 };
	char deep[256], aside[512];
	struct stat st;

	make_folder();
	make_state(&s);
	snprintf(deep, sizeof(deep), "%s/a/b/agent.state", folder);
	CHECK_INT(state_store(&s, deep), 0);
	CHECK(stat(deep, &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(state_load(&again, deep, aside, sizeof(aside)), STATE_READ);
	CHECK(same_state(&s, &again));
	state_free(&s);
	state_free(&again);
	unlink(deep);
	*strrchr(deep, '/') = '\0';
	rmdir(deep);
	*strrchr(deep, '/') = '\0';
	rmdir(deep);
	drop_folder();
}

UNIT("who has the lock sweeps away what a killed writer left, nothing else")
{
	static const char *const names[] = { "agent.state.new",
		"agent.state.bad-1", "agent.state.lock", "agent.state.news",
		"other.state.new" };
	char name[256];

	make_folder();
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		fclose(fopen(name, "w"));
	}
	CHECK_INT(state_lock(path), 0);
	CHECK_INT(state_lock(path), EWOULDBLOCK);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		CHECK_INT(access(name, F_OK), i == 0 ? -1 : 0);
	}
	drop_folder();
}

UNIT("a text with spaces, newlines or 8-bit bytes is not remembered")
{
	char *text = NULL;

	CHECK(state_set(&text, "abc"));
	CHECK(!state_set(&text, "a b"));
	CHECK(!state_set(&text, "a\nversion 9"));
	CHECK(!state_set(&text, "\xc3\xa4"));
	CHECK(!state_set(&text, ""));
	CHECK_TEXT(text, "abc");
	CHECK(state_set(&text, NULL));
	CHECK(text == NULL);
}

UNIT_MAIN
