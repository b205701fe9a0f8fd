/*
 * Refused credentials: the throttle, the counts, and their way into the
 * audit. Time is given, so nothing here waits for it.
 */
#include "unit.h"

#include <time.h>

static int turned(const struct timespec *, struct timespec *);
#define nanosleep turned
#include "../../cgi/refusal_file.c"
#undef nanosleep
#include "../../cgi/refusal.c"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_here.h"

enum { NOW = 1700000000 };	/* seconds; a minute begins at …999980 */

static struct refusal r;

static void
begin(void)
{
	folder_make();
	refusal_open(&r);
	CHECK(refusal_place(&r, folder));
}

static void
end(void)
{
	refusal_close(&r);
	folder_remove();
}

/* One refusal, at a second after NOW. */
static void
refuse(const char *address, long second, bool checked)
{
	const struct refusal_said said = {
		.address = address,
		.request_id = "an-id",
		.kind = "Basic",
		.name = checked ? "admin" : NULL,
		.checked = checked,
	};

	refusal_note(&r, &said, (NOW + second) * 1000LL);
}

static long long
wait_at(const char *address, long second)
{
	return refusal_wait(&r, address, (NOW + second) * 1000LL);
}

static int holder = -1;		/* has the lock, for so many turns more */
static int held;

static int
turned(const struct timespec *span, struct timespec *left)
{
	(void)span, (void)left;
	if (--held == 0)
		flock(holder, LOCK_UN);
	return 0;
}

static void
hold(int turns)
{
	if (holder < 0)
		holder = open(r.path, O_RDWR | O_CLOEXEC);
	CHECK(flock(holder, LOCK_EX | LOCK_NB) == 0);
	held = turns;
}

static char seen[65536];

static void
see(void *arg, const struct store_audit *a)
{
	size_t at = strlen(seen);

	(void)arg;
	snprintf(seen + at, sizeof(seen) - at, "%lld %s %s %s %s %s x%lld\n",
	    a->at / 1000 - NOW, a->action, a->who, a->address, a->request_id,
	    a->what, a->count);
}

static long long last;		/* the id of the row seen last */

static void
add(void *arg, const struct store_audit *a)
{
	*(long long *)arg += a->count;
	last = a->id;
}

static const char *
audit(struct store *s)
{
	bool more;

	seen[0] = '\0';
	CHECK_INT(store_audit(s, 0, 0, 1000, see, NULL, &more), STORE_DONE);
	return seen;
}

UNIT("ten wrong ones in a minute are let through, the eleventh shuts")
{
	begin();
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	for (int i = 0; i < 10; i++)
		refuse("192.0.2.1", i, true);
	CHECK_INT(wait_at("192.0.2.1", 10), 0);
	refuse("192.0.2.1", 20, true);
	CHECK_INT(wait_at("192.0.2.1", 20), 60000);
	CHECK_INT(wait_at("192.0.2.1", 50), 30000);
	CHECK_INT(wait_at("192.0.2.2", 50), 0);
	CHECK_INT(wait_at("192.0.2.1", 80), 0);
	/* and the count begins anew */
	for (int i = 0; i < 10; i++)
		refuse("192.0.2.1", 81, true);
	CHECK_INT(wait_at("192.0.2.1", 81), 0);
	refuse("192.0.2.1", 82, true);
	CHECK_INT(wait_at("192.0.2.1", 82), 60000);
	end();
}

UNIT("what comes slowly, or was not looked at, does not shut")
{
	begin();
	for (int i = 0; i < 40; i++)
		refuse("192.0.2.1", 7 * i, true);
	CHECK_INT(wait_at("192.0.2.1", 280), 0);
	for (int i = 0; i < 40; i++)
		refuse("192.0.2.1", 300, false);
	CHECK_INT(wait_at("192.0.2.1", 300), 0);
	end();
}

UNIT("a clock that is put back shuts nobody out")
{
	begin();
	for (int i = 0; i < 11; i++)
		refuse("192.0.2.1", 5000, true);
	CHECK_INT(wait_at("192.0.2.1", 5000), 60000);
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	end();
}

UNIT("all processes count together")
{
	begin();
	for (int i = 0; i < 11; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			refuse("192.0.2.1", 0, true);
			_exit(0);
		}
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	CHECK_INT(wait_at("192.0.2.1", 0), 60000);
	end();
}

UNIT("who counts waits for the lock longer than who asks")
{
	begin();
	for (int n = 0; n < 10; n++)
		refuse("192.0.2.1", n, true);
	hold(REFUSAL_TURNS + 10);
	refuse("192.0.2.1", 10, true);
	CHECK_INT(held, 0);
	CHECK(wait_at("192.0.2.1", 11) > 0);
	hold(REFUSAL_TURNS + 10);
	CHECK_INT(wait_at("192.0.2.1", 11), 0);
	CHECK_INT(held, 11);	/* the last try is not slept after */
	close(holder);
	end();
}

UNIT("an IPv6 host is its /64, and a mapped address is the IPv4 one")
{
	char out[REFUSAL_ADDRESS];

	refusal_address(out, "2001:db8:1:2:3:4:5:6");
	CHECK_TEXT(out, "2001:db8:1:2::/64");
	refusal_address(out, "::1");
	CHECK_TEXT(out, "::/64");
	refusal_address(out, "::ffff:192.0.2.1");
	CHECK_TEXT(out, "192.0.2.1");
	refusal_address(out, "1234:5678:9abc:def0:1234:5678:9abc:def0");
	CHECK_TEXT(out, "1234:5678:9abc:def0::/64");
	refusal_address(out, "");
	CHECK_TEXT(out, "unknown");
	refusal_address(out, "not an address, and far too long to be one at "
	    "all, as one can see");
	CHECK_TEXT(out, "unknown");
}

UNIT("a flood is one row for each address and minute")
{
	struct store *s;

	begin();
	s = store_here("wal");
	for (int i = 0; i < 500; i++)
		refuse("192.0.2.1", i / 100, i < 11);
	refuse("192.0.2.2", 0, true);
	refuse("192.0.2.1", 60, true);
	refusal_fold(&r, s, (NOW + 61) * 1000LL, false);
	audit(s);
	CHECK(strstr(seen, "-20 refused unknown 192.0.2.1 an-id "
	    "{\"credential\":\"Basic\"} x500\n") != NULL);
	CHECK(strstr(seen, "-20 refused admin 192.0.2.2 an-id "
	    "{\"credential\":\"Basic\"} x1\n") != NULL);
	CHECK(strstr(seen, "\n40 ") == NULL);	/* it is not over yet */
	/* he who looks sees it all, and it is counted once */
	refusal_fold(&r, s, (NOW + 61) * 1000LL, true);
	refusal_fold(&r, s, (NOW + 61) * 1000LL, true);
	audit(s);
	CHECK(strncmp(seen, "40 refused admin 192.0.2.1 ", 27) == 0);
	CHECK(strstr(seen, "} x1\n") != NULL);
	refuse("192.0.2.1", 62, true);
	refusal_fold(&r, s, (NOW + 130) * 1000LL, false);
	audit(s);
	CHECK(strncmp(seen, "40 refused admin 192.0.2.1 an-id "
	    "{\"credential\":\"Basic\"} x2\n", 58) == 0);
	store_free(s);
	end();
}

UNIT("from however many addresses, the file stays small and none is lost")
{
	struct store *s;
	struct stat st;
	char address[32];
	long long all = 0;

	begin();
	s = store_here("wal");
	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250,
		    i % 250);
		refuse(address, 0, true);
	}
	CHECK_INT(stat(r.path, &st), 0);
	CHECK(st.st_size < 1000000);
	refusal_fold(&r, s, (NOW + 60) * 1000LL, false);
	last = 0;
	for (bool more = true; more;)
		CHECK_INT(store_audit(s, last, 0, 1000, add, &all, &more),
		    STORE_DONE);
	CHECK_INT(all, 5000);
	store_free(s);
	end();
}

UNIT("a file that is removed, cut or garbage begins anew")
{
	int fd;

	begin();
	for (int i = 0; i < 11; i++)
		refuse("192.0.2.1", 0, true);
	CHECK(wait_at("192.0.2.1", 0) > 0);
	CHECK_INT(unlink(r.path), 0);
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	for (int i = 0; i < 11; i++)
		refuse("192.0.2.1", 0, true);
	CHECK(wait_at("192.0.2.1", 0) > 0);
	fd = open(r.path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK_INT(pwrite(fd, "garbage", 7, 0), 7);
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	for (int i = 0; i < 11; i++)
		refuse("192.0.2.1", 0, true);
	CHECK(wait_at("192.0.2.1", 0) > 0);
	CHECK_INT(ftruncate(fd, 5000), 0);
	refuse("192.0.2.1", 0, true);
	CHECK_INT(ftruncate(fd, 0), 0);
	refuse("192.0.2.1", 0, true);
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	close(fd);
	end();
}

UNIT("where nothing can be written, nothing is counted and nothing fails")
{
	begin();
	refusal_close(&r);
	CHECK(refusal_place(&r, "/proc/self/nowhere"));
	for (int i = 0; i < 20; i++)
		refuse("192.0.2.1", 0, true);
	CHECK_INT(wait_at("192.0.2.1", 0), 0);
	end();
}

UNIT_MAIN
