#ifndef AGENTS_H
#define AGENTS_H
/*
 * The list of agents: what they said, and how they are.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route agents_routes[];

#endif
