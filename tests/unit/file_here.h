#ifndef FILE_HERE_H
#define FILE_HERE_H
/*
 * A file in a folder of its own, for the unit tests of settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"

static char folder[] = "/tmp/dcm-setting-XXXXXX";
static char file[64];

static const char *
write_file(const void *data, size_t len)
{
	if (file[0] == '\0') {
		if (mkdtemp(folder) == NULL)
			exit(1);
		snprintf(file, sizeof(file), "%s/f", folder);
	}
	if (keep_write(file, data, len, 0600) != 0)
		exit(1);
	return file;
}

static void
drop_file(void)
{
	unlink(file);
	rmdir(folder);
	file[0] = '\0';
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

#endif
