/*
 * Two trees compared, and the difference written as a JSON Patch (RFC 6902).
 *
 * Arrays are compared place by place: it looks for the difference, not for
 * the shortest way to say it. Debian 12 has no cJSON_Utils, and that one
 * compares numbers as doubles.
 */
#include <string.h>

#include "json.h"

struct json_patch {
	struct buf *out;
	struct buf path;	/* JSON Pointer of where we are, RFC 6901 */
	bool some;
};

/* One step down; the caller puts path.len back. */
static void
json_diff_enter(struct json_patch *p, const char *name, size_t place)
{
	buf_char(&p->path, '/');
	if (name == NULL) {
		buf_printf(&p->path, "%zu", place);
		return;
	}
	for (; *name != '\0'; name++) {
		if (*name == '~' || *name == '/')
			buf_str(&p->path, *name == '~' ? "~0" : "~1");
		else
			buf_char(&p->path, *name);
	}
}

static void
json_diff_leave(struct json_patch *p, size_t len)
{
	if (p->path.failed)
		p->out->failed = true;
	else if (p->path.data != NULL)
		p->path.data[p->path.len = len] = '\0';
}

/* value: NULL for remove. */
static void
json_diff_say(struct json_patch *p, const char *op, const struct json *value)
{
	/* what does not fit is long, and so is trying on */
	if (p->out->failed)
		return;
	buf_printf(p->out, "%s{\"op\":\"%s\",\"path\":", p->some ? "," : "",
	    op);
	json_put_text(p->out, buf_text(&p->path));
	if (value != NULL) {
		buf_str(p->out, ",\"value\":");
		json_put(p->out, value);
	}
	buf_char(p->out, '}');
	p->some = true;
}

static void
json_diff_say_at(struct json_patch *p, const char *op, const char *name,
    size_t place, const struct json *value)
{
	size_t len = p->path.len;

	json_diff_enter(p, name, place);
	json_diff_say(p, op, value);
	json_diff_leave(p, len);
}

static void json_diff_value(struct json_patch *, const struct json *,
    const struct json *);

static void
json_diff_step(struct json_patch *p, const char *name, size_t place,
    const struct json *from, const struct json *to)
{
	size_t len = p->path.len;

	json_diff_enter(p, name, place);
	json_diff_value(p, from, to);
	json_diff_leave(p, len);
}

/* A member of object: the one at *next if it is that, for json_get looks at
 * all of them, and most come in the same order. Moves *next behind it. */
static const struct json *
json_diff_find(const struct json *object, const struct json **next,
    const char *name)
{
	const struct json *found = *next;

	if (found == NULL || strcmp(json_name(found), name) != 0)
		found = json_get(object, name);
	if (found != NULL)
		*next = json_next(found);
	return found;
}

static void
json_diff_object(struct json_patch *p, const struct json *from,
    const struct json *to)
{
	const struct json *a, *b, *next = json_first(to);

	for (a = json_first(from); a != NULL; a = json_next(a)) {
		b = json_diff_find(to, &next, json_name(a));
		if (b == NULL)
			json_diff_say_at(p, "remove", json_name(a), 0, NULL);
		else
			json_diff_step(p, json_name(a), 0, a, b);
	}
	next = json_first(from);
	for (b = json_first(to); b != NULL; b = json_next(b))
		if (json_diff_find(from, &next, json_name(b)) == NULL)
			json_diff_say_at(p, "add", json_name(b), 0, b);
}

static void
json_diff_array(struct json_patch *p, const struct json *from,
    const struct json *to)
{
	const struct json *a = json_first(from), *b = json_first(to);
	size_t both = 0, place;

	for (; a != NULL && b != NULL; a = json_next(a), b = json_next(b))
		json_diff_step(p, NULL, both++, a, b);
	for (place = both; b != NULL; b = json_next(b))
		json_diff_say_at(p, "add", NULL, place++, b);
	/* each removal moves the rest up: always the same place */
	for (; a != NULL; a = json_next(a))
		json_diff_say_at(p, "remove", NULL, both, NULL);
}

static bool
json_diff_plain(const struct json *a, const struct json *b)
{
	switch (json_kind(a)) {
	case JSON_BOOL:
		return json_true(a) == json_true(b);
	case JSON_NUMBER:
		return strcmp(json_number(a), json_number(b)) == 0;
	case JSON_STRING:
		return strcmp(json_text(a), json_text(b)) == 0;
	default:
		return true;	/* null and null */
	}
}

/* As deep as the scanner lets a value be. */
static void
json_diff_value(struct json_patch *p, const struct json *from,
    const struct json *to)
{
	enum json_kind kind = json_kind(to);

	if (p->out->failed)
		return;
	if (json_kind(from) != kind)
		json_diff_say(p, "replace", to);
	else if (kind == JSON_OBJECT)
		json_diff_object(p, from, to);
	else if (kind == JSON_ARRAY)
		json_diff_array(p, from, to);
	else if (!json_diff_plain(from, to))
		json_diff_say(p, "replace", to);
}

void
json_diff(struct buf *out, const struct json *from, const struct json *to)
{
	struct json_patch p = { out, BUF_INIT(out->max), false };

	buf_char(out, '[');
	json_diff_value(&p, from, to);
	buf_char(out, ']');
	buf_free(&p.path);
}
