/*
 * The history of versions, and changes that are only tried.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_version.c"

#include "store_here.h"

static char seen[512];

static void
see(void *arg, const struct store_entry *e)
{
	size_t at = strlen(seen);

	(void)arg;
	CHECK(e->created_at > 1700000000000LL);
	CHECK_INT(strlen(e->sha256), 64);
	snprintf(seen + at, sizeof(seen) - at, "%lld %s %s %lld/%ld;",
	    e->version, e->author, e->comment != NULL ? e->comment : "-",
	    e->size, e->interval);
}

static const char *
history(struct store *s, long long before, long limit, bool *more)
{
	seen[0] = '\0';
	CHECK_INT(store_history(s, before, limit, see, NULL, more),
	    STORE_DONE);
	return seen;
}

static enum store_end
change(struct store *s, const char *data, const char *if_match, bool dry,
    const struct store_version **v)
{
	struct store_change c = {
		.data = data,
		.len = strlen(data),
		.author = "alice",
		.comment = strlen(data) > 7 ? "long" : NULL,
		.if_match = if_match,
		.dry = dry,
	};

	return store_publish(s, &c, v);
}

UNIT("the history is in pages, the newest first, with author and comment")
{
	const struct store_version *v;
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	CHECK_TEXT(history(s, 0, 10, &more), "");
	CHECK(!more);
	CHECK_INT(change(s, "{\"a\":1}", NULL, false, &v), STORE_DONE);
	CHECK_INT(change(s, "{\"a\":22}", NULL, false, &v), STORE_DONE);
	CHECK_INT(change(s, "{\"a\":3}", NULL, false, &v), STORE_DONE);
	CHECK_TEXT(history(s, 0, 2, &more),
	    "3 alice - 7/30;2 alice long 8/30;");
	CHECK(more);
	CHECK_TEXT(history(s, 2, 2, &more), "1 alice - 7/30;");
	CHECK(!more);
	CHECK_TEXT(history(s, 0, 3, &more),
	    "3 alice - 7/30;2 alice long 8/30;1 alice - 7/30;");
	CHECK(!more);
	store_free(s);
	folder_remove();
}

UNIT("a change that is only tried is decided as others are, and not made")
{
	const struct store_version *v;
	struct store *s, *other;
	char tag[ETAG_SIZE];

	folder_make();
	s = store_here("wal");
	other = store_here("wal");
	CHECK_INT(change(s, "{\"a\":1}", NULL, true, &v), STORE_DONE);
	CHECK_INT(v->version, 0);
	CHECK_INT(change(s, "{\"a\":1}", NULL, false, &v), STORE_DONE);
	memcpy(tag, v->etag, sizeof(tag));
	CHECK_INT(change(other, "{\"a\":1}", NULL, true, &v), STORE_SAME);
	CHECK_INT(change(other, "{\"a\":2}", tag, true, &v), STORE_DONE);
	CHECK_INT(v->version, 1);
	CHECK_TEXT(v->etag, tag);
	CHECK_INT(change(s, "{\"a\":2}", tag, false, &v), STORE_DONE);
	CHECK_INT(change(other, "{\"a\":3}", tag, true, &v), STORE_STALE);
	CHECK_INT(v->version, 2);
	store_free(s);
	store_free(other);
	folder_remove();
}

UNIT_MAIN
