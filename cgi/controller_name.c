/*
 * Which variables are settings, by any of the names that they answer to:
 * what a web server sends beside them is nobody's setting.
 */
#include "controller.h"

#include <string.h>

#include "text.h"

static bool
controller_is(const struct setting *s, const char *name)
{
	size_t len = strlen(s->name);

	if (strcmp(s->name, name) == 0 || text_among(s->also, name))
		return true;
	return s->kind == SETTING_SECRET &&
	    strncmp(name, s->name, len) == 0 &&
	    strcmp(name + len, "_FILE") == 0;
}

bool
controller_names(const char *name)
{
	for (const struct setting *s = controller_setting; s->name != NULL;
	    s++)
		if (controller_is(s, name))
			return true;
	return false;
}
