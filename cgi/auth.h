#ifndef AUTH_H
#define AUTH_H
/*
 * Who calls: HTTP Basic (RFC 7617), X-API-Key, or an agent's token as Bearer
 * (RFC 6750). X-API-Key decides where both are sent.
 */
#include "route.h"
#include "store.h"
#include "token.h"

/* `owner` of a request; the gateway keeps it. */
struct auth_caller {
	char name[72];		/* which credential: "alice", "ADMIN_API_KEY",
				 * "agent <id>"; "" for nobody */
	char agent[TOKEN_UUID];	/* of a token, else "" */
	bool looked;		/* store_least was asked for this request */
};

/*
 * Sets req->who and the caller, and admits or refuses: 503 when credentials
 * are not set, 401, 403. Anyone may call rows without `who`.
 */
bool auth_authorize(struct route_request *, struct route_reply *);

struct auth_caller *auth_of(const struct route_request *);

/* What the audit says of a request; borrows from it. */
struct store_deed auth_deed(const struct route_request *, const char *action);

#endif
