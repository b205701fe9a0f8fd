#ifndef MEASURE_H
#define MEASURE_H
/*
 * What the worker counts for GET /metrics.
 */
#include "queue.h"
#include "worker.h"

/* Before anything is counted. False: error says why. */
bool measure_open(struct worker *, struct buf *error);

/* A hit is over: "passed", "failed", "left"; after ms. */
void measure_hit(struct worker *, const char *end, int64_t ms);
/* An attempt of a task: COMPLETED, FAILED, or PENDING for tried again. */
void measure_task(struct worker *, enum queue_state, int64_t ms);
/* A task was begun, ms after its 202. */
void measure_wait(struct worker *, long long ms);
/* A task was offered to the queue. */
void measure_push(struct worker *, enum queue_end);

#endif
