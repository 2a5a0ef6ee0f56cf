#include "sys/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/file.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

#define ABOVE 32 /* above all numbers that a child's descriptors get */

_Static_assert(sizeof(struct shim_row) == 128, "a row is two lines of a processor's memory");

extern const unsigned char shim_bytes[]; /* the program, from shim_main.c */
extern const unsigned long shim_bytes_size;

static struct {
	pthread_once_t once;
	int fd;
} made = {.once = PTHREAD_ONCE_INIT, .fd = -1};

static void make(void)
{
	int fd = memfd_create(SHIM_NAME, MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* Linux 6.2 and before: it may be executed unless one says otherwise */
		fd = memfd_create(SHIM_NAME, MFD_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, shim_bytes, shim_bytes_size) == (ssize_t)shim_bytes_size)
		made.fd = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
	fd_close(&fd);
}

int shim_program(void)
{
	pthread_once(&made.once, make);
	return made.fd;
}

int shim_open(const char *path, bool make, int *fd, struct err *e)
{
	int flags = O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), f = open(path, flags, 0600);

	if (f < 0)
		return err_errno(e, errno, "cannot open %s", path);
	*fd = f;
	return 0;
}

static off_t place(uint32_t row)
{
	return (off_t)row * (off_t)sizeof(struct shim_row);
}

int shim_begin(int fd, uint32_t row, const struct shim_begun *b, struct err *e)
{
	struct shim_row r = {.begun = *b};

	r.begun.magic = SHIM_MAGIC;
	return fd_pwrite_all(fd, &r, sizeof(r), place(row), "the table of tasks", e);
}

int shim_taken(int fd, uint32_t row, struct err *e)
{
	int32_t yes = 1;

	return fd_pwrite_all(fd, &yes, sizeof(yes), place(row) + (off_t)offsetof(struct shim_begun, taken),
	                     "the table of tasks", e);
}

int shim_free(int fd, uint32_t row, struct err *e)
{
	uint32_t no = 0;

	return fd_pwrite_all(fd, &no, sizeof(no), place(row), "the table of tasks", e);
}

int shim_read(int fd, uint32_t row, struct shim_row *out, struct err *e)
{
	ssize_t n = pread(fd, out, sizeof(*out), place(row));

	if (n < 0)
		return err_errno(e, errno, "cannot read the table of tasks");
	return n == (ssize_t)sizeof(*out);
}

void shim_told(int fd, uint32_t row, struct shim_told *out)
{
	struct err e = ERR_INIT;
	struct shim_row r;

	*out = (struct shim_told){0};
	if (shim_read(fd, row, &r, &e) == 1)
		*out = r.told;
}
