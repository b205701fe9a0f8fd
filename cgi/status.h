#ifndef STATUS_H
#define STATUS_H
/*
 * Health, readiness, and the document of what can be asked.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route status_routes[];

#endif
