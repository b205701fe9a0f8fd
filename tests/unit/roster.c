/*
 * The numbers of agents that were met.
 */
#include "unit.h"

#include "../../cgi/roster.c"

enum { MANY = 100000 };

/* The id of agent n; those of neighbours differ in one byte or two. */
static const unsigned char *
id(int n)
{
	static unsigned char out[16];

	memset(out, 0, sizeof(out));
	for (int i = 0; i < 4; i++)
		out[15 - i * 4] = (unsigned char)(n >> 8 * i);
	return out;
}

UNIT("an empty roster knows nobody, and may be cleared")
{
	struct roster r = { .entries = NULL };

	CHECK_INT(roster_find(&r, id(0)), -1);
	roster_clear(&r);
	roster_clear(&r);
	CHECK_INT(roster_find(&r, id(1)), -1);
}

UNIT("a number is found by the whole id, be it 0 or a large one")
{
	struct roster r = { .entries = NULL };

	roster_add(&r, id(0), 0);
	roster_add(&r, id(1), 1LL << 60);
	CHECK_INT(roster_find(&r, id(0)), 0);
	CHECK_INT(roster_find(&r, id(1)), 1LL << 60);
	for (int bit = 2; bit < 128; bit++) {
		unsigned char near[16] = { 0 };

		near[15 - bit / 8] = (unsigned char)(1 << bit % 8);
		CHECK_INT(roster_find(&r, near), -1);
	}
	roster_clear(&r);
}

UNIT("a number that comes anew replaces the old one, and takes no room")
{
	struct roster r = { .entries = NULL };

	for (int n = 0; n < 10 * ROSTER_FIRST; n++)
		roster_add(&r, id(7), n);
	CHECK_INT(roster_find(&r, id(7)), 10 * ROSTER_FIRST - 1);
	CHECK_INT(r.count, 1);
	CHECK_INT(r.room, ROSTER_FIRST);
	roster_clear(&r);
}

UNIT("however many there are, each is found, and no more than three quarters "
    "are full")
{
	struct roster r = { .entries = NULL };

	for (int n = 0; n < MANY; n++) {
		roster_add(&r, id(n), 3LL * n);
		CHECK_INT(roster_find(&r, id(n)), 3LL * n);
		CHECK(r.count <= r.room / 4 * 3);
	}
	CHECK_INT(r.count, MANY);
	CHECK(r.room <= 4 * MANY);
	for (int n = 0; n < MANY; n++)
		CHECK_INT(roster_find(&r, id(n)), 3LL * n);
	CHECK_INT(roster_find(&r, id(MANY)), -1);
	roster_clear(&r);
}

UNIT("what was cleared is forgotten, and may be met again")
{
	struct roster r = { .entries = NULL };

	for (int n = 0; n < 1000; n++)
		roster_add(&r, id(n), n);
	roster_clear(&r);
	CHECK_INT(r.count, 0);
	for (int n = 0; n < 1000; n++)
		CHECK_INT(roster_find(&r, id(n)), -1);
	roster_add(&r, id(5), 6);
	CHECK_INT(roster_find(&r, id(5)), 6);
	roster_clear(&r);
}

UNIT_MAIN
