#ifndef ROUTES_H
#define ROUTES_H
/*
 * What the agent answers itself (contract, section 4).
 */
#include "agent.h"
#include "buf.h"
#include "route.h"

/* The table; its context is a struct agent *, set by routes_of. */
struct route_table routes_of(struct agent *);

/* agent/swagger.yaml. */
void routes_print(struct buf *);

#endif
