#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/fault.h"
#include "sys/hasher.h"
#include "sys/rand.h"

#define BLOCK (256u << 10)

int file_open_read(const char *path, int *fd, struct err *e)
{
	int got;

	fault_step("open to read");
	got = open(path, O_RDONLY | O_CLOEXEC);
	if (got < 0)
		return err_errno(e, errno, "cannot open %s", path);
	*fd = got;
	return 0;
}

int file_open_write(const char *path, int flags, mode_t mode, int *fd, struct err *e)
{
	return file_open_write_at(AT_FDCWD, path, path, flags, mode, fd, e);
}

int file_open_write_at(int dir, const char *name, const char *path, int flags, mode_t mode, int *fd, struct err *e)
{
	int error = fault_io("open", path), got = -1;

	if (!(flags & O_ACCMODE))
		flags |= O_WRONLY;
	if (!error) {
		got = openat(dir, name, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
		error = got < 0 ? errno : 0;
	}
	if (error == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s is there already", path);
	if (error == ELOOP)
		return err_set(e, ERR_REFUSED, "%s is a symbolic link; it is not written through", path);
	if (error)
		return err_errno(e, error, "cannot open %s for writing", path);
	*fd = got;
	return 0;
}

static int too_large(const char *path, size_t max, struct err *e)
{
	return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes, which is the most that is read at once", path, max);
}

int file_read_fd(struct arena *a, int fd, const char *path, size_t max, struct str *out, struct err *e)
{
	struct buf b = BUF_INIT(max + 1);
	struct stat st;
	char chunk[8192];
	size_t got;
	int rc = 0;

	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot read %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_BAD_DATA, "%s is a folder, not a file", path);
	if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size > max)
		return too_large(path, max, e);
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		buf_reserve(&b, (size_t)st.st_size + 1);
	/* To the end, whatever the stat said: files of /proc say 0, and a log may grow. */
	do {
		rc = fd_read_full(fd, chunk, sizeof(chunk), &got, path, e);
		if (!rc)
			buf_add(&b, chunk, got);
	} while (!rc && got == sizeof(chunk) && !buf_over(&b));
	if (!rc && (b.n > max || buf_over(&b)))
		rc = too_large(path, max, e);
	if (!rc)
		*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return rc;
}

int file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *e)
{
	int fd FD_CLEANUP = -1;

	if (file_open_read(path, &fd, e))
		return -1;
	return file_read_fd(a, fd, path, max, out, e);
}

int file_open_plain(const char *path, int *fd, struct stat *st, struct err *e)
{
	int got FD_CLEANUP = -1;

	fault_step("open to read");
	got = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (got < 0 && errno == EWOULDBLOCK) /* a plain file that somebody has a lease on, who is asked to let go */
		got = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (got < 0)
		return err_errno(e, errno, "cannot open %s", path);
	if (fstat(got, st))
		return err_errno(e, errno, "cannot look at %s", path);
	*fd = fd_steal(&got);
	return 0;
}

int file_read_plain(struct arena *a, const char *path, size_t max, struct str *out, struct err *e)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_IO, "%s is no plain file (a socket, pipe or device)", path);
	return file_read(a, path, max, out, e);
}

static int write_new(const char *path, struct str data, int flags, mode_t mode, bool sync, struct err *e)
{
	int fd FD_CLEANUP = -1;

	if (file_open_write(path, flags, mode, &fd, e))
		return -1;
	if (data.n && fd_write_all(fd, data.p, data.n, path, e))
		return -1;
	return sync ? fd_sync(fd, path, e) : 0;
}

int file_write(const char *path, struct str data, mode_t mode, unsigned flags, struct err *e)
{
	int how = flags & FILE_EXCL ? O_EXCL : O_TRUNC;

	return write_new(path, data, how, mode ? mode : 0644, flags & FILE_SYNC, e);
}

int file_replace(const char *path, struct str data, mode_t mode, unsigned flags, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *dir = path_dir(a, path), name[RAND_NAME], *temp;
	struct stat st;

	if (!mode)
		mode = !lstat(path, &st) && S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0644;
	rand_name(name);
	temp = path_join(a, dir, arena_printf(a, ".leat-%s.tmp", name));
	if (write_new(temp, data, O_EXCL, mode, flags & FILE_SYNC, e)) {
		(void)unlink(temp);
		return err_wrap(e, "cannot replace %s", path);
	}
	fault_crash("file-replace-before-rename");
	if (flags & FILE_EXCL ? file_rename_new(temp, path, e) : file_rename(temp, path, e)) {
		(void)unlink(temp);
		return -1;
	}
	fault_crash("file-replace-after-rename");
	return flags & FILE_SYNC ? dir_sync(dir, e) : 0;
}

/* One range by copy_file_range; *by_hand once the kernel says it cannot between these two. */
static int copy_range(int from, int to, off_t at, off_t n, bool *by_hand, const char *from_path, const char *to_path,
                      struct err *e)
{
	char *block = NULL;
	int rc = 0;

	while (n > 0 && !*by_hand) {
		off_t in = at, out = at;
		ssize_t did = copy_file_range(from, &in, to, &out, (size_t)MIN(n, (off_t)1 << 30), 0);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
			return err_errno(e, errno, "cannot copy %s to %s", from_path, to_path);
		if (did <= 0) {
			*by_hand = true; /* other file systems, an old kernel; reading tells if it is a real error */
			break;
		}
		at += did;
		n -= did;
	}
	if (n > 0)
		block = xmalloc(BLOCK);
	while (n > 0 && !rc) {
		size_t want = (size_t)MIN(n, (off_t)BLOCK), got;

		rc = fd_pread_full(from, block, want, at, &got, from_path, e);
		if (!rc && got < want)
			rc = err_set(e, ERR_CONFLICT, "%s became shorter while it was copied", from_path);
		if (!rc)
			rc = fd_pwrite_all(to, block, got, at, to_path, e);
		at += (off_t)want;
		n -= (off_t)want;
	}
	free(block);
	return rc;
}

/* Data ranges only, so that holes stay holes; a file system that does not know holes gives one range. */
static int copy_bytes(int from, int to, off_t size, const char *from_path, const char *to_path, struct err *e)
{
	bool by_hand = false;
	off_t at = 0;
	int error = fault_io("copy", to_path);

	if (error)
		return err_errno(e, error, "cannot copy %s to %s", from_path, to_path);
	while (at < size) {
		off_t start = lseek(from, at, SEEK_DATA), end;

		if (start < 0 && errno == ENXIO)
			break; /* only a hole from here on */
		if (start < 0)
			start = at;
		end = lseek(from, start, SEEK_HOLE);
		if (end < 0 || end > size)
			end = size;
		if (start >= end)
			break;
		if (copy_range(from, to, start, end - start, &by_hand, from_path, to_path, e))
			return -1;
		at = end;
	}
	/* A hole at the end is made by the size. */
	return at < size ? fd_truncate(to, size, to_path, e) : 0;
}

struct copy {
	int from, to;
	struct stat st;
};

static int copy_open(struct copy *c, const char *from, const char *to, mode_t mode, struct err *e)
{
	int in FD_CLEANUP = -1;

	if (file_open_read(from, &in, e))
		return -1;
	if (fstat(in, &c->st))
		return err_errno(e, errno, "cannot read %s", from);
	if (!S_ISREG(c->st.st_mode))
		return err_set(e, ERR_IO, "%s is no plain file", from);
	if (file_open_write(to, O_EXCL | O_RDWR, 0600, &c->to, e))
		return -1;
	if (fchmod(c->to, (mode ? mode : c->st.st_mode) & 07777)) {
		err_errno(e, errno, "cannot set the mode of %s", to);
		fd_close(&c->to);
		(void)unlink(to);
		return -1;
	}
	c->from = fd_steal(&in);
	return 0;
}

static int copy_close(struct copy *c, int rc, const char *to, unsigned flags, struct err *e)
{
	if (!rc && (flags & FILE_SYNC))
		rc = fd_sync(c->to, to, e);
	fd_close(&c->from);
	fd_close(&c->to);
	if (rc < 0)
		(void)unlink(to);
	return rc;
}

int file_copy(const char *from, const char *to, mode_t mode, unsigned flags, struct err *e)
{
	struct copy c = {.from = -1, .to = -1};
	int rc = 0;

	if (copy_open(&c, from, to, mode, e))
		return -1;
	if (ioctl(c.to, FICLONE, c.from))
		rc = copy_bytes(c.from, c.to, c.st.st_size, from, to, e);
	return copy_close(&c, rc, to, flags, e);
}

int file_clone_only(const char *from, const char *to, mode_t mode, struct err *e)
{
	struct copy c = {.from = -1, .to = -1};
	int error;

	if (copy_open(&c, from, to, mode, e))
		return -1;
	if (!ioctl(c.to, FICLONE, c.from)) {
		(void)copy_close(&c, 0, to, 0, e);
		return 1;
	}
	error = errno;
	(void)copy_close(&c, -1, to, 0, e);
	if (error == EOPNOTSUPP || error == EXDEV || error == EINVAL || error == ENOTTY || error == ENOSYS ||
	    error == EPERM)
		return 0;
	return err_errno(e, error, "cannot clone %s to %s", from, to);
}

#define START_BYTES ((uint64_t)32 << 20) /* of a long file are on their way to the disk while more is read */

static bool all_zero(const char *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

enum {
	STREAM_START = 1, /* towards the disk while more is read */
	STREAM_HOLES = 2, /* `to` ends where it is written: blocks of zeros become holes */
};

static int copy_stream(int from, const char *from_path, int to, const char *to_path, unsigned how, struct sha *sha,
		       uint64_t *size, struct err *e)
{
	struct hasher *h = hasher_new();
	uint64_t total = 0;
	size_t got = 0;
	int rc;

	do {
		char *block = hasher_block(h);
		bool hole;

		rc = fd_read_full(from, block, HASHER_BLOCK, &got, from_path, e);
		hole = !rc && how & STREAM_HOLES && all_zero(block, got);
		if (hole && lseek(to, (off_t)got, SEEK_CUR) < 0)
			rc = err_errno(e, errno, "cannot write %s", to_path);
		if (!rc && got && !hole)
			rc = fd_write_all(to, block, got, to_path, e);
		if (!rc && sha)
			hasher_add(h, got);
		total += rc ? 0 : got;
		if (how & STREAM_START && total && total % START_BYTES == 0)
			fd_start_sync(to);
	} while (!rc && got == HASHER_BLOCK);
	if (!rc && how & STREAM_HOLES) /* one at the end is made by the size */
		rc = fd_truncate(to, lseek(to, 0, SEEK_CUR), to_path, e);
	if (rc || !sha)
		hasher_cancel(h);
	else
		*sha = hasher_end(h);
	if (!rc && size)
		*size = total;
	return rc;
}

static bool has_holes(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_blocks < st->st_size / 512;
}

int file_copy_fd_sha(int from, const char *from_path, int to, const char *to_path, struct sha *sha, uint64_t *size,
                     struct err *e)
{
	struct stat in, out;
	bool holes = !fstat(from, &in) && has_holes(&in) && !fstat(to, &out) && S_ISREG(out.st_mode) &&
		     lseek(to, 0, SEEK_CUR) == out.st_size;

	return copy_stream(from, from_path, to, to_path, holes ? STREAM_HOLES : 0, sha, size, e);
}

int file_copy_sha(const char *from, const char *to, mode_t mode, unsigned flags, struct sha *sha, uint64_t *size,
                  struct err *e)
{
	struct copy c = {.from = -1, .to = -1};
	unsigned how = flags & (FILE_START | FILE_SYNC) ? STREAM_START : 0;
	int rc;

	if (copy_open(&c, from, to, mode, e))
		return -1;
	if (has_holes(&c.st))
		how |= STREAM_HOLES;
	(void)posix_fadvise(c.from, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (!ioctl(c.to, FICLONE, c.from))
		rc = fd_sha(c.to, sha, size, to, e); /* of the clone: it cannot change any more */
	else
		rc = copy_stream(c.from, from, c.to, to, how, sha, size, e);
	return copy_close(&c, rc, to, flags, e);
}

int file_link(const char *from, const char *to, struct err *e)
{
	int error = fault_io("link", to);

	if (!error && link(from, to))
		error = errno;
	switch (error) {
	case 0:
		return 1;
	case EXDEV:
	case EMLINK:
	case EPERM: /* protected_hardlinks, or a file system without links */
	case EOPNOTSUPP:
	case ENOSYS:
		return 0;
	case EEXIST:
		return err_set(e, ERR_CONFLICT, "%s is there already", to);
	default:
		return err_errno(e, error, "cannot link %s to %s", from, to);
	}
}

int file_rename(const char *from, const char *to, struct err *e)
{
	int error = fault_io("rename", to);

	if (!error && rename(from, to))
		error = errno;
	return error ? err_errno(e, error, "cannot rename %s to %s", from, to) : 0;
}

int file_rename_new(const char *from, const char *to, struct err *e)
{
	int error = fault_io("rename", to);

	if (!error && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		error = errno;
	if (error == EINVAL || error == ENOSYS) /* an old file system: not in one step, but never over another's file */
		error = file_exists(to) ? EEXIST : rename(from, to) ? errno : 0;
	if (error == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s is there already", to);
	return error ? err_errno(e, error, "cannot rename %s to %s", from, to) : 0;
}

int file_exchange(const char *a, const char *b, struct err *e)
{
	int error = fault_io("rename", b);

	if (!error && renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
		error = errno;
	if (error == EINVAL || error == ENOSYS)
		return 0;
	return error ? err_errno(e, error, "cannot exchange %s and %s", a, b) : 1;
}

int file_unlink(const char *path, struct err *e)
{
	int error = fault_io("unlink", path);

	if (!error && unlink(path))
		error = errno;
	return error && error != ENOENT ? err_errno(e, error, "cannot remove %s", path) : 0;
}

/* Whether a file without a name is open nowhere but here: nobody can see it become shorter. */
static bool only_here(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_nlink || fcntl(fd, F_SETLEASE, F_WRLCK))
		return false;
	return !fcntl(fd, F_SETLEASE, F_UNLCK);
}

/*
 * The file system is made to end its transaction after each step by syncing a file of our own: to sync the large one
 * itself would write out first what of it is not on the disk yet.
 */
static void shorten(int fd, int dir, off_t size)
{
	char proc[40];
	int to FD_CLEANUP = -1, own FD_CLEANUP = -1;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (geteuid() != 0)
		(void)fchmod(fd, 0600);
	to = open(proc, O_WRONLY | O_CLOEXEC);
	own = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	for (off_t step = 1; to >= 0 && own >= 0 && size > FILE_LARGE_STEP; step++) {
		size = (size - 1) / FILE_LARGE_STEP * FILE_LARGE_STEP;
		if (ftruncate(to, size) || ftruncate(own, step) || fsync(own))
			return;
	}
}

int file_unlink_large_at(int dir, const char *name, const char *path, struct err *e)
{
	struct stat st;
	int fd FD_CLEANUP = -1, error;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_size > FILE_LARGE_STEP)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	error = fault_io("unlink", path);
	if (!error && unlinkat(dir, name, 0))
		error = errno;
	if (!error && fd >= 0 && only_here(fd))
		shorten(fd, dir, st.st_size);
	return error && error != ENOENT ? err_errno(e, error, "cannot remove %s", path) : 0;
}

int file_unlink_large(const char *path, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int dir FD_CLEANUP = -1;
	struct stat st;

	if (!lstat(path, &st) && st.st_size > FILE_LARGE_STEP)
		dir = open(path_dir(a, path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return file_unlink(path, e);
	return file_unlink_large_at(dir, path_base(a, path), path, e);
}

int file_chmod(const char *path, mode_t mode, struct err *e)
{
	int error = fault_io("chmod", path);

	if (!error && chmod(path, mode))
		error = errno;
	return error ? err_errno(e, error, "cannot set the mode of %s", path) : 0;
}

int file_fifo(const char *path, struct err *e)
{
	int error = fault_io("open", path);

	if (!error && mkfifo(path, 0644))
		error = errno;
	if (error == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s is there already", path);
	return error ? err_errno(e, error, "cannot make the named pipe %s", path) : 0;
}

int file_symlink(const char *target, const char *path, struct err *e)
{
	int error = fault_io("link", path);

	if (!error && symlink(target, path))
		error = errno;
	if (error == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s is there already", path);
	return error ? err_errno(e, error, "cannot make the link %s", path) : 0;
}

int file_set_mtime(const char *path, int64_t mtime_ns, struct err *e)
{
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
	                        {.tv_sec = mtime_ns / 1000000000, .tv_nsec = mtime_ns % 1000000000}};

	if (t[1].tv_nsec < 0) {
		t[1].tv_nsec += 1000000000;
		t[1].tv_sec--;
	}
	if (utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW))
		return err_errno(e, errno, "cannot set the time of %s", path);
	return 0;
}

bool file_is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool file_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

int file_stat(const char *path, struct stat *out, struct err *e)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	*out = st;
	return 0;
}

int file_lstat(const char *path, struct stat *out, struct err *e)
{
	struct stat st;

	if (lstat(path, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	*out = st;
	return 0;
}

int file_sha(const char *path, struct sha *out, uint64_t *size, struct err *e)
{
	int fd FD_CLEANUP = -1;

	if (file_open_read(path, &fd, e))
		return -1;
	return fd_sha(fd, out, size, path, e);
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct file_key file_key_of(const struct stat *st)
{
	return (struct file_key){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime_ns = ns_of(st->st_mtim),
		.ctime_ns = ns_of(st->st_ctim),
	};
}

int file_stat_key(const char *path, struct file_key *out, struct err *e)
{
	struct stat st;

	if (file_lstat(path, &st, e))
		return -1;
	*out = file_key_of(&st);
	return 0;
}

int file_fd_key(int fd, const char *path, struct file_key *out, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot look at %s", path);
	*out = file_key_of(&st);
	return 0;
}

bool file_key_eq(const struct file_key *a, const struct file_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int file_lease_read(int fd)
{
	if (!fcntl(fd, F_SETLEASE, F_RDLCK)) {
		/* Kept, it would send SIGIO to us when somebody opens the file: given back at once. */
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return 1;
	}
	return errno == EAGAIN ? 0 : 2;
}
