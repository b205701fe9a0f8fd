#ifndef METRIC_INNER_H
#define METRIC_INNER_H
/*
 * How metrics lie in memory; for the family of metric alone.
 */
#include <stdatomic.h>

#include "metric.h"

enum {
	METRIC_KEY = METRIC_LABELS_MAX * (METRIC_VALUE_MAX + 1),
	METRIC_TAG = 24,
};

/* The begin of the memory; the sets of the rows follow. */
struct metric_head {
	char tag[METRIC_TAG];	/* of the table: who may share it */
};

/*
 * One set of label values. The last of a row with labels is the one of what
 * did not fit. Written before `used` is set, never changed after.
 */
struct metric_set {
	atomic_int used;
	char key[METRIC_KEY];	/* the values, each with its NUL */
	/* A number; or of a histogram how many fell below each bound and
	 * not below the one before, those above, and the sum. */
	atomic_llong cells[METRIC_BOUNDS_MAX + 2];
};

struct metric {
	const struct metric_row *table;
	struct metric_head *head;	/* the memory */
	size_t size;
	size_t *first;		/* of each row, its first set */
	int fd;			/* -1: private */
};

size_t metric_bounds(const struct metric_row *);	/* how many */
size_t metric_labels(const struct metric_row *);
/* How many sets it has room for, with the one of what does not fit. */
size_t metric_room(const struct metric_row *);
struct metric_set *metric_sets(const struct metric *, size_t row);

#endif
