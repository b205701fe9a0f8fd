#ifndef ROLLOUT_H
#define ROLLOUT_H
/*
 * How far a version has come.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route rollout_routes[];

#endif
