#ifndef KEEP_H
#define KEEP_H
/*
 * Files that survive a crash: after keep_write a reader, also one after a
 * power cut, sees the old bytes or the new ones and nothing between.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

/*
 * Writes data to path.new, fsyncs, renames it over path, fsyncs the folder.
 * Writers of one path at the same time wait for each other. mode: permission
 * bits of the new file. 0, or an errno value; on failure path is what it was
 * (the new bytes only if it was the folder's fsync that failed) and path.new
 * is not left. A writer that is killed may leave it; the next one uses it.
 * ENOTSUP: path is what keep_rename does not replace.
 */
int keep_write(const char *path, const void *data, size_t len, mode_t mode);

/*
 * rename(2), but a device, a FIFO or a socket is neither moved nor replaced:
 * with root's rights an output named /dev/null would end as a plain file.
 * 0 or errno; ENOTSUP for those.
 */
int keep_rename(const char *from, const char *to);

/* Appends the whole file to into: 0, EFBIG when it does not fit, or errno. */
int keep_read(const char *path, struct buf *into);

/* The same for who must not wait: ENOTSUP for what is no regular file, as a
 * FIFO that nobody writes. */
int keep_read_plain(const char *path, struct buf *into);
bool keep_plain(int fd);		/* whether it is one */

/* mkdir -p with mode 700 for what is made. 0 or errno. */
int keep_folder(const char *path);

/*
 * Whether len more bytes find room beside path, now and for this process:
 * written to a file without a name, never to the disk. 0, or an errno value;
 * 0 too where the file system has no such files (O_TMPFILE, open(2)).
 */
int keep_room(const char *path, size_t len);

/*
 * An advisory lock on path (made when missing, mode 600), released by
 * close(2) or the end of the process. The descriptor, or -1 with errno;
 * wait = 0: EWOULDBLOCK when another process holds it.
 */
int keep_lock(const char *path, int wait);

#endif
