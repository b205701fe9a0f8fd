#ifndef CONFIG_H
#define CONFIG_H
/*
 * A configuration as the controller sent it: its answer byte for byte, and
 * what was read from it. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

enum {
	CONFIG_BODY_MAX = 4 << 20,	/* bytes of an answer */
	CONFIG_ETAG = 128,		/* with quotes and NUL */
	CONFIG_INTERVAL_MAX = 86400,	/* seconds */
	CONFIG_WHY = 256,		/* a sentence of what is wrong */
};

/* Zeroed: none. */
struct config {
	long long version;	/* 0: before the first publish; never given
				 * to a worker */
	char etag[CONFIG_ETAG];	/* "" only when there is no body */
	char *body;		/* owned; the answer: version, data, … */
	size_t len;
	char *url;		/* owned; data.url, or NULL */
	long interval;		/* seconds; 0: not said, or out of range */
	bool refused;		/* by the worker: not to be tried again */
	bool locked;		/* refused for its credential: a worker that
				 * restarts may be asked again */
};

/*
 * Reads an answer of GET /config into c, which is replaced only on success.
 * etag: the ETag header, or NULL; one that is missing or malformed is made
 * as the contract has it. False: why says what is wrong (not JSON, no or
 * wrong version, no data).
 */
bool config_read(struct config *c, const char *body, size_t len,
    const char *etag, char why[CONFIG_WHY]);

/* False when out of memory; to is replaced only on success. */
bool config_copy(struct config *to, const struct config *from);
void config_move(struct config *to, struct config *from);  /* empties from */
void config_free(struct config *);	/* and zeroes */

/* The same version and the same bytes. */
bool config_same(const struct config *, const struct config *);

#endif
