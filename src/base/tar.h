/*
 * base/tar.h: the heads of a tar archive, for writing (POSIX.1-2017 ustar; pax headers where a name or a size does not
 * fit). Owner is root, modes 0644 and 0755, so that equal trees give equal archives.
 */
#ifndef LEAT_BASE_TAR_H
#define LEAT_BASE_TAR_H

#include "base/buf.h"

#define TAR_BLOCK 512

/* Appends the head of a file of `size` bytes, or of a folder (path ends in '/', size 0); mtime: seconds since 1970. */
void tar_head(struct buf *b, struct str path, int64_t size, int64_t mtime);
/* Zero bytes that follow `size` bytes of data. */
size_t tar_padding(int64_t size);
/* The two empty blocks at the end. */
void tar_end(struct buf *b);

#endif
