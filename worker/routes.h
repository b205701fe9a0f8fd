#ifndef ROUTES_H
#define ROUTES_H
/*
 * The worker's routes: every group, who may call, and the document.
 */
#include "openapi.h"
#include "route.h"

/* Each group is the table of one file, named after what it serves. */
extern const struct route config_routes[];	/* config.c */
extern const struct route hit_routes[];		/* hit.c */
extern const struct route state_routes[];	/* state.c */
extern const struct route tasks_routes[];	/* tasks.c */
extern const struct route measure_routes[];	/* measure.c */

/* Whose context is the struct worker; borrowed. */
extern struct route_table routes_table;
extern const struct openapi routes_openapi;

#endif
