#ifndef DOCS_H
#define DOCS_H
/*
 * GET /docs: the page for people who look at the API.
 */
#include "route.h"

extern const struct route docs_routes[];

#endif
