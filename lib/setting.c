/*
 * Settings: from the table and its sources into a struct. Everything that is
 * wrong is said at once, a line each. A secret is never printed, not even
 * when it is wrong, and never left in memory that was freed.
 */
#include "setting.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "text.h"

enum {
	SETTING_NAME_MAX = 128,
	SETTING_FOUND_MAX = SETTING_NAME_MAX + 5,	/* with _FILE */
	SETTING_PATH_MAX = 4095,
	SETTING_SECRET_MAX = 65536,
	SETTING_SHOWN = 200,	/* bytes of a wrong value in an error */
};

/* A value and where it was found. */
struct setting_found {
	char name[SETTING_FOUND_MAX];
	const char *value;	/* NULL: nowhere; borrowed, or secret */
	char *secret;		/* owned: read from NAME_FILE */
};

static const char *
setting_environment_get(const void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

const struct setting_source setting_environment = {
	setting_environment_get, NULL,
};

__attribute__((format(printf, 4, 5))) static bool
setting_wrong(const struct setting *s, const char *found, struct buf *error,
    const char *fmt, ...)
{
	va_list ap;

	buf_str(error, s->name);
	if (strcmp(found, s->name) != 0)
		buf_printf(error, " (from %s)", found);
	buf_str(error, ": ");
	va_start(ap, fmt);
	buf_vprintf(error, fmt, ap);
	va_end(ap);
	buf_char(error, '\n');
	return false;
}

/* A wrong value in quotes, cut and escaped; of a URL no user and password,
 * which are whatever stands before the last @. */
static void
setting_show(const struct setting *s, const char *value, struct buf *out)
{
	const char *at = s->kind == SETTING_URL ? strrchr(value, '@') : NULL;

	buf_char(out, '"');
	if (at != NULL) {
		buf_str(out, "***");
		value = at;
	}
	for (size_t i = 0; value[i] != '\0' && i < SETTING_SHOWN; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_char(out, value[i]);
	}
	buf_str(out, strlen(value) > SETTING_SHOWN ? "…\"" : "\"");
}

/* "is not …" */
static bool
setting_is_not(const struct setting *s, const struct setting_found *found,
    struct buf *error, const char *what)
{
	struct buf shown = BUF_INIT(SETTING_SHOWN * 4 + 16);

	setting_show(s, found->value, &shown);
	setting_wrong(s, found->name, error, "%s is not %s", buf_text(&shown),
	    what);
	buf_free(&shown);
	return false;
}

static const char *
setting_get(const struct setting_source *source, const char *name)
{
	const char *value = source->get(source->arg, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The text of a secret's file, less one newline at its end. */
static bool
setting_trim(const struct setting *s, const char *path, struct buf *text,
    struct setting_found *found, struct buf *error)
{
	size_t len = text->len;

	if (len > 0 && text->data[len - 1] == '\n')
		len--;
	if (len < text->len && len > 0 && text->data[len - 1] == '\r')
		len--;
	if (len == 0)
		return setting_wrong(s, found->name, error,
		    "\"%s\" is empty", path);
	if (memchr(text->data, '\0', len) != NULL)
		return setting_wrong(s, found->name, error,
		    "\"%s\" contains a NUL byte", path);
	found->secret = strndup(text->data, len);
	found->value = found->secret;
	return found->secret != NULL ||
	    setting_wrong(s, found->name, error, "out of memory");
}

static bool
setting_read(const struct setting *s, const char *path,
    struct setting_found *found, struct buf *error)
{
	struct buf text = BUF_INIT(SETTING_SECRET_MAX);
	int err = keep_read(path, &text);
	bool good;

	if (err != 0)
		good = setting_wrong(s, found->name, error,
		    "cannot read \"%s\": %s", path, strerror(err));
	else
		good = setting_trim(s, path, &text, found, error);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return good;
}

/* Looks for one name in one source; false: what is there is wrong. */
static bool
setting_look(const struct setting *s, const struct setting_source *source,
    const char *name, struct setting_found *found, struct buf *error)
{
	char file[SETTING_FOUND_MAX];
	const char *path = NULL;

	found->value = setting_get(source, name);
	snprintf(file, sizeof(file), "%s_FILE", name);
	if (s->kind == SETTING_SECRET)
		path = setting_get(source, file);
	if (path != NULL && found->value != NULL)
		return setting_wrong(s, name, error,
		    "%s and %s are both set; one is enough", name, file);
	snprintf(found->name, sizeof(found->name), "%s",
	    path != NULL ? file : name);
	return path == NULL || setting_read(s, path, found, error);
}

static bool
setting_find(const struct setting *s, const struct setting_source *source,
    struct setting_found *found, struct buf *error)
{
	char name[SETTING_NAME_MAX];
	const char *also = s->also != NULL ? s->also : "";
	size_t n;

	for (; source->get != NULL; source++) {
		const char *next = also;

		snprintf(name, sizeof(name), "%s", s->name);
		do {
			if (!setting_look(s, source, name, found, error))
				return false;
			if (found->value != NULL)
				return true;
			next += strspn(next, " ");
			n = strcspn(next, " ");
			snprintf(name, sizeof(name), "%.*s", (int)n, next);
			next += n;
		} while (n > 0);
	}
	snprintf(found->name, sizeof(found->name), "%s", s->name);
	found->value = s->fallback;
	return true;
}

static bool
setting_number(const struct setting *s, const struct setting_found *found,
    long *out, struct buf *error)
{
	const char *p = found->value;
	bool minus = *p == '-';
	char allowed[96];
	long value = 0;

	for (p += minus; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, *p - '0', &value))
			break;	/* negative, for LONG_MIN has no positive */
	if (*p == '\0' && p > found->value + minus &&
	    (minus || value != LONG_MIN)) {
		value = minus ? value : -value;
		if (value >= s->min && value <= s->max) {
			*out = value;
			return true;
		}
	}
	if (s->max == LONG_MAX)
		snprintf(allowed, sizeof(allowed),
		    "a whole number of at least %ld", s->min);
	else
		snprintf(allowed, sizeof(allowed),
		    "a whole number from %ld to %ld", s->min, s->max);
	return setting_is_not(s, found, error, allowed);
}

/* Whether the value is a word of the list, or begins with one and "://". */
static bool
setting_among(const struct setting *s, const char *value)
{
	const char *word = s->choices;
	bool url = s->kind == SETTING_URL;

	for (size_t n; *word != '\0'; word += n + strspn(word + n, " ")) {
		n = strcspn(word, " ");
		if (strncmp(value, word, n) != 0)
			continue;
		if (!url && value[n] == '\0')
			return true;
		if (url && strncmp(value + n, "://", 3) == 0)
			return value[n + 3] != '\0' &&
			    strchr(value, ' ') == NULL;
	}
	return false;
}

static bool
setting_choice(const struct setting *s, const struct setting_found *found,
    struct buf *error)
{
	struct buf allowed = BUF_INIT(1000);
	bool url = s->kind == SETTING_URL;
	const char *word = s->choices;

	if (setting_among(s, found->value))
		return true;
	buf_str(&allowed, url ? "a URL that begins with " : "one of ");
	for (size_t n; *word != '\0'; word += n + strspn(word + n, " ")) {
		n = strcspn(word, " ");
		if (word != s->choices)
			buf_str(&allowed, url ? " or " : ", ");
		buf_printf(&allowed, "%.*s%s", (int)n, word,
		    url ? "://" : "");
	}
	setting_is_not(s, found, error, buf_text(&allowed));
	buf_free(&allowed);
	return false;
}

static bool
setting_take(const struct setting *s, const struct setting_found *found,
    char *at, struct buf *error)
{
	char **text = (char **)(void *)at;

	if (s->kind == SETTING_NUMBER)
		return setting_number(s, found, (long *)(void *)at, error);
	if (!text_clean(found->value))
		return setting_wrong(s, found->name, error,
		    "contains a control character");
	if (s->kind == SETTING_PATH && strlen(found->value) > SETTING_PATH_MAX)
		return setting_wrong(s, found->name, error,
		    "a path of more than %d bytes", SETTING_PATH_MAX);
	if ((s->kind == SETTING_CHOICE || s->kind == SETTING_URL) &&
	    !setting_choice(s, found, error))
		return false;
	*text = strdup(found->value);
	return *text != NULL ||
	    setting_wrong(s, found->name, error, "out of memory");
}

bool
setting_load(const struct setting *table, void *into,
    const struct setting_source *sources, struct buf *error)
{
	bool good = true;

	for (const struct setting *s = table; s->name != NULL; s++) {
		struct setting_found found = { .value = NULL, .secret = NULL };

		if (!setting_find(s, sources, &found, error) ||
		    (found.value != NULL &&
		    !setting_take(s, &found, (char *)into + s->offset, error)))
			good = false;
		if (found.secret != NULL) {
			explicit_bzero(found.secret, strlen(found.secret));
			free(found.secret);
		}
	}
	return good;
}

void
setting_free(const struct setting *table, void *into)
{
	for (const struct setting *s = table; s->name != NULL; s++) {
		char **text = (char **)(void *)((char *)into + s->offset);

		if (s->kind == SETTING_NUMBER || *text == NULL)
			continue;
		if (s->kind == SETTING_SECRET)
			explicit_bzero(*text, strlen(*text));
		free(*text);
		*text = NULL;
	}
}
