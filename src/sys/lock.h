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
	bool text;
};
#define LOCK_INIT {.fd = -1}

enum { LOCK_SHARED = 1 };

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

#endif
