/*
 * sys/fd.h: file descriptors. All are opened O_CLOEXEC; a child gets only what sys/proc hands it.
 */
#ifndef LEAT_SYS_FD_H
#define LEAT_SYS_FD_H

#include <sys/types.h>

#include "base/err.h"
#include "base/hash.h"

/* int fd FD_CLEANUP = -1; closed at the end of the scope unless -1; errno is kept. */
void fd_close(int *fd);
#define FD_CLEANUP cleanup(fd_close)
/* Takes it out of a FD_CLEANUP variable. */
static inline int fd_steal(int *fd)
{
	int n = *fd;

	*fd = -1;
	return n;
}

/* `path` is only for messages and fault points. Interrupted and short calls are continued. */
must_check int fd_write_all(int fd, const void *p, size_t n, const char *path, struct err *e);
must_check int fd_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *path, struct err *e);
/* Reads until n bytes or the end; *got < n only at the end. */
must_check int fd_read_full(int fd, void *p, size_t n, size_t *got, const char *path, struct err *e);
must_check int fd_pread_full(int fd, void *p, size_t n, off_t at, size_t *got, const char *path, struct err *e);
must_check int fd_truncate(int fd, off_t size, const char *path, struct err *e);

must_check int fd_sync(int fd, const char *path, struct err *e); /* fdatasync: data and size */
/*
 * All of them (-1: none) by fdatasync, or fsync where they are folders, some side by side: one after the other each
 * would wait for the disk by itself. 0, or an errno and whose it is.
 */
must_check int fd_sync_all(const int *fds, size_t n, bool folders, size_t *which);
/* Starts writing dirty pages out and does not wait: call on all files of a group, then fd_sync each (SEMANTICS 9). */
void fd_start_sync(int fd);

/* SHA-256 of all bytes from the start (by pread in 256 KiB blocks: the offset stays) and how many; out may be NULL. */
must_check int fd_sha(int fd, struct sha *out, uint64_t *size, const char *path, struct err *e);

must_check int fd_nonblock(int fd, bool on, struct err *e);
must_check int fd_pipe(int fds[2], struct err *e); /* [0] reads, [1] writes, close-on-exec */

#endif
