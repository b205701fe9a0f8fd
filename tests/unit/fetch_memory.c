#include "unit.h"

#include <pthread.h>

#include "../../lib/fetch_memory.c"

static void
memory_begin(void)
{
	CHECK(fetch_memory_start());
	CHECK_INT(fetch_memory_kept, 0);
}

UNIT("what was given back is taken again by who needs that size")
{
	void *first, *other;

	memory_begin();
	first = fetch_memory_take(100);
	fetch_memory_give(first);
	CHECK_INT(fetch_memory_kept, 128);
	other = fetch_memory_take(129);
	CHECK(other != first);
	CHECK(fetch_memory_take(97) == first);
	CHECK_INT(fetch_memory_kept, 0);
	fetch_memory_give(first);
	fetch_memory_give(other);
	fetch_memory_give(NULL);
	fetch_memory_stop();
	CHECK_INT(fetch_memory_kept, 0);
}

UNIT("the buffer of a transfer is kept, another large piece is not")
{
	void *buffer;

	memory_begin();
	buffer = fetch_memory_take(FETCH_PIECE + 1);
	memset(buffer, 1, FETCH_PIECE + 1);
	fetch_memory_give(buffer);
	CHECK_INT(fetch_memory_kept, FETCH_PIECE + 1);
	fetch_memory_give(fetch_memory_take(FETCH_PIECE));
	fetch_memory_give(fetch_memory_take(MEMORY_SMALL + 1));
	CHECK_INT(fetch_memory_kept, FETCH_PIECE + 1);
	CHECK(fetch_memory_take(FETCH_PIECE + 1) == buffer);
	fetch_memory_give(buffer);
	fetch_memory_stop();
}

UNIT("a piece of any size holds its bytes, also none, and what grows keeps "
    "them")
{
	char *piece, *grown;

	memory_begin();
	for (size_t n = 0; n <= 3 * MEMORY_SMALL; n++) {
		piece = fetch_memory_take(n);
		CHECK(piece != NULL);
		CHECK_INT((uintptr_t)piece % _Alignof(max_align_t), 0);
		memset(piece, 'x', n);
		fetch_memory_give(piece);
	}
	piece = fetch_memory_again(NULL, 5);
	memcpy(piece, "four", 5);
	CHECK(fetch_memory_again(piece, 32) == piece);
	grown = fetch_memory_again(piece, 5000);
	CHECK_TEXT(grown, "four");
	CHECK(fetch_memory_again(grown, 3) == grown);
	fetch_memory_give(grown);
	piece = fetch_memory_text("a text");
	CHECK_TEXT(piece, "a text");
	fetch_memory_give(piece);
	fetch_memory_stop();
}

UNIT("zeroed is zero, also what was used before")
{
	char *piece;

	memory_begin();
	piece = fetch_memory_take(64);
	memset(piece, 'x', 64);
	fetch_memory_give(piece);
	CHECK(fetch_memory_zeroed(8, 8) == piece);
	for (int i = 0; i < 64; i++)
		CHECK_INT(piece[i], 0);
	fetch_memory_give(piece);
	fetch_memory_stop();
}

UNIT("sizes beyond all measure are refused")
{
	char *piece;

	memory_begin();
	CHECK(fetch_memory_take(SIZE_MAX - 8) == NULL);
	CHECK(fetch_memory_zeroed(SIZE_MAX / 2, 3) == NULL);
	piece = fetch_memory_text("still here");
	CHECK(fetch_memory_again(piece, SIZE_MAX - 8) == NULL);
	CHECK_TEXT(piece, "still here");
	fetch_memory_give(piece);
	fetch_memory_stop();
}

UNIT("all that is kept stays below a bound")
{
	enum { MANY = 100 };
	void *pieces[MANY];

	memory_begin();
	for (int i = 0; i < MANY; i++)
		pieces[i] = fetch_memory_take(FETCH_PIECE + 1);
	for (int i = 0; i < MANY; i++)
		fetch_memory_give(pieces[i]);
	CHECK(fetch_memory_kept <= MEMORY_KEPT);
	CHECK(fetch_memory_kept > MEMORY_KEPT - 2 * FETCH_PIECE);
	fetch_memory_stop();
	CHECK_INT(fetch_memory_kept, 0);
}

/* Gives one piece of the loop's thread back, and takes another for it. */
static void *
memory_elsewhere(void *piece)
{
	fetch_memory_give(piece);
	return fetch_memory_take(40);
}

UNIT("another thread neither takes from what is at hand nor adds to it")
{
	void *here, *there, *back;
	pthread_t thread;

	memory_begin();
	here = fetch_memory_take(40);
	fetch_memory_give(here);
	CHECK_INT(pthread_create(&thread, NULL, memory_elsewhere,
	    fetch_memory_take(200)), 0);
	CHECK_INT(pthread_join(thread, &there), 0);
	CHECK(there != NULL && there != here);
	CHECK_INT(fetch_memory_kept, 64);
	back = fetch_memory_take(40);
	CHECK(back == here);
	fetch_memory_give(there);
	fetch_memory_give(back);
	CHECK_INT(fetch_memory_kept, 128);
	fetch_memory_stop();
}

UNIT_MAIN
