/*
 * Open addressing with linear probing, at most three quarters full. Whoever
 * makes up ids does not know the seed, and cannot crowd one place.
 */
#include "roster.h"

#include <stdlib.h>
#include <string.h>

#include "token.h"

struct roster_entry {
	unsigned char id[16];
	long long number;	/* and one; 0: free */
};

enum { ROSTER_FIRST = 256 };

/* Where an id is looked for first: the upper half of the sum of its four words,
 * each times a seed ("multilinear hashing", Lemire and Kaser 2014). */
static size_t
roster_place(const struct roster *r, const unsigned char id[16])
{
	uint64_t sum = 0;
	uint32_t words[4];

	memcpy(words, id, sizeof(words));
	for (int i = 0; i < 4; i++)
		sum += words[i] * r->seeds[i];
	return (size_t)(sum >> 32) & (r->room - 1);
}

/* The entry of an id, or the free one where it belongs. */
static struct roster_entry *
roster_entry(const struct roster *r, const unsigned char id[16])
{
	size_t at = roster_place(r, id);

	while (r->entries[at].number != 0 &&
	    memcmp(r->entries[at].id, id, 16) != 0)
		at = (at + 1) & (r->room - 1);
	return &r->entries[at];
}

void
roster_clear(struct roster *r)
{
	free(r->entries);
	*r = (struct roster){ .entries = NULL };
}

long long
roster_find(const struct roster *r, const unsigned char id[16])
{
	return r->room == 0 ? -1 : roster_entry(r, id)->number - 1;
}

/* Room for one more. */
static bool
roster_grow(struct roster *r)
{
	struct roster more = { .room = ROSTER_FIRST, .count = r->count };

	if (r->count < r->room / 4 * 3)
		return true;
	if (r->room > 0)
		more.room = 2 * r->room;
	token_random(more.seeds, sizeof(more.seeds));
	more.entries = calloc(more.room, sizeof(*more.entries));
	if (more.entries == NULL)
		return false;
	for (size_t i = 0; i < r->room; i++)
		if (r->entries[i].number != 0)
			*roster_entry(&more, r->entries[i].id) = r->entries[i];
	free(r->entries);
	*r = more;
	return true;
}

void
roster_add(struct roster *r, const unsigned char id[16], long long number)
{
	struct roster_entry *entry;

	if (!roster_grow(r))
		return;
	entry = roster_entry(r, id);
	if (entry->number == 0)
		r->count++;
	memcpy(entry->id, id, 16);
	entry->number = number + 1;
}
