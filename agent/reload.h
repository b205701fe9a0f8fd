#ifndef RELOAD_H
#define RELOAD_H
/*
 * SIGHUP: reads the settings again and puts them in force.
 */
#include "agent.h"

/*
 * file: of --config, or NULL. A wrong setting is logged and all stay as they
 * were; what only a start can change (where it listens, the state file) is
 * warned of. In any case the agent polls now.
 */
void reload_settings(struct agent *, const char *file);

#endif
