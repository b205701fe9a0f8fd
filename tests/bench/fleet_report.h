#ifndef FLEET_REPORT_H
#define FLEET_REPORT_H
/*
 * What a run found: for people, as values for scripts, as CSV for plots.
 */
#include <stdbool.h>

#include "fleet_run.h"

/* To standard output, and to the files of the options. False: one of them
 * could not be written, which is said. */
bool report(const struct fleet *);

/* How a version spread, as SVG; 0, or an errno value. */
int plot_write(const struct fleet *, const char *path);

#endif
