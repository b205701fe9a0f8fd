/*
 * From the file of refused credentials into the audit. What was written to
 * the store is taken off the counts afterwards, so that a crash between the
 * two counts some twice and none never.
 */
#include "refusal_inner.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"
#include "keep.h"
#include "log.h"

enum { REFUSAL_WHAT_MAX = 64 };

/* Rows on their way, and the counts they were made from. */
struct refusal_batch {
	struct refusal_tally tally[REFUSAL_SPOTS];
	off_t at[REFUSAL_SPOTS];
	struct store_audit row[REFUSAL_SPOTS];
	char what[REFUSAL_SPOTS][REFUSAL_WHAT_MAX];
	size_t count;
};

/* A tally as it lies in the file, with its texts ended. */
static bool
refusal_fold_read(const struct refusal *r, struct refusal_tally *t, off_t at)
{
	if (!refusal_read(r, t, sizeof(*t), at))
		return false;
	t->address[sizeof(t->address) - 1] = '\0';
	t->request_id[sizeof(t->request_id) - 1] = '\0';
	t->kind[sizeof(t->kind) - 1] = '\0';
	t->name[sizeof(t->name) - 1] = '\0';
	return t->count > 0;
}

static off_t
refusal_fold_at(size_t spot)
{
	return REFUSAL_TALLIES + (off_t)(spot * sizeof(struct refusal_tally));
}

/* Collects the tallies of minutes before `end`. */
static void
refusal_fold_collect(const struct refusal *r, struct refusal_batch *batch,
    int64_t end)
{
	batch->count = 0;
	for (size_t spot = 0; spot < REFUSAL_SPOTS; spot++) {
		struct refusal_tally *t = &batch->tally[batch->count];

		if (refusal_fold_read(r, t, refusal_fold_at(spot)) &&
		    t->minute < end)
			batch->at[batch->count++] = refusal_fold_at(spot);
	}
}

static void
refusal_fold_rows(struct refusal_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct refusal_tally *t = &batch->tally[i];
		struct buf what = BUF_INIT(REFUSAL_WHAT_MAX - 1);

		buf_str(&what, "{\"credential\":");
		json_put_text(&what, t->kind);
		buf_char(&what, '}');
		snprintf(batch->what[i], sizeof(batch->what[i]), "%s",
		    what.failed ? "{}" : buf_text(&what));
		buf_free(&what);
		batch->row[i] = (struct store_audit){
			.at = t->minute,
			.who = t->name,
			.address = t->address,
			.request_id = t->request_id,
			.action = "refused",
			.what = batch->what[i],
			.count = t->count,
		};
	}
}

/* Takes the first `written` off the counts, and says in the head which
 * minute is the oldest that is left. */
static void
refusal_fold_settle(const struct refusal *r, struct refusal_head *head,
    const struct refusal_batch *batch, size_t written)
{
	struct refusal_tally t;

	for (size_t i = 0; i < written; i++) {
		const struct refusal_tally *was = &batch->tally[i];

		if (!refusal_fold_read(r, &t, batch->at[i]) ||
		    t.minute != was->minute ||
		    strcmp(t.address, was->address) != 0)
			continue;
		t.count = t.count > was->count ? t.count - was->count : 0;
		refusal_write(r, &t, sizeof(t), batch->at[i]);
	}
	head->oldest = 0;
	for (size_t spot = 0; spot < REFUSAL_SPOTS; spot++)
		if (refusal_fold_read(r, &t, refusal_fold_at(spot)) &&
		    (head->oldest == 0 || t.minute < head->oldest))
			head->oldest = t.minute;
	refusal_write(r, head, sizeof(*head), 0);
}

static void
refusal_fold_batch(struct refusal *r, struct store *s,
    struct refusal_batch *batch, int64_t end)
{
	struct refusal_head head;
	enum store_end stored;
	size_t written;

	if (!refusal_lock(r, false, &head))
		return;
	refusal_fold_collect(r, batch, end);
	refusal_unlock(r);
	refusal_fold_rows(batch);
	stored = store_refused(s, batch->row, batch->count, &written);
	if (stored != STORE_DONE)
		log_warn("auth", "refused credentials are not in the audit "
		    "yet: %s", store_detail(s));
	if (!refusal_lock(r, false, &head))
		return;
	refusal_fold_settle(r, &head, batch, written);
	refusal_unlock(r);
}

void
refusal_fold(struct refusal *r, struct store *s, long long now, bool all)
{
	int64_t end = all ? INT64_MAX : now - now % REFUSAL_MINUTE_MS;
	char path[PATH_MAX];
	struct refusal_batch *batch;
	struct refusal_head head;
	int lock;

	if (!refusal_peek(r, &head) || head.oldest == 0 || head.oldest >= end)
		return;
	/* whoever wants to see all waits for another's fold; the others leave
	 * it to him */
	snprintf(path, sizeof(path), "%s.lock", r->path);
	lock = keep_lock(path, all);
	batch = lock >= 0 ? malloc(sizeof(*batch)) : NULL;
	if (batch != NULL)
		refusal_fold_batch(r, s, batch, end);
	free(batch);
	if (lock >= 0)
		close(lock);
}
