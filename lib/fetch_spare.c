/*
 * Fetches that are used again. Telling libcurl all about a request costs half
 * as much as the request; for one that says what an earlier one said, word by
 * word, there is nothing to tell. A worker asks the same of its target again
 * and again.
 *
 * Only what ended well is kept, and nothing that had a body, a password or
 * files of keys.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch_inner.h"

enum {
	FETCH_SPARES = 32,	/* each has a buffer of FETCH_PIECE bytes */
	FETCH_SAID_MAX = 131072,
};

static void
fetch_spare_word(struct buf *said, const char *word)
{
	if (word == NULL)
		word = "\1";
	buf_add(said, word, strlen(word) + 1);
}

/* All that a handle of libcurl is told; false: it is not to be kept. */
static bool
fetch_spare_said(struct buf *said, const struct fetch_request *r)
{
	long long numbers[3] = { r->timeout_ms, r->follow,
		r->allow != NULL };

	if (r->body != NULL || r->username != NULL || r->ca_file != NULL ||
	    r->cert_file != NULL || r->key_file != NULL)
		return false;
	buf_reset(said);
	buf_add(said, numbers, sizeof(numbers));
	fetch_spare_word(said, r->method);
	fetch_spare_word(said, r->url);
	fetch_spare_word(said, r->user_agent);
	fetch_spare_word(said, r->proxy);
	for (const char *const *h = r->headers; h != NULL && *h != NULL; h++)
		fetch_spare_word(said, *h);
	return !said->failed;
}

static bool
fetch_spare_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

struct fetch *
fetch_spare_new(struct fetch_hub *hub, const struct fetch_request *r)
{
	bool keeps = fetch_spare_said(&hub->said, r);
	struct fetch *f = NULL;

	if (keeps)
		TAILQ_FOREACH(f, &hub->spare, entry)
			if (fetch_spare_same(&f->said, &hub->said))
				break;
	if (f != NULL) {
		TAILQ_REMOVE(&hub->spare, f, entry);
		hub->spares--;
		return f;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->hub = hub;
	f->easy = curl_easy_init();
	buf_init(&f->said, FETCH_SAID_MAX);
	buf_init(&f->fields, SIZE_MAX / 4);
	if (keeps)
		buf_add(&f->said, hub->said.data, hub->said.len);
	return f;
}

static void
fetch_spare_free(struct fetch *f)
{
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	curl_slist_free_all(f->fewer);
	curl_url_cleanup(f->url);
	buf_free(&f->said);
	buf_free(&f->fields);
	free(f);
}

void
fetch_spare_keep(struct fetch *f)
{
	struct fetch_hub *hub = f->hub;
	size_t fixed = offsetof(struct fetch, timer);

	if (!f->well || f->said.len == 0) {
		fetch_spare_free(f);
		return;
	}
	fetch_abroad_return(f);
	memset((char *)f + fixed, 0, sizeof(*f) - fixed);
	TAILQ_INSERT_HEAD(&hub->spare, f, entry);
	if (++hub->spares <= FETCH_SPARES)
		return;
	f = TAILQ_LAST(&hub->spare, fetch_list);
	TAILQ_REMOVE(&hub->spare, f, entry);
	hub->spares--;
	fetch_spare_free(f);
}

void
fetch_spare_clear(struct fetch_hub *hub)
{
	struct fetch *f;

	while ((f = TAILQ_FIRST(&hub->spare)) != NULL) {
		TAILQ_REMOVE(&hub->spare, f, entry);
		fetch_spare_free(f);
	}
	hub->spares = 0;
	buf_free(&hub->said);
}
