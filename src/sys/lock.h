/*
 * sys/lock.h: lock files by flock(2). The lock ends with the descriptor, so a holder that dies lets go; the file stays
 * (removing lock files is a race). Not inherited by children that sys/proc starts.
 *
 * Two struct lock of one process on one path exclude each other too.
 */
#ifndef LEAT_SYS_LOCK_H
#define LEAT_SYS_LOCK_H

#include "base/err.h"

#define LOCK_TEXT 256

struct lock {
	int fd; /* -1 = not held */
	bool text, fair;
};
#define LOCK_INIT {.fd = -1}

/*
 * LOCK_FAIR: who gives it back and wants it again comes after those who wait. By itself flock lets him have it at once,
 * time after time, for those who are woken need longer than he does. All takers of the file must say it.
 * LOCK_LOOK (lock_take only): for who only reads. Where the file system or its owner lets nobody of us write, the file
 * is opened for reading; one that is not there has no holder, and nothing is held.
 */
enum {
	LOCK_SHARED = 1,
	LOCK_KEEP = 2, /* what stands in the file is not the name of a holder, and stays */
	LOCK_FAIR = 4,
	LOCK_LOOK = 8,
};

/*
 * Blocks until held. `who` ("leat run") is written into the file with pid and time, for those who find it held; NULL
 * writes nothing (for locks that are taken often). The file is made if absent, its folder is not.
 */
must_check int lock_take(struct lock *l, const char *path, const char *who, unsigned flags, struct err *e);
/* Does not wait: ERR_BUSY with "held by pid 123, leat run, since ..." */
must_check int lock_try(struct lock *l, const char *path, const char *who, unsigned flags, struct err *e);
/* Waits at most that long, then as lock_try. */
must_check int lock_take_for(struct lock *l, const char *path, const char *who, unsigned flags, int64_t ms,
                             struct err *e);
void lock_drop(struct lock *l); /* not held is fine; for cleanup(lock_drop) too */
/* Opens once, takes often: leaves l->fd open but unlocked; lock_again takes it anew (blocking). */
void lock_pause(struct lock *l);
must_check int lock_again(struct lock *l, struct err *e);
must_check bool lock_try_again(struct lock *l); /* does not wait */
/* Whether somebody holds it exclusively now, and who says so ("" if it left no text). An absent file: false. */
bool lock_is_held(const char *path, char who[LOCK_TEXT]);
/* A folder itself, wherever it is renamed to: 1, and ours until *fd is closed; 0: another has it, or it is gone; -1. */
must_check int lock_folder(const char *path, int *fd, struct err *e);

/*
 * Bytes of a file as locks (OFD locks of fcntl), one byte a thing: many may share one, a holder that dies lets go, and
 * the file itself stays empty. The locks belong to the descriptor: closing it frees them all.
 */
must_check int lock_bytes_open(const char *path, int *fd, struct err *e); /* made if absent */
must_check int lock_byte(int fd, uint64_t at, struct err *e);             /* at < 2^62; held already is fine */
void lock_byte_free(int fd, uint64_t at);
must_check int lock_byte_alone(int fd, uint64_t at, struct err *e); /* waits until nobody else holds it */
/* Whether another descriptor holds it: 1, 0, -1. An absent file is for the caller to judge. */
must_check int lock_byte_held(int fd, uint64_t at, struct err *e);
/* Holds n bytes alone, if nobody holds one: 1, 0, -1. Give them back soon: who wants one of them waits. */
must_check int lock_bytes_alone(int fd, uint64_t at, uint64_t n, struct err *e);
void lock_bytes_free(int fd, uint64_t at, uint64_t n);
must_check int lock_bytes_held(int fd, uint64_t at, uint64_t n, struct err *e); /* any of n bytes */

#endif
