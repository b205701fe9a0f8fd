/*
 * A picture of how a version spread: what share of the fleet had it after
 * how long, as an SVG (W3C, SVG 1.1) that any browser shows.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "fleet_report.h"

enum {
	PLOT_WIDTH = 760, PLOT_HEIGHT = 430,
	PLOT_LEFT = 64, PLOT_RIGHT = 34,
	PLOT_TOP = 74, PLOT_BOTTOM = 52,
	PLOT_WIDE = PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT,
	PLOT_HIGH = PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM,
};

struct plot {
	FILE *out;
	const struct count *seen;
	double total;		/* what is 100 % */
	double end;		/* us: the axis ends there */
};

static double
plot_x(const struct plot *p, double us)
{
	return PLOT_LEFT + us / p->end * PLOT_WIDE;
}

static double
plot_y(double share)
{
	return PLOT_TOP + (1 - share) * PLOT_HIGH;
}

/* 1, 2 or 5 of a power of ten: at most seven steps to the end. */
static double
plot_step(double end)
{
	double step = pow(10, floor(log10(end / 7)));

	if (end / step > 35)
		return 10 * step;
	return end / step > 14 ? 5 * step : end / step > 7 ? 2 * step : step;
}

static void
plot_head(const struct plot *p, const struct fleet *f)
{
	const struct fleet_option *o = &f->opt;

	fprintf(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
	    "font-family=\"system-ui, sans-serif\" font-size=\"13\" "
	    "fill=\"#333\">\n<rect width=\"100%%\" height=\"100%%\" "
	    "fill=\"#fff\"/>\n", PLOT_WIDTH, PLOT_HEIGHT, PLOT_WIDTH,
	    PLOT_HEIGHT);
	fprintf(p->out, "<text x=\"%d\" y=\"30\" font-size=\"18\" "
	    "font-weight=\"600\" fill=\"#111\">How a version reaches the fleet"
	    "</text>\n<text x=\"%d\" y=\"51\" fill=\"#666\">%ld agents, ",
	    PLOT_LEFT, PLOT_LEFT, o->agents);
	if (o->hold > 0)
		fprintf(p->out, "polls held for %ld s", o->hold);
	else
		fprintf(p->out, "polling every %ld s ± %ld %%%s",
		    o->interval, o->jitter, o->subscribe == NULL ? "" :
		    f->wakes.nats ? ", told by NATS" : ", told by Redis");
	fprintf(p->out, "</text>\n");
}

static void
plot_axes(const struct plot *p)
{
	double step = plot_step(p->end);
	bool ms = p->end < 3e6;

	fprintf(p->out, "<g stroke=\"#e4e4e4\">\n");
	for (int i = 0; i <= 4; i++)
		fprintf(p->out, "<path d=\"M%d %.1fH%d\"/>\n", PLOT_LEFT,
		    plot_y(i / 4.0), PLOT_LEFT + PLOT_WIDE);
	for (double x = step; x <= p->end * 1.0001; x += step)
		fprintf(p->out, "<path d=\"M%.1f %dV%d\"/>\n", plot_x(p, x),
		    PLOT_TOP, PLOT_TOP + PLOT_HIGH);
	fprintf(p->out, "</g>\n<g text-anchor=\"end\" fill=\"#666\">\n");
	for (int i = 0; i <= 4; i++)
		fprintf(p->out, "<text x=\"%d\" y=\"%.1f\">%d %%</text>\n",
		    PLOT_LEFT - 8, plot_y(i / 4.0) + 4.5, 25 * i);
	fprintf(p->out, "</g>\n<g text-anchor=\"middle\" fill=\"#666\">\n");
	for (double x = 0; x <= p->end * 1.0001; x += step)
		fprintf(p->out, "<text x=\"%.1f\" y=\"%d\">%g</text>\n",
		    plot_x(p, x), PLOT_TOP + PLOT_HIGH + 19,
		    x / (ms ? 1e3 : 1e6));
	fprintf(p->out, "<text x=\"%d\" y=\"%d\">%s after the publish</text>\n"
	    "</g>\n", PLOT_LEFT + PLOT_WIDE / 2, PLOT_HEIGHT - 12,
	    ms ? "milliseconds" : "seconds");
	fprintf(p->out, "<path d=\"M%d %dV%dH%d\" fill=\"none\" "
	    "stroke=\"#888\"/>\n", PLOT_LEFT, PLOT_TOP,
	    PLOT_TOP + PLOT_HIGH, PLOT_LEFT + PLOT_WIDE);
}

/* A point a pixel at most; once below, filled, and once as the line. */
static void
plot_line(const struct plot *p, bool filled)
{
	double sum = 0, last = -1;

	fprintf(p->out, "<path d=\"M%.1f %.1f", plot_x(p, 0), plot_y(0));
	for (int i = 0; i < COUNT_BUCKETS; i++) {
		double x, us = (double)count_end(i);

		if (p->seen->bucket[i] == 0)
			continue;
		sum += p->seen->bucket[i];
		if (us > (double)p->seen->max)
			us = (double)p->seen->max;
		x = plot_x(p, us);
		if (x - last < 0.7 && sum < (double)p->seen->n)
			continue;
		last = x;
		fprintf(p->out, "L%.1f %.1f", x, plot_y(sum / p->total));
	}
	fprintf(p->out, "H%d", PLOT_LEFT + PLOT_WIDE);
	if (filled)
		fprintf(p->out, "V%.1fZ\" fill=\"#2a6fdb\" "
		    "fill-opacity=\"0.12\"/>\n", plot_y(0));
	else
		fprintf(p->out, "\" fill=\"none\" stroke=\"#2a6fdb\" "
		    "stroke-width=\"2.2\" stroke-linejoin=\"round\"/>\n");
}

/* Labels stand below their points, left of them where the right is short. */
static void
plot_mark(const struct plot *p, double share, const char *name)
{
	double us = (double)count_within(p->seen, share);
	double x = plot_x(p, us);
	double y = plot_y(share * (double)p->seen->n / p->total);
	bool left = x > PLOT_LEFT + PLOT_WIDE * 0.75;

	fprintf(p->out, "<path d=\"M%.1f %.1fV%d\" stroke=\"#2a6fdb\" "
	    "stroke-dasharray=\"3 4\" stroke-opacity=\"0.6\"/>\n"
	    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"#2a6fdb\" "
	    "stroke=\"#fff\" stroke-width=\"1.5\"/>\n", x, y,
	    PLOT_TOP + PLOT_HIGH, x, y);
	fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" "
	    "stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">"
	    "<tspan font-weight=\"600\">%s</tspan> ", x + (left ? -9 : 9),
	    y + (share > 0.995 ? 40 : share > 0.9 ? 58 : 18),
	    left ? "end" : "start", name);
	if (us < 1e6)
		fprintf(p->out, "%.0f ms</text>\n", us / 1e3);
	else
		fprintf(p->out, "%.1f s</text>\n", us / 1e6);
}

int
plot_write(const struct fleet *f, const char *path)
{
	struct plot p = {
		.seen = &f->score.seen,
		.total = (double)f->score.seen.n + f->behind,
		.end = (double)f->score.seen.max * 1.06 + 1,
	};

	p.out = fopen(path, "we");
	if (p.out == NULL)
		return errno;
	plot_head(&p, f);
	plot_axes(&p);
	if (p.seen->n > 0) {
		plot_line(&p, true);
		plot_line(&p, false);
		plot_mark(&p, 0.50, "50 %");
		plot_mark(&p, 0.99, "99 %");
		plot_mark(&p, 1.00, f->behind == 0 ? "all" : "the last");
	}
	fprintf(p.out, "</svg>\n");
	return fclose(p.out) == 0 ? 0 : errno;
}
