#ifndef DELIVER_INNER_H
#define DELIVER_INNER_H
/*
 * The family of deliver among itself.
 */
#include "deliver.h"

/* deliver_health.c */
struct plan deliver_plan(const struct deliver *);
void deliver_set_health(struct deliver *, enum deliver_health,
    const char *why);
void deliver_note_lag(struct deliver *);

#endif
