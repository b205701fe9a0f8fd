#ifndef CONTROLLER_H
#define CONTROLLER_H
/*
 * What stands behind the routes: the settings, the store, the key of the
 * tokens, the place of the heartbeats. One a process; `context` of the route
 * table.
 */
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "beat.h"
#include "buf.h"
#include "front.h"
#include "measure.h"
#include "notify.h"
#include "pass.h"
#include "refusal.h"
#include "route.h"
#include "setting.h"
#include "store.h"

struct controller_settings {
	char *config_path;		/* DCM_CONFIG */
	char *state_dir, *bind_address, *log_level, *log_format;
	long port;
	char *base_path;
	char *db_path, *db_journal;
	char *admin_username, *admin_password, *admin_key;
	char *agent_username, *agent_password, *agent_key;
	char *token_key_file;
	long poll_interval;		/* seconds */
	char *first_config;
	long config_max;		/* bytes */
	long audit_days;
	char *redis_url, *redis_host, *nats_url;
	long redis_port;
};

/* The rows of the settings, for --help and the README. */
extern const struct setting controller_setting[];

/*
 * Between a handler that would rather answer later and a gateway that can
 * hold a request; all zero where none can. The handler sets seconds, and
 * later of the reply.
 */
struct controller_hold {
	/* by the gateway */
	bool room;		/* this request may be held */
	bool again;		/* it was: now it is answered */
	struct timespec since;	/* then: when it came; monotonic */
	/* by the handler */
	long seconds;		/* hold it for so long, 1 or more */
	char etag[ETAG_SIZE];	/* or until this is not the present one */
	struct store_beat beat;	/* whose it is; id "": nobody's */
};

/* The file that DCM_CONFIG names. */
struct controller_file {
	char *path;			/* NULL: none is named */
	struct setting_file *file;
	struct stat seen;
};

struct controller {
	struct controller_settings settings;
	struct setting_file *file;	/* of --config, or NULL */
	struct controller_file named;	/* of DCM_CONFIG */
	struct store *store;		/* NULL until the settings are good */
	struct pass_key key;
	struct beat beat;
	struct front front;
	struct refusal refusal;
	struct measure measure;
	struct controller_hold hold;
	bool prompt;			/* others fold heartbeats, as a rule */
	struct notify notify;
	char *db_path, *key_path;	/* settings or their defaults */
	struct buf given;		/* settings among CGI variables */
	struct buf wrong;		/* what is wrong with the settings */
};

/* path: of --config, or NULL. False: error says why. controller_stop in any
 * case. Loads nothing yet. */
bool controller_start(struct controller *, const char *path,
    struct buf *error);
void controller_stop(struct controller *);

/*
 * Loads the settings: first source, which may have a get of NULL, then the
 * environment, then --config, or without that DCM_CONFIG. False: c->wrong
 * has one line for each setting that is wrong, and there is no store.
 */
bool controller_load(struct controller *, struct setting_source first);

/* --- controller_file.c --- */

/* Opens the file that first, or else the environment, names in DCM_CONFIG, if
 * any. False: a line of wrong says why it cannot be read. */
bool controller_file_open(struct controller_file *,
    struct setting_source first, struct buf *wrong);
void controller_file_close(struct controller_file *);
/* Whether it is another one than was read: to be loaded again. */
bool controller_file_changed(const struct controller_file *);
/* With such a file no path may depend on the current folder. */
void controller_file_check(const struct controller_file *,
    const struct controller_settings *, struct buf *wrong);

/* --- controller_name.c --- */

/* Whether a variable of that name is a setting, by any of its names. */
bool controller_names(const char *name);

/* --- controller.c --- */

/* store_current, and DEFAULT_CONFIG as version 1 of an empty database. */
enum store_end controller_current(struct controller *,
    const struct store_version **);

/*
 * Why no credential can be good, "" when all is set: "ADMIN_PASSWORD is not
 * set". Borrowed.
 */
const char *controller_unset(const struct controller *);

/* The controller behind a request. */
struct controller *controller_of(const struct route_request *);

/* The key of the tokens, made when there is none. False: the reply is made. */
bool controller_key(const struct route_request *, struct route_reply *);

/* 503 with what the store says, which is logged, the same at most once in
 * ten seconds. */
void controller_fault(const struct route_request *, struct route_reply *,
    enum store_end);

#endif
