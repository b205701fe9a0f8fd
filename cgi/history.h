#ifndef HISTORY_H
#define HISTORY_H
/*
 * The versions there were: listed, compared, brought back.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route history_routes[];

#endif
