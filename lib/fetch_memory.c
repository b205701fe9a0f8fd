/*
 * libcurl's memory. A request takes some forty pieces and gives them back, of
 * the same sizes each time: what is given back is kept at hand for the next,
 * by size, up to a bound for all. malloc(3) does the like, but for seven
 * pieces of a size, and sorts a buffer in among the rest each time.
 *
 * Every piece is one of malloc's. libcurl looks names up in a thread: what
 * another thread takes or gives back passes by what is at hand, unlocked.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch_inner.h"

enum {
	MEMORY_STEP = 32,		/* sizes are multiples */
	MEMORY_SMALL = 2048,		/* of this at most, */
	MEMORY_BUFFER = FETCH_PIECE + 1,	/* or just this */
	MEMORY_LISTS = MEMORY_SMALL / MEMORY_STEP + 2,
	MEMORY_KEPT = 4 << 20,		/* bytes, of all lists */
#ifdef __SANITIZE_ADDRESS__
	MEMORY_OURS = 0,		/* whose eyes see each piece */
#else
	MEMORY_OURS = 1,
#endif
};

struct fetch_memory {		/* before each piece */
	_Alignas(max_align_t) struct fetch_memory *next;
	size_t size;		/* of the piece */
};

static struct fetch_memory *fetch_memory_lists[MEMORY_LISTS];
static size_t fetch_memory_kept;
static _Thread_local bool fetch_memory_here;	/* in the loop's thread */

static size_t
fetch_memory_size(size_t n)
{
	if (n <= MEMORY_SMALL)
		return (n + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
	return n;
}

/* Where a size is at hand, or NULL. */
static struct fetch_memory **
fetch_memory_list(size_t size)
{
	if (!fetch_memory_here)
		return NULL;
	if (size <= MEMORY_SMALL)
		return &fetch_memory_lists[size / MEMORY_STEP];
	return size == MEMORY_BUFFER ? &fetch_memory_lists[MEMORY_LISTS - 1] :
	    NULL;
}

static void *
fetch_memory_take(size_t n)
{
	size_t size = fetch_memory_size(n);
	struct fetch_memory **list = fetch_memory_list(size), *m;

	if (list != NULL && *list != NULL) {
		m = *list;
		*list = m->next;
		fetch_memory_kept -= size;
		return m + 1;
	}
	if (size > SIZE_MAX - sizeof(*m) ||
	    (m = malloc(sizeof(*m) + size)) == NULL)
		return NULL;
	m->size = size;
	return m + 1;
}

static void
fetch_memory_give(void *piece)
{
	struct fetch_memory **list, *m;

	if (piece == NULL)
		return;
	m = (struct fetch_memory *)piece - 1;
	list = fetch_memory_list(m->size);
	if (list == NULL || fetch_memory_kept > MEMORY_KEPT - m->size) {
		free(m);
		return;
	}
	m->next = *list;
	*list = m;
	fetch_memory_kept += m->size;
}

static void *
fetch_memory_again(void *piece, size_t n)
{
	size_t size = piece != NULL ?
	    ((struct fetch_memory *)piece - 1)->size : 0;
	void *grown;

	if (piece != NULL && n <= size)
		return piece;
	grown = fetch_memory_take(n);
	if (grown != NULL && piece != NULL) {
		memcpy(grown, piece, size);
		fetch_memory_give(piece);
	}
	return grown;
}

static void *
fetch_memory_zeroed(size_t n, size_t each)
{
	size_t all;
	void *piece;

	if (__builtin_mul_overflow(n, each, &all))
		return NULL;
	piece = fetch_memory_take(all);
	return piece != NULL ? memset(piece, 0, all) : NULL;
}

static char *
fetch_memory_text(const char *text)
{
	size_t len = strlen(text) + 1;
	char *piece = fetch_memory_take(len);

	return piece != NULL ? memcpy(piece, text, len) : NULL;
}

bool
fetch_memory_start(void)
{
	fetch_memory_here = true;
	return (MEMORY_OURS ? curl_global_init_mem(CURL_GLOBAL_DEFAULT,
	    fetch_memory_take, fetch_memory_give, fetch_memory_again,
	    fetch_memory_text, fetch_memory_zeroed) :
	    curl_global_init(CURL_GLOBAL_DEFAULT)) == CURLE_OK;
}

void
fetch_memory_stop(void)
{
	struct fetch_memory *m;

	curl_global_cleanup();
	for (size_t i = 0; i < MEMORY_LISTS; i++)
		while ((m = fetch_memory_lists[i]) != NULL) {
			fetch_memory_lists[i] = m->next;
			free(m);
		}
	fetch_memory_kept = 0;
}
