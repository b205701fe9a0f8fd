/*
 * The memory of metrics, and counting in it. A set of label values gets its
 * place once, under a lock that the kernel drops with a process; after that
 * counting is one atomic addition.
 *
 * Refuses to grow: what a stranger can make up, such as a path, would fill
 * any memory. So a row has a fixed number of sets.
 */
#include "metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_rune.h"
#include "metric_inner.h"

enum { METRIC_TRIES = 100 };	/* each lost one is another's new file */

/* --- what a row has ----------------------------------------------------- */

size_t
metric_bounds(const struct metric_row *row)
{
	size_t n = 0;

	if (row->kind == METRIC_HISTOGRAM)
		while (n < METRIC_BOUNDS_MAX && row->bounds[n] != 0)
			n++;
	return n;
}

size_t
metric_labels(const struct metric_row *row)
{
	size_t n = row->labels != NULL;

	for (const char *p = row->labels; p != NULL && *p != '\0'; p++)
		n += *p == ' ';
	return n < METRIC_LABELS_MAX ? n : METRIC_LABELS_MAX;
}

size_t
metric_room(const struct metric_row *row)
{
	if (row->labels == NULL)
		return 1;
	return (row->sets < METRIC_SETS_MAX ? row->sets : METRIC_SETS_MAX) + 1;
}

struct metric_set *
metric_sets(const struct metric *m, size_t row)
{
	return (struct metric_set *)(void *)(m->head + 1) + m->first[row];
}

/* --- the memory --------------------------------------------------------- */

static uint64_t
metric_hash(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len-- > 0)
		hash = (hash ^ *p++) * 1099511628211u;	/* FNV-1a */
	return hash;
}

/* Tables with one tag lay out their memory in the same way. */
static void
metric_tag(const struct metric_row *row, char tag[METRIC_TAG])
{
	uint64_t hash = 14695981039346656037u;

	for (; row->name != NULL; row++) {
		const char *labels = row->labels != NULL ? row->labels : "";
		size_t room = metric_room(row);
		int kind = (int)row->kind;

		hash = metric_hash(hash, row->name, strlen(row->name) + 1);
		hash = metric_hash(hash, labels, strlen(labels) + 1);
		hash = metric_hash(hash, &kind, sizeof(kind));
		hash = metric_hash(hash, &room, sizeof(room));
		hash = metric_hash(hash, &row->unit, sizeof(row->unit));
		if (row->kind == METRIC_HISTOGRAM)
			hash = metric_hash(hash, row->bounds,
			    metric_bounds(row) * sizeof(*row->bounds));
	}
	memset(tag, 0, METRIC_TAG);
	snprintf(tag, METRIC_TAG, "metric %016llx", (unsigned long long)hash);
}

static bool
metric_measure(struct metric *m)
{
	size_t rows = 0, sets = 0;

	while (m->table[rows].name != NULL)
		rows++;
	m->first = calloc(rows + 1, sizeof(*m->first));
	if (m->first == NULL)
		return false;
	for (size_t i = 0; i < rows; i++) {
		m->first[i] = sets;
		sets += metric_room(&m->table[i]);
	}
	m->size = sizeof(struct metric_head) +
	    sets * sizeof(struct metric_set);
	return true;
}

/* Rows without labels, and the last set of the others, need no lock. */
static void
metric_prepare(struct metric *m)
{
	for (size_t i = 0; m->table[i].name != NULL; i++) {
		struct metric_set *set = metric_sets(m, i);
		size_t labels = metric_labels(&m->table[i]);
		char *key;

		if (labels > 0)
			set += metric_room(&m->table[i]) - 1;
		key = set->key;
		for (size_t n = 0; n < labels; n++)
			key = stpcpy(key, "other") + 1;
		if (labels == 0)
			atomic_store(&set->used, 1);
	}
}

enum metric_found { METRIC_OURS, METRIC_AGAIN, METRIC_FAILED };

/* The file that is open and locked now: new, ours, or to be replaced. */
static enum metric_found
metric_adopt(struct metric *m, const char *path, const char *tag)
{
	struct metric_head head = { "" };
	struct stat st;

	if (fstat(m->fd, &st) != 0)
		return METRIC_FAILED;
	if (st.st_nlink == 0)	/* replaced while we waited for the lock */
		return METRIC_AGAIN;
	if (st.st_size > 0 && ((size_t)st.st_size != m->size ||
	    pread(m->fd, &head, sizeof(head), 0) != sizeof(head) ||
	    (head.tag[0] != '\0' && memcmp(head.tag, tag, METRIC_TAG) != 0)))
		return unlink(path) == 0 ? METRIC_AGAIN : METRIC_FAILED;
	if (st.st_size == 0) {
		/* A full disk says so here, and not in a SIGBUS later. */
		errno = posix_fallocate(m->fd, 0, (off_t)m->size);
		if (errno != 0)
			return METRIC_FAILED;
	}
	m->head = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    m->fd, 0);
	if (m->head == MAP_FAILED) {
		m->head = NULL;
		return METRIC_FAILED;
	}
	return METRIC_OURS;
}

static bool
metric_share(struct metric *m, const char *path, const char *tag)
{
	enum metric_found found = METRIC_AGAIN;

	for (int i = 0; found == METRIC_AGAIN && i < METRIC_TRIES; i++) {
		m->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (m->fd == -1)
			return false;
		while (flock(m->fd, LOCK_EX) != 0)
			if (errno != EINTR)
				return false;
		found = metric_adopt(m, path, tag);
		if (found == METRIC_AGAIN) {
			close(m->fd);
			m->fd = -1;
		}
	}
	return found == METRIC_OURS;
}

struct metric *
metric_open(const struct metric_row *table, const char *path,
    struct buf *error)
{
	struct metric *m = calloc(1, sizeof(*m));
	char tag[METRIC_TAG];

	if (m == NULL)
		goto fail;
	m->table = table;
	m->fd = -1;
	metric_tag(table, tag);
	if (!metric_measure(m))
		goto fail;
	if (path == NULL)
		m->head = calloc(1, m->size);
	else if (!metric_share(m, path, tag))
		goto fail;
	if (m->head == NULL)
		goto fail;
	metric_prepare(m);
	memcpy(m->head->tag, tag, METRIC_TAG);
	if (m->fd != -1)
		flock(m->fd, LOCK_UN);
	return m;
fail:
	buf_printf(error, "metrics%s%s: %s", path != NULL ? " in " : "",
	    path != NULL ? path : "", strerror(errno));
	metric_close(m);
	return NULL;
}

void
metric_close(struct metric *m)
{
	if (m == NULL)
		return;
	if (m->fd != -1) {
		if (m->head != NULL)
			munmap(m->head, m->size);
		close(m->fd);
	} else {
		free(m->head);
	}
	free(m->first);
	free(m);
}

/* --- counting ----------------------------------------------------------- */

/* A value as it is kept: valid UTF-8, cut between two characters. */
static char *
metric_value(char *out, const char *value)
{
	size_t len = strlen(value), room = METRIC_VALUE_MAX;

	while (len > 0) {
		size_t n = json_rune_utf8(value, len);
		size_t step = n > 0 ? n : 1;

		if (step > room)
			break;
		memcpy(out, n > 0 ? value : "?", step);
		out += step;
		room -= step;
		value += step;
		len -= step;
	}
	*out = '\0';
	return out + 1;
}

/* The set of a key among those that are there; *next: the first free one. */
static struct metric_set *
metric_find(struct metric_set *set, size_t room, const char *key, size_t len,
    struct metric_set **next)
{
	for (size_t i = 0; i + 1 < room; i++) {
		if (!atomic_load_explicit(&set[i].used,
		    memory_order_acquire)) {
			*next = &set[i];
			return NULL;
		}
		if (memcmp(set[i].key, key, len) == 0)
			return &set[i];
	}
	*next = &set[room - 1];
	return NULL;
}

/* A lock that cannot be had costs a label, not the count. */
static struct metric_set *
metric_claim(struct metric *m, struct metric_set *sets, size_t room,
    const char *key, size_t len)
{
	struct metric_set *set, *next;

	if (m->fd != -1 && flock(m->fd, LOCK_EX) != 0)
		return &sets[room - 1];
	set = metric_find(sets, room, key, len, &next);
	if (set == NULL) {
		set = next;
		if (set != &sets[room - 1])
			memcpy(set->key, key, len);
		atomic_store_explicit(&set->used, 1, memory_order_release);
	}
	if (m->fd != -1)
		flock(m->fd, LOCK_UN);
	return set;
}

static struct metric_set *
metric_at(struct metric *m, size_t row, const char *const *values)
{
	size_t labels = metric_labels(&m->table[row]);
	size_t room = metric_room(&m->table[row]);
	struct metric_set *sets = metric_sets(m, row), *set, *next;
	char key[METRIC_KEY], *end = key;

	if (labels == 0)
		return sets;
	for (size_t i = 0; i < labels; i++)
		end = metric_value(end, values[i]);
	set = metric_find(sets, room, key, (size_t)(end - key), &next);
	if (set != NULL)
		return set;
	if (next == &sets[room - 1] && atomic_load(&next->used))
		return next;
	return metric_claim(m, sets, room, key, (size_t)(end - key));
}

static void
metric_count(atomic_llong *cell, long long n)
{
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void
metric_add(struct metric *m, size_t row, const char *const *values,
    long long n)
{
	metric_count(metric_at(m, row, values)->cells, n);
}

void
metric_set(struct metric *m, size_t row, const char *const *values,
    long long n)
{
	atomic_store_explicit(metric_at(m, row, values)->cells, n,
	    memory_order_relaxed);
}

void
metric_note(struct metric *m, size_t row, const char *const *values,
    long long n)
{
	const struct metric_row *r = &m->table[row];
	struct metric_set *set = metric_at(m, row, values);
	size_t bounds = metric_bounds(r), i = 0;

	while (i < bounds && n > r->bounds[i])
		i++;
	metric_count(&set->cells[i], 1);
	metric_count(&set->cells[METRIC_BOUNDS_MAX + 1], n);
}

long long
metric_read(struct metric *m, size_t row, const char *const *values)
{
	struct metric_set *set = metric_at(m, row, values);
	size_t bounds = metric_bounds(&m->table[row]);
	long long sum = 0;

	for (size_t i = 0; i <= bounds; i++)
		sum += atomic_load(&set->cells[i]);
	return sum;
}
