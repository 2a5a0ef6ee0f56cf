/*
 * sys/dir_in.h: the names of one folder, for dir.c and dirs.c.
 */
#ifndef LEAT_SYS_DIR_IN_H
#define LEAT_SYS_DIR_IN_H

#include "base/buf.h"
#include "sys/dir.h"

#define DIR_CHUNK (64u << 10) /* bytes asked of the kernel at once */

/* Each name with its d_type byte in front; sorted by name unless DIR_UNSORTED. */
struct dir_listing {
	struct buf bytes;
	char **p; /* at the d_type byte */
	size_t n;
};

/* `l` is zeroed before, and freed after it, whatever comes. */
must_check int dir_listing_read(int fd, char *chunk, unsigned flags, struct dir_listing *l, const char *path,
				struct err *e);
void dir_listing_free(struct dir_listing *l);

#endif
