#ifndef SETTINGS_H
#define SETTINGS_H
/*
 * The worker's settings (contract, section 7).
 */
#include <stdbool.h>

#include "buf.h"
#include "guard.h"
#include "setting.h"

struct settings {
	char *bind, *key, *allow_cidr, *log_level, *log_format;
	long port;
	long timeout;		/* seconds */
	long max_response;	/* bytes; 0: no limit */
	char *state_dir, *hit_mode, *queue_url, *sandbox;
	long max_result;	/* bytes */
	long queue_max;		/* tasks that are not over */
	long concurrency;	/* tasks at once */
	long retry_max;
	long result_ttl;	/* seconds */
	struct guard guard;	/* out of allow_cidr */
};

extern const struct setting settings_table[];

/*
 * Reads the environment, then the file (NULL: none), into s, which was
 * zeroed. False: error has one line a wrong setting. settings_free in any
 * case.
 */
bool settings_load(struct settings *s, const char *file, struct buf *error);
void settings_free(struct settings *);

#endif
