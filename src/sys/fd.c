#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fault.h"

#define BLOCK (256u << 10)
#define SMALL (16u << 10)
#define SYNC_HELPERS 11          /* threads beside ours; more gain nothing on one disk */
#define SYNC_STACK (64u << 10)

void fd_close(int *fd)
{
	int keep = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = keep;
}

/* at < 0: at the descriptor's own offset */
static int write_some(int fd, const char *p, size_t n, off_t at)
{
	while (n) {
		ssize_t did = at < 0 ? write(fd, p, n) : pwrite(fd, p, n, at);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return did ? errno : ENOSPC;
		p += did;
		n -= (size_t)did;
		if (at >= 0)
			at += did;
	}
	return 0;
}

static int write_at(int fd, const void *p, size_t n, off_t at, const char *path, struct err *e)
{
	int error = fault_io("write", path);

	if (error == FAULT_TORN) {
		(void)write_some(fd, p, n / 2, at);
		fault_die();
	}
	if (!error)
		error = write_some(fd, p, n, at);
	return error ? err_errno(e, error, "cannot write %s", path) : 0;
}

int fd_write_all(int fd, const void *p, size_t n, const char *path, struct err *e)
{
	return write_at(fd, p, n, -1, path, e);
}

int fd_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *path, struct err *e)
{
	return write_at(fd, p, n, at, path, e);
}

static int read_at(int fd, char *p, size_t n, off_t at, size_t *got, const char *path, struct err *e)
{
	size_t have = 0;

	while (have < n) {
		ssize_t did = at < 0 ? read(fd, p + have, n - have) : pread(fd, p + have, n - have, at + (off_t)have);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return err_errno(e, errno, "cannot read %s", path);
		if (!did)
			break;
		have += (size_t)did;
	}
	*got = have;
	return 0;
}

int fd_read_full(int fd, void *p, size_t n, size_t *got, const char *path, struct err *e)
{
	return read_at(fd, p, n, -1, got, path, e);
}

int fd_pread_full(int fd, void *p, size_t n, off_t at, size_t *got, const char *path, struct err *e)
{
	return read_at(fd, p, n, at, got, path, e);
}

int fd_truncate(int fd, off_t size, const char *path, struct err *e)
{
	int error = fault_io("truncate", path);

	if (!error && ftruncate(fd, size))
		error = errno;
	return error ? err_errno(e, error, "cannot set the size of %s", path) : 0;
}

int fd_sync(int fd, const char *path, struct err *e)
{
	int error = fault_io("fsync", path);

	if (!error && fdatasync(fd))
		error = errno;
	return error ? err_errno(e, error, "cannot bring %s to disk", path) : 0;
}

struct syncing {
	const int *fds;
	size_t n;
	bool folders;
	atomic_size_t next;
	pthread_mutex_t mutex;
	int error; /* the first, under the mutex */
	size_t which;
};

static void *sync_some(void *ptr)
{
	struct syncing *s = ptr;

	for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->n;) {
		int fd = s->fds[i];

		if (fd < 0 || !(s->folders ? fsync(fd) : fdatasync(fd)))
			continue;
		int error = errno;

		pthread_mutex_lock(&s->mutex);
		if (!s->error) {
			s->error = error;
			s->which = i;
		}
		pthread_mutex_unlock(&s->mutex);
	}
	return NULL;
}

int fd_sync_all(const int *fds, size_t n, bool folders, size_t *which)
{
	struct syncing s = {.fds = fds, .n = n, .folders = folders, .mutex = PTHREAD_MUTEX_INITIALIZER};
	pthread_t helpers[SYNC_HELPERS];
	pthread_attr_t small;
	size_t started = 0;

	/* Counted here: which operation a fault hits must not depend on threads. */
	for (size_t i = 0; i < n && !s.error; i++)
		if (fds[i] >= 0 && (s.error = fault_io("fsync", NULL)))
			s.which = i;
	if (!s.error) {
		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, SYNC_STACK);
		/* Where no thread can be had, ours does it all. */
		while (started + 1 < n && started < SYNC_HELPERS &&
		       !pthread_create(&helpers[started], &small, sync_some, &s))
			started++;
		pthread_attr_destroy(&small);
		sync_some(&s);
		while (started)
			pthread_join(helpers[--started], NULL);
	}
	if (s.error)
		*which = s.which;
	return s.error;
}

void fd_start_sync(int fd)
{
	/* Only a hint: fd_sync later tells of errors. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int sha_blocks(int fd, char *block, size_t cap, struct sha *out, uint64_t *size, const char *path,
                      struct err *e)
{
	struct sha_ctx c;
	uint64_t total = 0;
	size_t got;

	sha_init(&c);
	do {
		if (fd_pread_full(fd, block, cap, (off_t)total, &got, path, e))
			return -1;
		sha_add(&c, block, got);
		total += got;
	} while (got == cap);
	if (out)
		*out = sha_end(&c);
	if (size)
		*size = total;
	return 0;
}

int fd_sha(int fd, struct sha *out, uint64_t *size, const char *path, struct err *e)
{
	char small[SMALL], *block;
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return err_errno(e, errno, "cannot read %s", path);
	if (st.st_size < (off_t)sizeof(small))
		return sha_blocks(fd, small, sizeof(small), out, size, path, e);
	block = xmalloc(BLOCK);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	rc = sha_blocks(fd, block, BLOCK, out, size, path, e);
	free(block);
	return rc;
}

int fd_nonblock(int fd, bool on, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK))
		return err_errno(e, errno, "cannot set descriptor %d", fd);
	return 0;
}

int fd_pipe(int fds[2], struct err *e)
{
	int made[2];

	if (pipe2(made, O_CLOEXEC))
		return err_errno(e, errno, "cannot make a pipe");
	fds[0] = made[0];
	fds[1] = made[1];
	return 0;
}
