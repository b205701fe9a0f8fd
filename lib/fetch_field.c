/*
 * The header fields of an answer, kept as they come in: each is the two
 * lengths, the name and the value, both with a NUL. libcurl has them as well,
 * but looks each one up among all, also for the next in order.
 *
 * Of a head with redirects before it only the last is known here. Values are
 * trimmed; a folded line goes on with one space (RFC 9112, 5.2).
 */
#include <string.h>

#include "fetch_inner.h"

struct fetch_lens {
	size_t name, value;	/* without the NUL */
};

/* Without the blanks around it, and what ends the line. */
static const char *
fetch_field_trim(const char *text, const char *end, size_t *len)
{
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t' ||
	    end[-1] == '\r' || end[-1] == '\n'))
		end--;
	*len = (size_t)(end - text);
	return text;
}

/* More of the last value. */
static bool
fetch_field_fold(struct fetch *f, const char *line, size_t len)
{
	struct fetch_field at = { .next = 0 };
	struct fetch_lens lens;
	size_t start = 0, more;

	if (f->fields.len == 0)
		return false;
	do
		start = at.next;
	while (fetch_field_next(f, &at) && at.next < f->fields.len);
	memcpy(&lens, f->fields.data + start, sizeof(lens));
	line = fetch_field_trim(line, line + len, &more);
	if (buf_room(&f->fields, more + 1) == NULL)
		return false;
	f->fields.data[f->fields.len - 1] = ' ';
	buf_add(&f->fields, line, more);
	buf_char(&f->fields, '\0');
	lens.value += more + 1;
	memcpy(f->fields.data + start, &lens, sizeof(lens));
	return true;
}

bool
fetch_field_add(struct fetch *f, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	struct fetch_lens lens;
	char *room;
	size_t all;

	if (memchr(line, '\0', len) != NULL)
		return false;
	if (*line == ' ' || *line == '\t')
		return fetch_field_fold(f, line, len);
	if (colon == NULL)
		return false;
	lens.name = (size_t)(colon - line);
	value = fetch_field_trim(colon + 1, line + len, &lens.value);
	all = sizeof(lens) + lens.name + lens.value + 2;
	room = buf_room(&f->fields, all);
	if (room == NULL)
		return false;
	room = mempcpy(room, &lens, sizeof(lens));
	room = mempcpy(room, line, lens.name);
	*room++ = '\0';
	room = mempcpy(room, value, lens.value);
	*room = '\0';
	buf_grew(&f->fields, all);
	return true;
}

bool
fetch_field_next(const struct fetch *f, struct fetch_field *at)
{
	struct fetch_lens lens;

	if (at->next >= f->fields.len)
		return false;
	memcpy(&lens, f->fields.data + at->next, sizeof(lens));
	at->name = f->fields.data + at->next + sizeof(lens);
	at->name_len = lens.name;
	at->value = at->name + lens.name + 1;
	at->next += sizeof(lens) + lens.name + lens.value + 2;
	return true;
}

bool
fetch_field_is(const struct fetch_field *at, const char *name)
{
	return strlen(name) == at->name_len && strcasecmp(at->name, name) == 0;
}

const char *
fetch_header(const struct fetch *f, const char *name)
{
	struct fetch_field at = { .next = 0 };

	while (fetch_field_next(f, &at))
		if (fetch_field_is(&at, name))
			return at.value;
	return NULL;
}

void
fetch_headers(const struct fetch *f,
    void (*each)(void *arg, const char *name, const char *value), void *arg)
{
	struct fetch_field at = { .next = 0 };

	while (fetch_field_next(f, &at))
		each(arg, at.name, at.value);
}
