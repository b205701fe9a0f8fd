#ifndef CONFIG_H
#define CONFIG_H
/*
 * The configuration: read by agents, published by administrators.
 */
#include "route.h"

/* Rows of a route table. */
extern const struct route config_routes[];

#endif
