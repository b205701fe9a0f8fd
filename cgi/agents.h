#ifndef AGENTS_H
#define AGENTS_H
/*
 * The list of agents: what they said, and how they are.
 */
#include "buf.h"
#include "json.h"
#include "route.h"
#include "store.h"

/* Rows of a route table. */
extern const struct route agents_routes[];

/* An agent as it is shown, and its JSON. present: the present version. */
extern const struct field agents_row_fields[];
void agents_write(struct buf *, const struct store_agent *,
    long long present);

/* For examples. */
#define AGENTS_ID "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f"
#define AGENTS_EXAMPLE							\
	"{\"id\":\"" AGENTS_ID "\",\"hostname\":\"web-1\","		\
	"\"ip_address\":\"192.0.2.10\",\"port\":8081,"			\
	"\"metadata\":{\"rack\":\"7\"},"				\
	"\"registered_at\":\"2026-01-26T12:00:00.000Z\","		\
	"\"last_poll\":\"2026-01-26T12:00:30.000Z\","			\
	"\"applied_version\":7,\"state\":\"ok\",\"error\":null,"	\
	"\"up_to_date\":true}"

#endif
