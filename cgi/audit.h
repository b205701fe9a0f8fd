#ifndef AUDIT_H
#define AUDIT_H
/*
 * The audit: who did what, when, from where.
 */
#include "controller.h"
#include "route.h"

/* Rows of a route table. */
extern const struct route audit_routes[];

/* Forgets some of what is older than AUDIT_RETENTION_DAYS, and says whether
 * there may be more. */
bool audit_purge(struct controller *, long long now);

#endif
