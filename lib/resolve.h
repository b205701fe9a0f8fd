#ifndef RESOLVE_H
#define RESOLVE_H
/*
 * The addresses of a host's name, without waiting: getaddrinfo(3), which may
 * take many seconds, in a thread that lives as long as that. A numeric
 * address needs none.
 */
#include <netdb.h>

struct resolve;

/* host: a name or an address; port: 1 to 65535. NULL with errno. Ended with
 * resolve_drop, at any time. */
struct resolve *resolve_start(const char *host, int port);
void resolve_drop(struct resolve *);	/* or NULL */

/* Readable (poll(2)) when it is over; not read from. */
int resolve_fd(const struct resolve *);

/* Once resolve_fd is readable: the addresses, borrowed until the drop, or
 * NULL and why. */
const struct addrinfo *resolve_found(const struct resolve *,
    const char **why);

#endif
