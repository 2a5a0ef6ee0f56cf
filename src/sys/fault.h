/*
 * sys/fault.h: named fault points, so that tests can make the process die, or the disk fail, at a known place.
 *
 * Only in builds with LEAT_FAULTS (meson -Dfaults=true); in all others everything here compiles to nothing.
 *   LEAT_CRASH_AT=NAME or NAME:K   SIGKILL to ourselves the first (K-th) time the point NAME is reached
 *   LEAT_STOP_AT=NAME or NAME:K    SIGSTOP there: the test does something beside it, then lets it go on (SIGCONT)
 *   LEAT_FAULT=enospc@N | eio@N    the N-th (from 1) writing operation of the process fails with that error
 *   LEAT_FAULT=torn@N              the N-th: a write writes half its bytes and the process is killed; any other
 *                                  operation is not done and the process is killed; nor is a write of SQLite's
 *                                  within one sector of a disk, which comes whole or not at all
 *   LEAT_FAULT_COUNT=FILE          at exit one line "COUNT PID" is appended: how many operations there were
 * Writing operations: open for writing, write, copy, fsync, rename, link, mkdir, unlink, chmod, truncate; those of
 * sys/fd, sys/file, sys/dir, and those of SQLite through db's VFS, all in one count. The points are the rows of
 * defs/faults.def; a name that is not there is a BUG.
 */
#ifndef LEAT_SYS_FAULT_H
#define LEAT_SYS_FAULT_H

#include "base/base.h"

struct fault_point {
	const char *name, *where;
};

#define FAULT_TORN (-1)

/*
 * A test that walks through interleavings (tests/unit/repo/t_weave.c) runs several handles in one thread: wherever
 * another process might come in between it is asked who goes on. Nobody sets this but such a test.
 */
struct fault_weave {
	int (*step)(const char *what); /* somebody else may go on first; an errno makes the operation fail with it */
	void (*wait)(const char *what); /* what is wanted is held: comes back when somebody else has done something */
	int64_t (*now_ns)(void);       /* of all clocks */
	void (*sleep)(int64_t ms);
	void (*rand)(void *p, size_t n);
};

#ifdef LEAT_FAULTS

void fault_crash(const char *name);
/* 0 = go on; an errno = fail with it, without doing it; FAULT_TORN only if op is "write": do half, then fault_die(). */
int fault_io(const char *op, const char *path);
noreturn void fault_die(void);
unsigned long fault_count(void);
/* The same without a step of its own: what lies within SQLite is one step. */
int fault_io_within(const char *op, const char *path);
void fault_weave_set(const struct fault_weave *w); /* NULL: nobody weaves */
const struct fault_weave *fault_weave(void);
void fault_step(const char *what); /* where another process might come in between, and nothing can fail */
/* Whether any fault is set, or counted: then nothing that passes a fault point is done by several threads. */
bool fault_armed(void);
/* The table; *n = 0 in builds without faults. */
const struct fault_point *fault_names(size_t *n);

#else

static inline const struct fault_weave *fault_weave(void)
{
	return NULL;
}

static inline void fault_step(const char *what)
{
	(void)what;
}

static inline void fault_crash(const char *name)
{
	(void)name;
}

static inline int fault_io(const char *op, const char *path)
{
	(void)op;
	(void)path;
	return 0;
}

static inline void fault_die(void)
{
}

static inline bool fault_armed(void)
{
	return false;
}

static inline const struct fault_point *fault_names(size_t *n)
{
	*n = 0;
	return NULL;
}

#endif
#endif
