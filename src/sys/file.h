/*
 * sys/file.h: files by path: reading, writing, copying, naming. Includes fd.h, path.h, dir.h and fs.h.
 *
 * Everything that writes passes a fault point (sys/fault.h). Messages name the path as given. Nothing follows a
 * symbolic link in the last part of a path that it writes to.
 */
#ifndef LEAT_SYS_FILE_H
#define LEAT_SYS_FILE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "sys/dir.h"
#include "sys/fd.h"
#include "sys/fs.h"
#include "sys/path.h"

#define FILE_MAX_TEXT (64u << 20) /* a sane ceiling for configuration and code */

must_check int file_open_read(const char *path, int *fd, struct err *e);
/* What should be a plain file, with its stat: nobody waits for the writer of a pipe. The caller looks what it is. */
must_check int file_open_plain(const char *path, int *fd, struct stat *st, struct err *e);
/* O_WRONLY | O_CREAT | `flags` (O_EXCL, O_APPEND, O_TRUNC, O_RDWR...). */
must_check int file_open_write(const char *path, int flags, mode_t mode, int *fd, struct err *e);
/* The same of a name in an open folder; `path` is for messages. */
must_check int file_open_write_at(int dir, const char *name, const char *path, int flags, mode_t mode, int *fd,
				  struct err *e);

/* The whole file, NUL-terminated, in the arena; larger than max is ERR_LIMIT. A folder is an error. */
must_check int file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *e);
/* The same of what must be a plain file: from a pipe or device nobody waits for ever. */
must_check int file_read_plain(struct arena *a, const char *path, size_t max, struct str *out, struct err *e);
must_check int file_read_fd(struct arena *a, int fd, const char *path, size_t max, struct str *out, struct err *e);

enum {
	FILE_SYNC = 1,     /* data is on disk, and for file_replace the name too (folder synced) */
	FILE_EXCL = 2,     /* a file that is there already is ERR_CONFLICT */
	FILE_START = 4,    /* of file_copy_sha: it will be synced, so its bytes start for the disk while it is copied */
};
must_check int file_write(const char *path, struct str data, mode_t mode, unsigned flags, struct err *e);
/*
 * Atomic: written beside as ".leat-HEX.tmp", then renamed over; readers see the old or the new bytes, whole. mode 0 =
 * that of the file it replaces, else 0644.
 */
must_check int file_replace(const char *path, struct str data, mode_t mode, unsigned flags, struct err *e);

/*
 * Copies bytes, not names: reflink where the file system can, else copy_file_range, else read and write; holes stay
 * holes. `to` must not exist. mode 0 = the source's permission bits. A failed copy leaves nothing.
 */
must_check int file_copy(const char *from, const char *to, mode_t mode, unsigned flags, struct err *e);
/* Copies and hashes in one pass over the source, whose holes stay holes; sha and size may be NULL. */
must_check int file_copy_sha(const char *from, const char *to, mode_t mode, unsigned flags, struct sha *sha,
                             uint64_t *size, struct err *e);
/* The same from any descriptor, a pipe too, to its end; appends at the offset of `to`. */
must_check int file_copy_fd_sha(int from, const char *from_path, int to, const char *to_path, struct sha *sha,
                                uint64_t *size, struct err *e);
/* Reflink or nothing: 1 = done, 0 = the file system cannot (nothing made), -1 = error. */
must_check int file_clone_only(const char *from, const char *to, mode_t mode, struct err *e);

/* Hard link: 1 = done, 0 = not possible here (other device, too many links, protected_hardlinks, no support), -1. */
must_check int file_link(const char *from, const char *to, struct err *e);
must_check int file_rename(const char *from, const char *to, struct err *e);     /* replaces `to` */
must_check int file_rename_new(const char *from, const char *to, struct err *e); /* `to` is there: ERR_CONFLICT */
/* Swaps two names in one step (RENAME_EXCHANGE): 1 = done, 0 = the file system or kernel cannot, -1 = error. */
must_check int file_exchange(const char *a, const char *b, struct err *e);
must_check int file_unlink(const char *path, struct err *e); /* absent is fine */
/*
 * The same of what may be large. ext4 mounted with `discard` tells the disk of freed blocks, in the unlink itself or,
 * where it has a journal, before the transaction that freed them counts as written; whoever waits for the disk waits
 * for that. Measured, beside the removal of files of 256 MiB: a write and fdatasync of 20 kB took up to 64 ms (120 ms
 * with a journal). FILE_LARGE_STEP at a time, each in a transaction of its own, it took up to 14 ms (20), and the
 * removal 1.5 times as long. The name goes first, so that a crash leaves no shortened file; and a file that somebody
 * else has open or mapped, or that has another name, keeps its bytes as after any unlink.
 */
#define FILE_LARGE_STEP ((off_t)16 << 20)
must_check int file_unlink_large(const char *path, struct err *e);
must_check int file_unlink_large_at(int dir, const char *name, const char *path, struct err *e);
must_check int file_chmod(const char *path, mode_t mode, struct err *e);
must_check int file_fifo(const char *path, struct err *e); /* a named pipe that all may read */
must_check int file_symlink(const char *target, const char *path, struct err *e);
must_check int file_set_mtime(const char *path, int64_t mtime_ns, struct err *e);

/* A device, pipe or socket, links followed: what must be written into, never renamed over. */
bool file_is_special(const char *path);
bool file_exists(const char *path); /* anything of that name, links not followed */
must_check int file_stat(const char *path, struct stat *out, struct err *e);  /* follows links */
must_check int file_lstat(const char *path, struct stat *out, struct err *e);

/* SHA-256 of the bytes of a file, and how many; either may be NULL. */
must_check int file_sha(const char *path, struct sha *out, uint64_t *size, struct err *e);

/* What tells that a file may have changed (SEMANTICS 6, stat cache). Compared by memcmp: no padding. */
struct file_key {
	uint64_t dev, ino;
	int64_t size, mtime_ns, ctime_ns;
};
struct file_key file_key_of(const struct stat *st);
must_check int file_stat_key(const char *path, struct file_key *out, struct err *e); /* of a link itself */
must_check int file_fd_key(int fd, const char *path, struct file_key *out, struct err *e);
bool file_key_eq(const struct file_key *a, const struct file_key *b);

/*
 * Read lease (F_SETLEASE): 1 = nobody holds the file open for writing (lease given back at once), 0 = a writer holds
 * it, 2 = not to be known here (not the owner, no support). The fd must be open read-only.
 */
int file_lease_read(int fd);

#endif
