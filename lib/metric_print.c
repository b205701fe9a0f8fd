/*
 * Metrics as Prometheus text: exposition format 0.0.4. Numbers are printed
 * from whole ones, so none is rounded.
 */
#include <string.h>

#include "metric_inner.h"

static void
metric_escape(struct buf *out, const char *text, bool quote)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_str(out, "\\n");
		else if (*text == '\\' || (quote && *text == '"'))
			buf_printf(out, "\\%c", *text);
		else
			buf_char(out, *text);
	}
}

/* n in 1/unit, as a decimal without needless zeros. */
static void
metric_number(struct buf *out, long long n, long long unit)
{
	unsigned long long magnitude = n < 0 ? 0ULL - (unsigned long long)n :
	    (unsigned long long)n;
	unsigned long long whole = unit > 1 ?
	    magnitude / (unsigned long long)unit : magnitude;
	unsigned long long rest = unit > 1 ?
	    magnitude % (unsigned long long)unit : 0;

	buf_printf(out, "%s%llu%s", n < 0 ? "-" : "", whole,
	    rest > 0 ? "." : "");
	for (; rest > 0; rest %= (unsigned long long)unit) {
		rest *= 10;
		buf_printf(out, "%llu", rest / (unsigned long long)unit);
	}
}

/* {a="x",b="y",le="0.5"}; le: NULL for none. */
static void
metric_labels_print(struct buf *out, const struct metric_row *row,
    const struct metric_set *set, const char *le)
{
	const char *name = row->labels, *value = set->key;
	size_t labels = metric_labels(row);

	if (labels == 0 && le == NULL)
		return;
	buf_char(out, '{');
	for (size_t i = 0; i < labels; i++) {
		size_t len = strcspn(name, " ");

		buf_printf(out, "%s%.*s=\"", i > 0 ? "," : "", (int)len,
		    name);
		metric_escape(out, value, true);
		buf_char(out, '"');
		name += len + (name[len] == ' ');
		value += strlen(value) + 1;
	}
	if (le != NULL)
		buf_printf(out, "%sle=\"%s\"", labels > 0 ? "," : "", le);
	buf_char(out, '}');
}

static void
metric_line(struct buf *out, const struct metric_row *row, const char *suffix,
    const struct metric_set *set, const char *le)
{
	buf_printf(out, "%s%s", row->name, suffix);
	metric_labels_print(out, row, set, le);
	buf_char(out, ' ');
}

static void
metric_histogram(struct buf *out, const struct metric_row *row,
    struct metric_set *set)
{
	struct buf le = BUF_INIT(64);
	size_t bounds = metric_bounds(row);
	long long count = 0;

	for (size_t i = 0; i <= bounds; i++) {
		buf_reset(&le);
		if (i < bounds)
			metric_number(&le, row->bounds[i], row->unit);
		else
			buf_str(&le, "+Inf");
		count += atomic_load(&set->cells[i]);
		metric_line(out, row, "_bucket", set, buf_text(&le));
		buf_printf(out, "%lld\n", count);
	}
	metric_line(out, row, "_sum", set, NULL);
	metric_number(out, atomic_load(&set->cells[METRIC_BOUNDS_MAX + 1]),
	    row->unit);
	buf_char(out, '\n');
	metric_line(out, row, "_count", set, NULL);
	buf_printf(out, "%lld\n", count);
	buf_free(&le);
}

static void
metric_row_print(struct buf *out, const struct metric_row *row,
    struct metric_set *set)
{
	size_t room = metric_room(row);

	for (size_t i = 0; i < room; i++) {
		if (!atomic_load_explicit(&set[i].used, memory_order_acquire))
			continue;
		if (row->kind == METRIC_HISTOGRAM) {
			metric_histogram(out, row, &set[i]);
			continue;
		}
		metric_line(out, row, "", &set[i], NULL);
		metric_number(out, atomic_load(&set[i].cells[0]), row->unit);
		buf_char(out, '\n');
	}
}

void
metric_print(struct metric *m, struct buf *out)
{
	static const char *const kinds[] = {
		[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	for (size_t i = 0; m->table[i].name != NULL; i++) {
		const struct metric_row *row = &m->table[i];

		buf_printf(out, "# HELP %s ", row->name);
		metric_escape(out, row->doc, false);
		buf_printf(out, "\n# TYPE %s %s\n", row->name,
		    kinds[row->kind]);
		metric_row_print(out, row, metric_sets(m, i));
	}
}
