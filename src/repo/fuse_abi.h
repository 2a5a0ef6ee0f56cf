/*
 * repo/fuse_abi.h: the parts of libfuse3 (3.10 and later, libfuse3.so.3) that a mount uses, declared by us, so that no
 * header of it is needed and nothing links against it. Names, order and shapes are those of its stable ABI.
 */
#ifndef LEAT_REPO_FUSE_ABI_H
#define LEAT_REPO_FUSE_ABI_H

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"

typedef struct fuse_request *fuse_req;
struct fuse_session;

struct fuse_arguments {
	int argc;
	const char **argv;
	int allocated;
};

struct fuse_entry {
	uint64_t ino, generation;
	struct stat attr;
	double attr_timeout, entry_timeout;
};

enum { FUSE_F_KEEP_CACHE = 1 << 2, FUSE_F_CACHE_READDIR = 1 << 6 };
struct fuse_file {
	int flags;
	uint32_t bits, padding; /* bit fields there */
	uint64_t fh, lock_owner;
	uint32_t poll_events;
};

enum { FUSE_B_FD = 1 << 1, FUSE_B_SEEK = 1 << 2, FUSE_B_RETRY = 1 << 3 };
struct fuse_buffer {
	size_t size;
	int flags;
	void *mem;
	int fd;
	off_t pos;
};
struct fuse_buffers {
	size_t count, idx, off;
	struct fuse_buffer buf[1];
};

/* struct fuse_lowlevel_ops: its members in order; those that we do not use are void pointers. */
struct fuse_ops {
	void *init, *destroy;
	void (*lookup)(fuse_req, uint64_t parent, const char *name);
	void (*forget)(fuse_req, uint64_t ino, uint64_t n);
	void (*getattr)(fuse_req, uint64_t ino, struct fuse_file *);
	void *setattr, *readlink, *mknod, *mkdir, *unlink, *rmdir, *symlink, *rename, *link;
	void (*open)(fuse_req, uint64_t ino, struct fuse_file *);
	void (*read)(fuse_req, uint64_t ino, size_t size, off_t off, struct fuse_file *);
	void *write, *flush;
	void (*release)(fuse_req, uint64_t ino, struct fuse_file *);
	void *fsync;
	void (*opendir)(fuse_req, uint64_t ino, struct fuse_file *);
	void (*readdir)(fuse_req, uint64_t ino, size_t size, off_t off, struct fuse_file *);
	void (*releasedir)(fuse_req, uint64_t ino, struct fuse_file *);
	void *fsyncdir;
	void (*statfs)(fuse_req, uint64_t ino);
	void *setxattr, *getxattr, *listxattr, *removexattr, *access, *create, *getlk, *setlk, *bmap, *ioctl, *poll,
		*write_buf, *retrieve_reply, *forget_multi, *flock, *fallocate;
	void (*readdirplus)(fuse_req, uint64_t ino, size_t size, off_t off, struct fuse_file *);
};

struct fuse_abi {
	struct fuse_session *(*session_new)(struct fuse_arguments *, const struct fuse_ops *, size_t, void *);
	int (*session_mount)(struct fuse_session *, const char *);
	void (*session_unmount)(struct fuse_session *);
	void (*session_destroy)(struct fuse_session *);
	int (*session_fd)(struct fuse_session *);
	int (*session_exited)(struct fuse_session *);
	int (*session_receive_buf)(struct fuse_session *, struct fuse_buffer *);
	void (*session_process_buf)(struct fuse_session *, const struct fuse_buffer *);
	void *(*req_userdata)(fuse_req);
	int (*reply_err)(fuse_req, int);
	void (*reply_none)(fuse_req);
	int (*reply_entry)(fuse_req, const struct fuse_entry *);
	int (*reply_attr)(fuse_req, const struct stat *, double timeout);
	int (*reply_open)(fuse_req, const struct fuse_file *);
	int (*reply_buf)(fuse_req, const char *, size_t);
	int (*reply_data)(fuse_req, struct fuse_buffers *, int flags);
	int (*reply_statfs)(fuse_req, const struct statvfs *);
	size_t (*add_direntry)(fuse_req, char *, size_t, const char *name, const struct stat *, off_t);
	size_t (*add_direntry_plus)(fuse_req, char *, size_t, const char *name, const struct fuse_entry *, off_t);
	int (*notify_inval_entry)(struct fuse_session *, uint64_t parent, const char *name, size_t n);
};
extern struct fuse_abi libfuse;
must_check int fuse_abi_load(struct err *e);

#endif
