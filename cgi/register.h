#ifndef REGISTER_H
#define REGISTER_H
/*
 * Registration of agents.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route register_routes[];

#endif
