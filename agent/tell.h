#ifndef TELL_H
#define TELL_H
/*
 * Requests to the worker. NULL: out of memory.
 */
#include "config.h"
#include "fetch.h"
#include "settings.h"

typedef void tell_done(void *arg, const struct fetch_result *);

struct fetch *tell_state(struct fetch_hub *, const struct settings *,
    tell_done *, void *arg);
struct fetch *tell_config(struct fetch_hub *, const struct settings *,
    const struct config *, tell_done *, void *arg);
/* For --check: GET /config, which wants the key. */
struct fetch *tell_held(struct fetch_hub *, const struct settings *,
    tell_done *, void *arg);

#endif
