/*
 * The audit in the store: with the deed or not at all, in pages, and
 * forgotten in time.
 */
#include "unit.h"

#include "../../cgi/store_sqlite_audit.c"

#include "store_here.h"

static char seen[800];
static long long last;

static void
see(void *arg, const struct store_audit *a)
{
	size_t at = strlen(seen);

	(void)arg;
	last = a->id;
	snprintf(seen + at, sizeof(seen) - at, "%s %s %s %s %s;", a->action,
	    a->who, a->address, a->request_id, a->what);
}

static const char *
audit(struct store *s, long long before, long limit, bool *more)
{
	seen[0] = '\0';
	CHECK_INT(store_audit(s, before, 0, limit, see, NULL, more),
	    STORE_DONE);
	return seen;
}

static enum store_end
publish(struct store *s, const char *data, long long content_of,
    const char *if_match)
{
	const struct store_deed deed = { "publish", "alice", "192.0.2.1",
		"id-1" };
	const struct store_version *v;
	struct store_change change = {
		.data = data,
		.len = strlen(data),
		.author = "alice",
		.deed = &deed,
		.content_of = content_of,
		.if_match = if_match,
	};

	return store_publish(s, &change, &v);
}

static void
enrol(struct store *s, const char *address)
{
	const struct store_deed deed = { "register", "fleet", address,
		"id-2" };
	char from[64];
	struct store_agent a = {
		.id = "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f",
		.address = from,
		.registered_at = 1700000000000LL,
	};
	long long generation;

	snprintf(from, sizeof(from), "%s", address);
	CHECK_INT(store_register(s, &a, &deed, &generation), STORE_DONE);
}

#define AGENT "{\"agent_id\":\"3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f\""

UNIT("what is done has its row, what is not done has none")
{
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	CHECK_INT(publish(s, "{\"a\":1}", 0, NULL), STORE_DONE);
	CHECK_INT(publish(s, "{\"a\":1}", 0, NULL), STORE_SAME);
	CHECK_INT(publish(s, "{\"a\":2}", 0, "\"x\""), STORE_STALE);
	CHECK_INT(publish(s, "{\"a\":3}", 1, NULL), STORE_DONE);
	CHECK_TEXT(audit(s, 0, 10, &more),
	    "publish alice 192.0.2.1 id-1 {\"version\":2,\"content_of\":1};"
	    "publish alice 192.0.2.1 id-1 {\"version\":1};");
	CHECK(!more);
	store_free(s);
	folder_remove();
}

UNIT("an id that is taken over is told with both addresses")
{
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	enrol(s, "192.0.2.1");
	enrol(s, "192.0.2.1");
	enrol(s, "192.0.2.9\"");
	CHECK_TEXT(audit(s, 0, 10, &more),
	    "register fleet 192.0.2.9\" id-2 " AGENT
	    ",\"address\":\"192.0.2.9\\\"\","
	    "\"previous_address\":\"192.0.2.1\"};"
	    "register fleet 192.0.2.1 id-2 " AGENT "};"
	    "register fleet 192.0.2.1 id-2 " AGENT "};");
	store_free(s);
	folder_remove();
}

UNIT("the audit comes in pages")
{
	struct store *s;
	bool more;

	folder_make();
	s = store_here("wal");
	publish(s, "{\"a\":1}", 0, NULL);
	publish(s, "{\"a\":2}", 0, NULL);
	publish(s, "{\"a\":3}", 0, NULL);
	CHECK_TEXT(audit(s, 0, 2, &more),
	    "publish alice 192.0.2.1 id-1 {\"version\":3};"
	    "publish alice 192.0.2.1 id-1 {\"version\":2};");
	CHECK(more);
	CHECK_TEXT(audit(s, last, 2, &more),
	    "publish alice 192.0.2.1 id-1 {\"version\":1};");
	CHECK(!more);
	store_free(s);
	folder_remove();
}

UNIT("what is old is neither shown nor kept")
{
	struct store_audit old[1500];
	struct store *s;
	char address[1500][16];
	size_t written;
	bool more;

	folder_make();
	s = store_here("wal");
	for (size_t i = 0; i < 1500; i++) {
		snprintf(address[i], sizeof(address[i]), "10.0.%zu.%zu",
		    i / 250, i % 250);
		old[i] = (struct store_audit){
			.at = 60000,
			.who = "x",
			.address = address[i],
			.request_id = "y",
			.action = "refused",
			.what = "{}",
			.count = 3,
		};
	}
	CHECK_INT(store_refused(s, old, 1500, &written), STORE_DONE);
	CHECK_INT(written, 1500);
	publish(s, "{\"a\":1}", 0, NULL);
	seen[0] = '\0';
	CHECK_INT(store_audit(s, 0, 60001, 1000, see, NULL, &more),
	    STORE_DONE);
	CHECK_TEXT(seen, "publish alice 192.0.2.1 id-1 {\"version\":1};");
	CHECK(!more);
	CHECK_INT(store_audit_purge(s, 60000), STORE_NONE);
	CHECK_INT(store_audit_purge(s, 60001), STORE_DONE);
	CHECK_INT(store_audit_purge(s, 60001), STORE_DONE);
	CHECK_INT(store_audit_purge(s, 60001), STORE_NONE);
	CHECK_TEXT(audit(s, 0, 1000, &more),
	    "publish alice 192.0.2.1 id-1 {\"version\":1};");
	store_free(s);
	folder_remove();
}

UNIT_MAIN
