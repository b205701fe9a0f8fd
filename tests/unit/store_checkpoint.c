/*
 * When a WAL is worth a checkpoint.
 */
#include "unit.h"

#include "../../cgi/store_sqlite.c"

#include <fcntl.h>

static int
enough(const struct store_kind *kind, off_t size)
{
	char path[] = "/tmp/dcm-checkpoint.XXXXXX";
	struct store_file f = { .kind = kind, .path = path };
	int fd = mkstemp(path), frames;

	CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	frames = store_file_enough(&f);
	close(fd);
	CHECK(unlink(path) == 0);
	CHECK_INT(store_file_enough(&f), kind->frames);
	return frames;
}

UNIT("a WAL of truth stays small, that of liveness becomes its database's size")
{
	CHECK_INT(enough(&store_truth, 400 << 20), store_truth.frames);
	CHECK_INT(enough(&store_liveness, 0), 4096);
	CHECK_INT(enough(&store_liveness, 16 << 20), 4096);
	CHECK_INT(enough(&store_liveness, 100 << 20), 25600);
}

UNIT_MAIN
