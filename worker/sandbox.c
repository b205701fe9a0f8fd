/*
 * Least privilege: no_new_privs (prctl(2)) and Landlock (landlock(7)), by
 * system calls, for glibc has no functions for them. Reading stays allowed:
 * names are resolved, and certificates checked, with files of the system.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than Debian 12's headers. */
#define SANDBOX_REFER		(1ULL << 13)	/* ABI 2 */
#define SANDBOX_TRUNCATE	(1ULL << 14)	/* ABI 3 */
#define SANDBOX_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */

#define SANDBOX_WRITE	(LANDLOCK_ACCESS_FS_WRITE_FILE | \
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)
#define SANDBOX_NEVER	(LANDLOCK_ACCESS_FS_EXECUTE | \
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
    LANDLOCK_ACCESS_FS_MAKE_SYM)

static int
sandbox_allow(int rules, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access,
		.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY),
	};
	int err = 0;

	if (beneath.parent_fd == -1)
		return errno == ENOENT ? 0 : errno;
	if (syscall(SYS_landlock_add_rule, rules,
	    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
		err = errno;
	close(beneath.parent_fd);
	return err;
}

static int
sandbox_landlock(const char *const *folders, long abi)
{
	uint64_t write = SANDBOX_WRITE, never = SANDBOX_NEVER;
	struct landlock_ruleset_attr attr = { 0 };
	int rules, err = 0;

	if (abi >= 2)
		never |= SANDBOX_REFER;
	if (abi >= 3)
		write |= SANDBOX_TRUNCATE;
	if (abi >= 5)
		never |= SANDBOX_IOCTL_DEV;
	attr.handled_access_fs = write | never;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
	    0);
	if (rules == -1)
		return errno;
	for (; *folders != NULL && err == 0; folders++)
		err = sandbox_allow(rules, *folders, write);
	if (err == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		err = errno;
	close(rules);
	return err;
}

enum sandbox_end
sandbox_enter(const char *const *folders, struct buf *why)
{
	long abi;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		buf_printf(why, "no_new_privs: %s", strerror(errno));
		return SANDBOX_FAILED;
	}
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		buf_printf(why, "no_new_privs; no Landlock: %s",
		    strerror(errno));
		return SANDBOX_PARTLY;
	}
	err = sandbox_landlock(folders, abi);
	if (err != 0) {
		buf_printf(why, "Landlock: %s", strerror(err));
		return SANDBOX_FAILED;
	}
	buf_printf(why, "no_new_privs and Landlock (ABI %ld)", abi);
	return SANDBOX_WHOLE;
}
