/*
 * One list of values: each is printed for people where it has a name for
 * them, and written as name=number where --values asks for it.
 */
#include "fleet_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where it goes; values may be NULL. */
struct report {
	FILE *values;
	const struct fleet *fleet;
	const struct fleet_score *score;
};

static void
report_value(struct report *r, const char *name, double value)
{
	if (r->values != NULL)
		fprintf(r->values, "%s=%.6g\n", name, value);
}

/* us, as people read it. */
static const char *
report_time(int64_t us, char out[32])
{
	if (us < 1000)
		snprintf(out, 32, "%" PRId64 " us", us);
	else if (us < 1000000)
		snprintf(out, 32, "%.*f ms", us < 100000, (double)us / 1e3);
	else
		snprintf(out, 32, "%.*f s", us < 100000000, (double)us / 1e6);
	return out;
}

/* A line of percentiles, and values NAME_p50_ms … */
static void
report_times(struct report *r, const char *label, const char *name,
    const struct count *c, const char *after)
{
	static const struct {
		const char *text, *value;
		double share;
	} rows[] = {
		{ "p50", "p50", 0.50 }, { "p95", "p95", 0.95 },
		{ "p99", "p99", 0.99 }, { "all", "max", 1.0 },
	};
	char text[32], value[64];

	if (c->n == 0)
		return;
	printf("  %-12s", label);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t us = count_within(c, rows[i].share);

		printf(" %s %s%s", rows[i].text, report_time(us, text),
		    i < 3 ? "," : "");
		snprintf(value, sizeof(value), "%s_%s_ms", name,
		    rows[i].value);
		report_value(r, value, (double)us / 1e3);
	}
	printf("%s\n", after);
}

static void
report_polls(struct report *r)
{
	const struct fleet_score *s = r->score;
	double seconds = (double)s->us / 1e6;
	uint64_t answered = s->same + s->changed;

	printf("  polls        %.0f/s answered (%" PRIu64 " in %.0f s: %"
	    PRIu64 " unchanged, %" PRIu64 " changed)\n",
	    (double)answered / seconds, answered, seconds, s->same,
	    s->changed);
	printf("  refused      %" PRIu64, s->refused);
	for (int i = 0; i < 600; i++)
		if (s->status[i] > 0)
			printf(", %" PRIu64 " of them %d", s->status[i], i);
	printf("\n  failed       %" PRIu64 "\n", s->failed);
	report_value(r, "seconds", seconds);
	report_value(r, "polls", (double)answered);
	report_value(r, "polls_per_second", (double)answered / seconds);
	report_value(r, "unchanged", (double)s->same);
	report_value(r, "changed", (double)s->changed);
	report_value(r, "refused", (double)s->refused);
	report_value(r, "registered", s->registered);
	report_value(r, "failed", (double)s->failed);
	report_times(r, "latency", "latency", &s->latency,
	    r->fleet->opt.interval > 0 ? "  (from when it was due)" :
	    "  (from when it was sent)");
}

static void
report_use(struct report *r)
{
	const struct fleet_score *s = r->score;
	double polls = (double)s->polls > 0 ? (double)s->polls : 1;
	double server = (double)s->use.server_us / polls;
	double others = (double)s->use.others_us / polls;
	double own = (double)s->own_us / polls;
	int64_t grown = s->most.server_kib + s->most.others_kib -
	    s->rest.server_kib - s->rest.others_kib;

	report_value(r, "own_us_per_poll", own);
	report_value(r, "own_kib", (double)proc_own_kib());
	if (r->fleet->opt.pid == 0) {
		printf("  processor    fleet %.1f us a poll\n", own);
		return;
	}
	printf("  processor    lighttpd %.1f us, responders %.1f us, fleet "
	    "%.1f us a poll\n", server, others, own);
	printf("  memory       lighttpd %.1f MB, responders %.1f MB at most; "
	    "%.1f KB an agent more than before\n",
	    (double)s->most.server_kib / 1024,
	    (double)s->most.others_kib / 1024,
	    (double)grown / (double)r->fleet->opt.agents);
	report_value(r, "lighttpd_us_per_poll", server);
	report_value(r, "responders_us_per_poll", others);
	report_value(r, "lighttpd_kib", (double)s->most.server_kib);
	report_value(r, "responders_kib", (double)s->most.others_kib);
	report_value(r, "kib_per_agent",
	    (double)grown / (double)r->fleet->opt.agents);
}

static void
report_spread(struct report *r)
{
	const struct fleet *f = r->fleet;
	const struct fleet_score *s = r->score;
	char behind[64];

	if (f->published == 0)
		return;
	printf("  published    %u, %u of them not accepted\n",
	    s->published + s->unpublished, s->unpublished);
	report_times(r, "accepted", "publish", &s->publish,
	    "  (of publishing)");
	snprintf(behind, sizeof(behind), f->behind > 0 ?
	    "  (%u agents not yet)" : "  (of the fleet)", f->behind);
	report_times(r, "seen", "seen", &s->seen, behind);
	report_value(r, "published", s->published);
	report_value(r, "unpublished", s->unpublished);
	report_value(r, "behind", f->behind);
	if (f->wakes.all != NULL) {
		printf("  subscribers  %u, of which %u lost\n", f->wakes.n,
		    f->wakes.lost);
		report_value(r, "subscribers_lost", f->wakes.lost);
	}
}

/* After the controller was away: the busiest second over the rate of a fleet
 * that polls evenly. */
static void
report_peak(struct report *r)
{
	const struct fleet *f = r->fleet;
	double mean, peak = 0;

	if (f->away == 0 || f->opt.interval == 0)
		return;
	mean = (double)f->opt.agents / (double)f->opt.interval;
	for (uint32_t i = f->away; i <= f->at; i++)
		if (f->second[i].begun > peak)
			peak = f->second[i].begun;
	printf("  after away   peak %.0f requests/s over mean %.0f/s: "
	    "%.2f\n", peak, mean, peak / mean);
	report_value(r, "peak_over_mean", peak / mean);
}

static int
report_csv(const struct fleet *f, const char *path)
{
	FILE *out = fopen(path, "we");

	if (out == NULL)
		return errno;
	fputs("second,begun,unchanged,changed,refused,failed,seen,"
	    "p50_us,p99_us,max_us,waits,lighttpd_us,responders_us,own_us\n",
	    out);
	for (uint32_t i = 0; i <= f->at; i++) {
		const struct fleet_second *s = &f->second[i];

		fprintf(out, "%ld,%u,%u,%u,%u,%u,%u,%u,%u,%u,%u,%u,%u,%u"
		    "\n",
		    (long)i - f->opt.warm, s->begun, s->same, s->changed,
		    s->refused, s->failed, s->seen, s->p50, s->p99, s->max,
		    s->waits, s->server_us, s->others_us, s->own_us);
	}
	return fclose(out) == 0 ? 0 : errno;
}

static bool
report_wrote(const char *path, int err)
{
	if (err != 0)
		fprintf(stderr, "fleet: %s: %s\n", path, strerror(err));
	return err == 0;
}

bool
report(const struct fleet *f)
{
	struct report r = { .fleet = f, .score = &f->score };
	const struct fleet_option *o = &f->opt;
	bool good = true;

	if (o->values != NULL) {
		r.values = fopen(o->values, "we");
		good = report_wrote(o->values, r.values == NULL ? errno : 0);
	}
	report_polls(&r);
	report_use(&r);
	report_spread(&r);
	report_peak(&r);
	if (r.values != NULL && fclose(r.values) != 0)
		good = report_wrote(o->values, errno);
	if (o->csv != NULL)
		good = report_wrote(o->csv, report_csv(f, o->csv)) && good;
	if (o->svg != NULL && f->published > 0)
		good = report_wrote(o->svg, plot_write(f, o->svg)) && good;
	return good;
}
