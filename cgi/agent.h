#ifndef AGENT_H
#define AGENT_H
/*
 * One agent: shown, deleted, given a new token, reporting.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route agent_routes[];

#endif
