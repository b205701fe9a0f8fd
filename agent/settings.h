#ifndef SETTINGS_H
#define SETTINGS_H
/*
 * The agent's settings (contract, section 7).
 */
#include <stdbool.h>

#include "buf.h"
#include "setting.h"

struct settings {
	char *controller_url, *username, *password, *api_key;
	char *ca_file, *cert_file, *key_file;
	char *worker_url, *worker_key, *worker_command;
	char *state_dir, *state_file;	/* the file: never NULL once loaded */
	char *hostname, *ip, *metadata;	/* or NULL */
	char *strategy, *redis_url, *nats_url;
	char *bind, *log_level, *log_format;
	long port;
	long timeout;		/* seconds; so are the next three */
	long backoff_max, worker_check, hint_spread;
};

extern const struct setting settings_table[];

/*
 * Reads the environment, then the file (NULL: none), into s, which was
 * zeroed, and checks what one row cannot: what must be set, and what must be
 * set together. False: error has one line a wrong setting. settings_free in
 * any case.
 */
bool settings_load(struct settings *s, const char *file, struct buf *error);
void settings_free(struct settings *);

#endif
