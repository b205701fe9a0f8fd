/*
 * Refused credentials. The file is two tables of fixed size, each cut into
 * sets of eight places; an address has one set, by a keyed hash, so that
 * nobody can aim at the set of another. It is read and written under a lock
 * that is held for microseconds, and never by whoever writes to the store.
 *
 * It refuses to grow: where a set is full, the throttle forgets the oldest,
 * and the audit counts under "elsewhere". It may be removed at any time.
 */
#include "refusal_inner.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "token.h"

static unsigned
refusal_set(const struct refusal_head *head, const char *address)
{
	unsigned char sum[TOKEN_SHA256];

	token_hmac(sum, head->key, sizeof(head->key), address,
	    strlen(address));
	return (sum[0] | (unsigned)sum[1] << 8) % REFUSAL_SETS;
}

static off_t
refusal_watch_at(unsigned set)
{
	return REFUSAL_WATCHES +
	    (off_t)(set * sizeof(struct refusal_watches));
}

static off_t
refusal_tally_at(unsigned set)
{
	return REFUSAL_TALLIES +
	    (off_t)(set * sizeof(struct refusal_tallies));
}

/* --- the throttle ------------------------------------------------------- */

static struct refusal_watch *
refusal_watched(struct refusal_watches *set, const char *address)
{
	for (size_t i = 0; i < REFUSAL_WAYS; i++)
		if (strncmp(set->way[i].address, address,
		    REFUSAL_ADDRESS) == 0)
			return &set->way[i];
	return NULL;
}

/* The place of an address: its own, or the one that is missed least. */
static struct refusal_watch *
refusal_place_of(struct refusal_watches *set, const char *address)
{
	struct refusal_watch *best = refusal_watched(set, address);

	if (best != NULL)
		return best;
	best = &set->way[0];
	for (size_t i = 1; i < REFUSAL_WAYS; i++) {
		const struct refusal_watch *w = &set->way[i];

		if (w->until < best->until || (w->until == best->until &&
		    w->since < best->since))
			best = &set->way[i];
	}
	memset(best, 0, sizeof(*best));
	snprintf(best->address, sizeof(best->address), "%s", address);
	return best;
}

static void
refusal_count(struct refusal *r, struct refusal_head *head,
    const char *address, long long now)
{
	off_t at = refusal_watch_at(refusal_set(head, address));
	struct refusal_watches set;
	struct refusal_watch *w;

	if (!refusal_read(r, &set, sizeof(set), at))
		return;
	w = refusal_place_of(&set, address);
	if (w->count == 0 || now < w->since ||
	    now - w->since >= REFUSAL_MINUTE_MS) {
		w->since = now;
		w->count = 0;
	}
	if (++w->count > REFUSAL_MAX) {
		w->count = 0;
		w->until = now + REFUSAL_WAIT_MS;
		if (head->until < w->until)
			head->until = w->until;
		log_warn("auth", "more than %d wrong credentials a minute "
		    "from %s: no passwords from there for a minute",
		    REFUSAL_MAX, address);
	}
	refusal_write(r, &set, sizeof(set), at);
}

long long
refusal_wait(struct refusal *r, const char *remote, long long now)
{
	char address[REFUSAL_ADDRESS];
	struct refusal_watches set;
	struct refusal_watch *w = NULL;
	struct refusal_head head;

	if (!refusal_peek(r, &head) || head.until <= now)
		return 0;
	refusal_address(address, remote);
	if (!refusal_lock(r, false, &head))
		return 0;
	if (refusal_read(r, &set, sizeof(set),
	    refusal_watch_at(refusal_set(&head, address))))
		w = refusal_watched(&set, address);
	refusal_unlock(r);
	/* a clock that was put back must not lock anybody out for long */
	return w == NULL || w->until <= now ||
	    w->until - now > REFUSAL_WAIT_MS ? 0 : w->until - now;
}

/* --- the tally ---------------------------------------------------------- */

/* The place of an address and minute, or a free one; NULL: none. */
static struct refusal_tally *
refusal_tally_of(struct refusal_tallies *set, const char *address,
    int64_t minute)
{
	struct refusal_tally *free_way = NULL;

	for (size_t i = 0; i < REFUSAL_WAYS; i++) {
		struct refusal_tally *t = &set->way[i];

		if (t->count == 0)
			free_way = t;
		else if (t->minute == minute && strncmp(t->address, address,
		    REFUSAL_ADDRESS) == 0)
			return t;
	}
	return free_way;
}

static void
refusal_tally(struct refusal *r, struct refusal_head *head,
    const char *address, const struct refusal_said *said, int64_t minute)
{
	off_t at = refusal_tally_at(refusal_set(head, address));
	struct refusal_tallies set;
	struct refusal_tally *t;

	if (!refusal_read(r, &set, sizeof(set), at))
		return;
	t = refusal_tally_of(&set, address, minute);
	if (t == NULL) {
		address = "elsewhere";
		at = refusal_tally_at(REFUSAL_SETS);
		if (!refusal_read(r, &set, sizeof(set), at))
			return;
		t = refusal_tally_of(&set, address, minute);
		if (t == NULL)
			t = &set.way[0];
	}
	snprintf(t->address, sizeof(t->address), "%s", address);
	t->minute = minute;
	t->count++;
	snprintf(t->request_id, sizeof(t->request_id), "%s",
	    said->request_id);
	snprintf(t->kind, sizeof(t->kind), "%s", said->kind);
	snprintf(t->name, sizeof(t->name), "%s",
	    said->name != NULL ? said->name : "unknown");
	refusal_write(r, &set, sizeof(set), at);
	if (head->oldest == 0 || head->oldest > minute)
		head->oldest = minute;
}

void
refusal_note(struct refusal *r, const struct refusal_said *said,
    long long now)
{
	char address[REFUSAL_ADDRESS];
	struct refusal_head head;

	if (!refusal_lock(r, true, &head))
		return;
	refusal_address(address, said->address);
	if (said->checked)
		refusal_count(r, &head, address, now);
	refusal_tally(r, &head, address, said,
	    now - now % REFUSAL_MINUTE_MS);
	refusal_write(r, &head, sizeof(head), 0);
	refusal_unlock(r);
}
