#ifndef DESCRIBE_H
#define DESCRIBE_H
/*
 * The controller's OpenAPI document: swagger.yaml.
 */
#include "buf.h"
#include "openapi.h"
#include "route.h"

/* server: "/", or the prefix of the mount; borrowed, as the table is. */
struct openapi describe_document(const struct route_table *,
    const char *server);
void describe_print(const struct route_table *, const char *server,
    struct buf *);

#endif
