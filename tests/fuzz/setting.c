/*
 * A file of settings is read or refused in one line, and settings from it
 * are loaded or refused, each in one line.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "setting.h"

struct sample {
	char *text, *secret, *path, *choice, *url;
	long number;
};

static const struct setting table[] = {
	{ "A", "AA B", SETTING_TEXT, offsetof(struct sample, text), NULL,
	  0, 0, NULL, "text" },
	{ "S", NULL, SETTING_SECRET, offsetof(struct sample, secret), NULL,
	  0, 0, NULL, "secret" },
	{ "P", NULL, SETTING_PATH, offsetof(struct sample, path), NULL,
	  0, 0, NULL, "path" },
	{ "C", NULL, SETTING_CHOICE, offsetof(struct sample, choice), "x",
	  0, 0, "x yy zzz", "choice" },
	{ "U", NULL, SETTING_URL, offsetof(struct sample, url), NULL,
	  0, 0, "http https", "url" },
	{ "N", NULL, SETTING_NUMBER, offsetof(struct sample, number), "5",
	  -5, 5000, NULL, "number" },
	{ NULL, NULL, 0, 0, NULL, 0, 0, NULL, NULL },
};

/* How many lines; what was said has to end with one. */
static int
lines(const struct buf *said)
{
	int count = 0;

	for (const char *p = buf_text(said); *p != '\0'; p++)
		count += *p == '\n';
	TRUTH(said->len == 0 || said->data[said->len - 1] == '\n');
	return count;
}

static void
loaded(const struct setting_file *f)
{
	struct setting_source sources[] = { setting_file_source(f),
		{ NULL, NULL } };
	struct sample s = { .number = 0 };
	struct buf said = BUF_INIT(1 << 24);
	bool good;

	/* Nobody's files are read here. */
	if (sources[0].get(sources[0].arg, "S_FILE") != NULL)
		return;
	good = setting_load(table, &s, sources, &said);
	TRUTH(good == (said.len == 0));
	TRUTH(lines(&said) <= 6);
	if (good) {
		TRUTH(s.number >= -5 && s.number <= 5000);
		TRUTH(strlen(s.choice) <= 3);
		TRUTH(s.url == NULL || strncmp(s.url, "http", 4) == 0);
	}
	setting_free(table, &s);
	buf_free(&said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("setting", MFD_CLOEXEC);
	struct buf said = BUF_INIT(1 << 20);
	struct setting_file *f;
	char path[64];

	TRUTH(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	f = setting_file_open(path, &said);
	TRUTH(lines(&said) == (f == NULL));
	if (f != NULL)
		loaded(f);
	setting_file_close(f);
	buf_free(&said);
	close(fd);
	return 0;
}
