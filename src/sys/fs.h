/*
 * sys/fs.h: what kind of file system a path lies on, and how much room it has.
 */
#ifndef LEAT_SYS_FS_H
#define LEAT_SYS_FS_H

#include "base/err.h"

enum fs_class { FS_LOCAL, FS_MEMORY, FS_NETWORK };

struct fs_info {
	enum fs_class class;  /* NETWORK: locks and atomic renames cannot be relied on: the store refuses it */
	char name[24];        /* "ext4", "nfs", "fuse.sshfs"; "0x..." if unknown */
	uint64_t free_bytes;  /* what this user may still write */
	uint64_t total_bytes;
	uint64_t free_inodes; /* UINT64_MAX where the file system has no such number */
};
must_check int fs_kind(const char *path, struct fs_info *out, struct err *e);
must_check int fs_free_bytes(const char *path, uint64_t *out, struct err *e);

/* Whether two clones can share blocks in this folder (tries with a file of its own): 1, 0, or -1 and *e. */
must_check int fs_can_reflink(const char *dir, struct err *e);
/* Whether renameat2(RENAME_EXCHANGE) works in this folder: 1, 0, or -1 and *e. */
must_check int fs_can_exchange(const char *dir, struct err *e);

#endif
