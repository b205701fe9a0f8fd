#ifndef METRIC_H
#define METRIC_H
/*
 * Counters, gauges and histograms, printed as Prometheus text (exposition
 * format 0.0.4). One table of rows says what there is.
 *
 * They live in memory of this process, or in a file that several processes
 * map: additions are atomic and the file outlives them all, so that no
 * counter falls when one of them is killed.
 */
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum {
	METRIC_LABELS_MAX = 4,	/* labels of one row */
	METRIC_VALUE_MAX = 64,	/* bytes of a label's value; longer: cut */
	METRIC_BOUNDS_MAX = 20,
	METRIC_SETS_MAX = 1024,	/* of one row */
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/*
 * Numbers are whole: a row counts in 1/unit of what is printed (unit 1000
 * and milliseconds for a name that ends with _seconds).
 */
struct metric_row {
	const char *name;	/* "dcm_hits_total"; NULL ends the table */
	enum metric_kind kind;
	const char *doc;
	const char *labels;	/* names by spaces; NULL: none */
	unsigned sets;		/* how many different sets of label values
				 * are kept apart, 1..METRIC_SETS_MAX; what
				 * comes later is counted together, each
				 * label being "other" */
	long long unit;		/* 1 or more; 0 stands for 1 */
	const long long *bounds;	/* of a histogram: rising, in 1/unit;
					 * ends with 0 */
};

struct metric;

/*
 * table: borrowed. path NULL: private memory. Else the file there is shared,
 * or made (mode 600); one of another table is replaced, and who still has it
 * open goes on counting in the old one. NULL: error says why in one line.
 */
struct metric *metric_open(const struct metric_row *table, const char *path,
    struct buf *error);
void metric_close(struct metric *);		/* or NULL */

/*
 * row: its place in the table. values: one text a label, in order; NULL for
 * a row without. Bytes that are not UTF-8 become "?". Never fails.
 */
void metric_add(struct metric *, size_t row, const char *const *values,
    long long n);			/* counters: n is 0 or more */
void metric_set(struct metric *, size_t row, const char *const *values,
    long long n);			/* gauges, and counters of others */
void metric_note(struct metric *, size_t row, const char *const *values,
    long long n);			/* histograms: one observation */

/* What metric_add and metric_set made of it, or how many were noted. */
long long metric_read(struct metric *, size_t row,
    const char *const *values);

#define METRIC_LABELS(...)	((const char *const[]){ __VA_ARGS__ })

/* Of this process, now: resident memory in bytes, and open descriptors; 0
 * where /proc does not tell. */
long long metric_memory(void);
long long metric_files(void);

/* The type of metric_print's text. */
#define METRIC_TYPE	"text/plain; version=0.0.4; charset=utf-8"

/* Everything, in the order of the table; a row without labels is there even
 * before it was counted. */
void metric_print(struct metric *, struct buf *);

#endif
