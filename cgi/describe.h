#ifndef DESCRIBE_H
#define DESCRIBE_H
/*
 * The controller's OpenAPI document: swagger.yaml.
 */
#include "buf.h"
#include "route.h"

void describe_print(const struct route_table *, struct buf *);

#endif
