/*
 * What the last poll of each agent said, packed into pages: twelve bytes an
 * agent, found by its number. A poll that says nothing new, or that its agent
 * has the next version, changes no more than these; that is most of what a
 * large fleet says.
 *
 * An entry has the time of the last poll, the version, which the row need not
 * have yet, and the state as the row shows it, written in the same
 * transaction: whoever has the number can tell what is new without the row.
 * What an entry does not say, a version of -1 or the state UNKNOWN, is in the
 * row. So a page that is lost, by a power cut without a WAL, shows versions of
 * long ago until the next polls. The pages that a transaction has touched are
 * kept until it ends.
 */
#include "store_sqlite.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	PULSE_SIZE = 12,
	PULSE_BYTES = STORE_PULSE_AGENTS * PULSE_SIZE,
	PULSE_HIGHEST = 1 << 3,	/* beside the state */
	PULSE_VERSION_AT = 4,	/* bits */
	PULSE_FIRST = 64,	/* pages there is room for at first */
	PULSE_MOST = 16384,	/* pages kept: 64 MB, five million agents */
};

_Static_assert(STORE_PULSE_VERSIONS <= 0xffffffffffffULL >> PULSE_VERSION_AT,
    "the highest version and one");
#define PULSE_HALF 0xffffffffffffULL	/* 48 bits: ms until the year 10889 */

struct store_pulse_page {
	long long page;
	bool changed, emptied;
	unsigned char said[PULSE_BYTES];
};

static const char *const pulse_states[] = {
	[STORE_PULSE_NEW] = "new",
	[STORE_PULSE_OK] = "ok",
	[STORE_PULSE_FAILED] = "failed",
	[STORE_PULSE_NO_WORKER] = "no-worker",
	[STORE_PULSE_OFFLINE] = "offline",
};

enum store_pulse_state
store_pulse_state(const char *word)
{
	for (size_t i = STORE_PULSE_NEW;
	    i < sizeof(pulse_states) / sizeof(*pulse_states); i++)
		if (strcmp(pulse_states[i], word) == 0)
			return (enum store_pulse_state)i;
	return STORE_PULSE_UNKNOWN;
}

const char *
store_pulse_word(enum store_pulse_state state)
{
	return pulse_states[state];
}

/* --- an entry ----------------------------------------------------------- */

/* Two halves of 48 bits, big-endian: the time; the version and one, whether it
 * is the highest, and the state. */
static uint64_t
pulse_half(const unsigned char *at)
{
	uint64_t half = 0;

	memcpy((unsigned char *)&half + 2, at, 6);
	return be64toh(half);
}

static void
pulse_put_half(unsigned char *at, uint64_t half)
{
	half = htobe64(half);
	memcpy(at, (const unsigned char *)&half + 2, 6);
}

static struct store_pulse
pulse_read(const unsigned char *entry)
{
	uint64_t what = pulse_half(entry + 6);
	unsigned state = what & (PULSE_HIGHEST - 1);

	return (struct store_pulse){
		.at = (long long)pulse_half(entry),
		.version = (long long)(what >> PULSE_VERSION_AT) - 1,
		.highest = what & PULSE_HIGHEST,
		.state = state <= STORE_PULSE_OFFLINE ?
		    (enum store_pulse_state)state : STORE_PULSE_UNKNOWN,
	};
}

static void
pulse_write(unsigned char *entry, const struct store_pulse *pulse)
{
	uint64_t at = pulse->at < 0 ? 0 : (uint64_t)pulse->at;
	uint64_t what = pulse->state;

	if (pulse->version < STORE_PULSE_VERSIONS)
		what |= (uint64_t)(pulse->version + 1) << PULSE_VERSION_AT |
		    (pulse->highest ? PULSE_HIGHEST : 0);
	pulse_put_half(entry, at < PULSE_HALF ? at : PULSE_HALF);
	pulse_put_half(entry + 6, what);
}

bool
store_pulse_decode(const void *said, int len, long long number,
    struct store_pulse *out)
{
	*out = (struct store_pulse){ .version = -1 };
	if (number < 0 || said == NULL || len != PULSE_BYTES)
		return false;
	*out = pulse_read((const unsigned char *)said +
	    number % STORE_PULSE_AGENTS * PULSE_SIZE);
	return true;
}

long long
store_pulse_version(const struct store_pulse *pulse, long long of_row)
{
	return pulse->version >= 0 ? pulse->version : of_row;
}

/* --- pages -------------------------------------------------------------- */

/* Where a page is, or belongs: there is a free place. */
static struct store_pulse_page **
pulse_place(const struct store_pulses *p, long long page)
{
	size_t at = (size_t)((uint64_t)page * UINT64_C(0x9e3779b97f4a7c15) >>
	    32) & (p->room - 1);

	while (p->pages[at] != NULL && p->pages[at]->page != page)
		at = (at + 1) & (p->room - 1);
	return &p->pages[at];
}

static bool
pulse_grow(struct store_pulses *p)
{
	struct store_pulses more = *p;

	if (p->count < p->room / 2)
		return true;
	more.room = p->room > 0 ? 2 * p->room : PULSE_FIRST;
	more.pages = calloc(more.room, sizeof(struct store_pulse_page *));
	if (more.pages == NULL)
		return false;
	for (size_t i = 0; i < p->room; i++)
		if (p->pages[i] != NULL)
			*pulse_place(&more, p->pages[i]->page) = p->pages[i];
	free(p->pages);
	*p = more;
	return true;
}

static enum store_end
pulse_write_page(struct store *s, const struct store_pulse_page *page)
{
	static const unsigned char empty[PULSE_BYTES];
	bool gone = page->emptied &&
	    memcmp(page->said, empty, sizeof(empty)) == 0;
	sqlite3_stmt *row = store_file_sql(&s->live, gone ?
	    STORE_SQL_PULSE_FORGET : STORE_SQL_PULSE_WRITE);

	sqlite3_bind_int64(row, 1, page->page);
	if (!gone)
		sqlite3_bind_blob(row, 2, page->said, PULSE_BYTES,
		    SQLITE_STATIC);
	return store_file_run(&s->live, row);
}

/* Those of a null pointer come last. */
static int
pulse_order(const void *a, const void *b)
{
	const struct store_pulse_page *x =
	    *(struct store_pulse_page *const *)a;
	const struct store_pulse_page *y =
	    *(struct store_pulse_page *const *)b;

	if (x == NULL || y == NULL)
		return (x == NULL) - (y == NULL);
	return (x->page > y->page) - (x->page < y->page);
}

static void
pulse_free(struct store_pulses *p)
{
	for (size_t i = 0; i < p->room; i++)
		free(p->pages[i]);
	free(p->pages);
	p->pages = NULL;
	p->room = p->count = 0;
}

/* Writes what was changed, in order, as the file has it, and keeps no page. */
static enum store_end
pulse_flush(struct store *s)
{
	struct store_pulses *p = &s->pulses;
	enum store_end end = STORE_DONE;

	if (p->count > 0)
		qsort(p->pages, p->room, sizeof(struct store_pulse_page *),
		    pulse_order);
	for (size_t i = 0; end == STORE_DONE && i < p->count; i++)
		if (p->pages[i]->changed)
			end = pulse_write_page(s, p->pages[i]);
	pulse_free(p);
	return end;
}

/* Reads a page; one that there is not, or of another length, is empty. */
static enum store_end
pulse_fill(struct store *s, struct store_pulse_page *page)
{
	sqlite3_stmt *row = store_file_sql(&s->live, STORE_SQL_PULSE);
	enum store_end end;

	sqlite3_bind_int64(row, 1, page->page);
	end = store_file_row(&s->live, row);
	if (end == STORE_DONE && sqlite3_column_bytes(row, 0) == PULSE_BYTES)
		memcpy(page->said, sqlite3_column_blob(row, 0), PULSE_BYTES);
	sqlite3_reset(row);
	return end == STORE_NONE ? STORE_DONE : end;
}

static enum store_end
pulse_load(struct store *s, long long number, struct store_pulse_page **out)
{
	struct store_pulses *p = &s->pulses;
	struct store_pulse_page **place;
	enum store_end end = STORE_DONE;

	if (p->count == PULSE_MOST)	/* of numbers that lie far apart */
		end = pulse_flush(s);
	if (end != STORE_DONE)
		return end;
	if (!pulse_grow(p))
		return store_say(s, STORE_BROKEN, "liveness", "out of memory");
	place = pulse_place(p, number / STORE_PULSE_AGENTS);
	*out = *place;
	if (*out != NULL)
		return STORE_DONE;
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return store_say(s, STORE_BROKEN, "liveness", "out of memory");
	(*out)->page = number / STORE_PULSE_AGENTS;
	end = pulse_fill(s, *out);
	if (end != STORE_DONE) {
		free(*out);
		return end;
	}
	*place = *out;
	p->count++;
	return STORE_DONE;
}

enum store_end
store_pulse_get(struct store *s, long long number, struct store_pulse *out)
{
	struct store_pulse_page *page;
	enum store_end end = pulse_load(s, number, &page);

	if (end == STORE_DONE)
		store_pulse_decode(page->said, PULSE_BYTES, number, out);
	return end;
}

enum store_end
store_pulse_set(struct store *s, long long number,
    const struct store_pulse *pulse)
{
	struct store_pulse_page *page;
	enum store_end end = pulse_load(s, number, &page);

	if (end != STORE_DONE)
		return end;
	page->changed = true;
	page->emptied |= pulse->at == 0;
	pulse_write(page->said + number % STORE_PULSE_AGENTS * PULSE_SIZE,
	    pulse);
	return STORE_DONE;
}

enum store_end
store_pulse_number(struct store *s, long long *number)
{
	struct store_pulses *p = &s->pulses;
	enum store_end end = STORE_DONE;

	if (!p->numbered)
		end = store_file_whole(&s->live, store_file_sql(&s->live,
		    STORE_SQL_NUMBERS), &p->numbers, NULL);
	if (end == STORE_NONE)
		return store_say(s, STORE_BROKEN, "sweep", "liveness has "
		    "lost how many agents it has");
	p->numbered = end == STORE_DONE;
	p->given |= p->numbered;
	*number = p->numbers++;
	return end;
}

/* --- a transaction ------------------------------------------------------ */

enum store_end
store_pulse_begin(struct store *s)
{
	s->tallies = 0;
	return store_file_begin(&s->live);
}

static enum store_end
pulse_write_numbers(struct store *s)
{
	sqlite3_stmt *row;

	if (!s->pulses.given)
		return STORE_DONE;
	row = store_file_sql(&s->live, STORE_SQL_NUMBERED);
	sqlite3_bind_int64(row, 1, s->pulses.numbers);
	return store_file_run(&s->live, row);
}

enum store_end
store_pulse_end(struct store *s, enum store_end end)
{
	if (end == STORE_DONE)
		end = store_tally_write(s);
	if (end == STORE_DONE)
		end = pulse_flush(s);
	if (end == STORE_DONE)
		end = pulse_write_numbers(s);
	pulse_free(&s->pulses);
	s->pulses = (struct store_pulses){ .pages = NULL };
	end = store_file_end(&s->live, end);
	/* numbers that were given in it may be given to others now */
	if (end != STORE_DONE)
		roster_clear(&s->roster);
	return end;
}
