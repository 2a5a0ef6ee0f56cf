#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tz.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/fd.h"

#define POLL_MS 5
#define TURN_AT ((uint64_t)1 << 61) /* the byte of a fair lock's file that who comes next holds */

static int lock_open(const char *path, unsigned flags, int *out, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666), error = errno;

	*out = -1;
	if (fd < 0 && flags & LOCK_LOOK && (error == EACCES || error == EROFS)) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* enough for flock */
		if (fd < 0 && errno == ENOENT)
			return 0;
	}
	if (fd < 0)
		return err_errno(e, error, "cannot open the lock %s", path);
	*out = fd;
	return 0;
}

/* 0, or an errno; EWOULDBLOCK only with LOCK_NB */
static int flock_retry(int fd, int how)
{
	const struct fault_weave *w = fault_weave();

	if (w && how != LOCK_UN && !(how & LOCK_NB)) {
		fault_step("lock");
		while (flock(fd, how | LOCK_NB))
			w->wait("lock");
		return 0;
	}
	while (flock(fd, how))
		if (errno != EINTR)
			return errno;
	return 0;
}

static int byte_call(int fd, int how, short type, uint64_t at, uint64_t n, short *found)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = (off_t)n};
	const struct fault_weave *w = fault_weave();

	fault_step("byte");
	if (w && how == F_OFD_SETLKW) {
		while (fcntl(fd, F_OFD_SETLK, &l))
			w->wait("byte");
		return 0;
	}
	while (fcntl(fd, how, &l))
		if (errno != EINTR)
			return errno;
	*found = l.l_type;
	return 0;
}

/* Waits for the lock itself with the turn in hand, so that at most one does. */
static int flock_fair(int fd)
{
	short type = F_UNLCK;
	int error, turn = byte_call(fd, F_OFD_SETLKW, F_WRLCK, TURN_AT, 1, &type);

	error = flock_retry(fd, LOCK_EX);
	if (!turn)
		(void)byte_call(fd, F_OFD_SETLK, F_UNLCK, TURN_AT, 1, &type);
	return error;
}

static void read_text(int fd, char who[LOCK_TEXT])
{
	ssize_t n = pread(fd, who, LOCK_TEXT - 1, 0);

	who[n > 0 ? n : 0] = '\0';
	who[strcspn(who, "\n")] = '\0';
}

static void write_text(int fd, const char *who)
{
	char text[LOCK_TEXT], when[TIME_TEXT];
	int n;

	time_rfc3339(clock_now_ms(), when);
	n = snprintf(text, sizeof(text), "pid %d, %s, since %s\n", (int)getpid(), who, when);
	/* Only told to people; a lock whose text could not be written is a lock all the same. */
	if (n > 0 && pwrite(fd, text, (size_t)MIN(n, LOCK_TEXT - 1), 0) > 0)
		(void)!ftruncate(fd, MIN(n, LOCK_TEXT - 1));
}

static void held(struct lock *l, int fd, const char *who, unsigned flags)
{
	struct stat st;

	l->fd = fd;
	l->fair = flags & LOCK_FAIR;
	l->text = who && !(flags & LOCK_SHARED);
	if (l->text)
		write_text(fd, who);
	else if (!(flags & (LOCK_SHARED | LOCK_KEEP)) && !fstat(fd, &st) && st.st_size)
		(void)!ftruncate(fd, 0); /* the name of one who died: not ours */
}

static int how_of(unsigned flags)
{
	return flags & LOCK_SHARED ? LOCK_SH : LOCK_EX;
}

int lock_take(struct lock *l, const char *path, const char *who, unsigned flags, struct err *e)
{
	int fd, error;

	if (lock_open(path, flags, &fd, e))
		return -1;
	if (fd < 0) {
		l->fd = -1;
		return 0;
	}
	error = flags & LOCK_FAIR ? flock_fair(fd) : flock_retry(fd, how_of(flags));
	if (error) {
		fd_close(&fd);
		return err_errno(e, error, "cannot lock %s", path);
	}
	held(l, fd, who, flags);
	return 0;
}

static int busy(int fd, const char *path, struct err *e)
{
	char who[LOCK_TEXT];

	read_text(fd, who);
	fd_close(&fd);
	if (who[0])
		return err_set(e, ERR_BUSY, "%s is held by %s", path, who);
	return err_set(e, ERR_BUSY, "%s is held by another process", path);
}

int lock_take_for(struct lock *l, const char *path, const char *who, unsigned flags, int64_t ms, struct err *e)
{
	int64_t end = clock_mono_ms() + ms;
	int fd, error;

	BUG_IF(flags & LOCK_LOOK);
	if (lock_open(path, flags, &fd, e))
		return -1;
	/* flock has no time limit of its own, and an alarm would belong to the whole process. */
	while ((error = flock_retry(fd, how_of(flags) | LOCK_NB)) == EWOULDBLOCK) {
		int64_t left = end - clock_mono_ms();

		if (left <= 0)
			return busy(fd, path, e);
		clock_sleep_ms(MIN(left, POLL_MS));
	}
	if (error) {
		fd_close(&fd);
		return err_errno(e, error, "cannot lock %s", path);
	}
	held(l, fd, who, flags);
	return 0;
}

int lock_folder(const char *path, int *fd, struct err *e)
{
	int f = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;

	if (f < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "cannot open the folder %s", path);
	error = flock_retry(f, LOCK_EX | LOCK_NB);
	if (error) {
		fd_close(&f);
		return error == EWOULDBLOCK ? 0 : err_errno(e, error, "cannot lock %s", path);
	}
	*fd = f;
	return 1;
}

int lock_try(struct lock *l, const char *path, const char *who, unsigned flags, struct err *e)
{
	return lock_take_for(l, path, who, flags, 0, e);
}

void lock_drop(struct lock *l)
{
	if (l->fd >= 0 && l->text)
		(void)!ftruncate(l->fd, 0); /* nobody is to be named once it is free */
	fd_close(&l->fd);
	l->text = false;
}

void lock_pause(struct lock *l)
{
	(void)flock_retry(l->fd, LOCK_UN);
}

int lock_again(struct lock *l, struct err *e)
{
	int error = l->fair ? flock_fair(l->fd) : flock_retry(l->fd, LOCK_EX);

	return error ? err_errno(e, error, "cannot take a lock again") : 0;
}

bool lock_try_again(struct lock *l)
{
	return flock_retry(l->fd, LOCK_EX | LOCK_NB) == 0;
}

bool lock_is_held(const char *path, char who[LOCK_TEXT])
{
	int fd FD_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);

	who[0] = '\0';
	/* A shared lock excludes only exclusive holders, and goes with the descriptor at once. */
	if (fd < 0 || flock_retry(fd, LOCK_SH | LOCK_NB) != EWOULDBLOCK)
		return false;
	read_text(fd, who);
	return true;
}

int lock_bytes_open(const char *path, int *fd, struct err *e)
{
	int got = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (got < 0 && (errno == EACCES || errno == EROFS)) /* enough for who only reads */
		got = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (got < 0 && errno == ENOENT)
		got = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (got < 0)
		return err_errno(e, errno, "cannot open the lock %s", path);
	*fd = got;
	return 0;
}

int lock_byte(int fd, uint64_t at, struct err *e)
{
	short type = F_UNLCK;
	int error = byte_call(fd, F_OFD_SETLKW, F_RDLCK, at, 1, &type);

	return error ? err_errno(e, error, "cannot take a lock") : 0;
}

int lock_byte_alone(int fd, uint64_t at, struct err *e)
{
	short type = F_UNLCK;
	int error = byte_call(fd, F_OFD_SETLKW, F_WRLCK, at, 1, &type);

	return error ? err_errno(e, error, "cannot take a lock") : 0;
}

void lock_byte_free(int fd, uint64_t at)
{
	lock_bytes_free(fd, at, 1);
}

void lock_bytes_free(int fd, uint64_t at, uint64_t n)
{
	short type = F_UNLCK;

	(void)byte_call(fd, F_OFD_SETLK, F_UNLCK, at, n, &type);
}

int lock_bytes_alone(int fd, uint64_t at, uint64_t n, struct err *e)
{
	short type = F_UNLCK;
	int error = byte_call(fd, F_OFD_SETLK, F_WRLCK, at, n, &type);

	if (error == EAGAIN || error == EACCES)
		return 0;
	return error ? err_errno(e, error, "cannot take a lock") : 1;
}

int lock_bytes_held(int fd, uint64_t at, uint64_t n, struct err *e)
{
	short type = F_UNLCK;
	int error = byte_call(fd, F_OFD_GETLK, F_WRLCK, at, n, &type);

	return error ? err_errno(e, error, "cannot look at a lock") : type != F_UNLCK;
}

int lock_byte_held(int fd, uint64_t at, struct err *e)
{
	return lock_bytes_held(fd, at, 1, e);
}
