#ifndef MEASURE_H
#define MEASURE_H
/*
 * GET /metrics of the agent.
 */
#include "agent.h"
#include "metric.h"
#include "route.h"

/* NULL: error says why. */
struct metric *measure_open(struct buf *error);

extern const struct route measure_routes[];

#endif
