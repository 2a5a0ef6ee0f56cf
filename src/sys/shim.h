/*
 * sys/shim.h: a process between this one and a task that it starts, so that the task outlives this one and how it ended
 * is never lost.
 *
 * The shim (shim_main.c, its own small program without a C library, kept in this one) leads a session, starts the task
 * as its child, and takes what the task leaves running for its own children (subreaper). It waits, ends what is left,
 * and writes what came of it into its row of a table; then it ends. Nothing asks it to end: it ignores what can be
 * ignored, and who kills it loses how the task ended, not the task.
 *
 * Most take one task after the other (shim_seat.c): starting a program twice for each task, once for the shim, costs as
 * much as the rest of a small one. Between two tasks such a shim waits at a socket for its next order; it ends when it
 * is closed, so one whose starter has died does what it is at, writes that down, ends: as those of one task do.
 *
 * A table is a file of rows of one size, one row a task that is at work or whose end nobody has taken note of; it lies
 * with the staging folders of a run. Rows are overwritten where they are, never added to while a shim writes: that
 * needs no room on the disk, and no rename. They need not survive a power cut: nor does the task.
 */
#ifndef LEAT_SYS_SHIM_H
#define LEAT_SYS_SHIM_H

#include <stdint.h>

/* The first half of a row: written before the shim is started, by who starts it. All zero: free. */
struct shim_begun {
	uint32_t magic;     /* SHIM_MAGIC */
	int32_t number;     /* which attempt */
	int64_t unit;
	int64_t desk;       /* its folder: staging/run/RUN/DESK */
	int64_t out_ino, log_ino;
	int64_t out_stamp;
	int64_t mono_ms;    /* when, by the monotonic clock */
	int32_t taken;      /* what it gave has been looked at, and there was nothing */
	int32_t bare;       /* it has no shim: it dies with who starts it */
};

enum shim_phase {
	SHIM_NONE,     /* it has not come so far */
	SHIM_STARTED,  /* .pid is it; the task may have begun */
	SHIM_ENDED,    /* .status is the task's, as wait(2) tells it */
	SHIM_NO_EXEC,  /* .error: why the program could not be started */
	SHIM_GIVEN_UP, /* who started it had died before it began: it did nothing */
};

/* The second half: the shim's. */
struct shim_told {
	uint32_t phase;
	int32_t pid;
	int32_t status, error;
	int32_t killed;     /* how many processes the task had left running; -1: they could not be found */
	int32_t no_folder;  /* the error is of the folder that the task was to start in */
	int64_t ended_ms;   /* since 1970 */
	int64_t user_us, system_us;
	int64_t peak_kb;    /* of the largest of its processes */
};

struct shim_row {
	struct shim_begun begun;
	struct shim_told told;
	int64_t spare;
};

#define SHIM_MAGIC 0x6d696873u
#define SHIM_TABLE_FD 3 /* the table, in the shim */
#define SHIM_HOLDS 2    /* descriptors after it, which stay open as long as the task and what it leaves are there */
#define SHIM_NAME "leat-shim"
#define SHIM_DETACH 1u  /* what is left running may go on */

/*
 * Its arguments: SHIM_NAME, place of its half in the table, pid of who starts it, flags, how many groups of processes
 * the task is to enter (sys/cgroup.h; their descriptors follow the table's, before those it holds), how many FILEs (all
 * decimal), FILE..., then the task's own arguments. The first FILE that is there is started.
 */

/*
 * One that takes orders has two arguments: SHIM_NAME, pid of who starts it. An order is one message: this, then strings
 * each with its NUL: folder, FILE..., arguments, environment. With it come descriptors: the table, what 1 and 2 become
 * and, if has_in, what 0 becomes; then those that are kept open until the task has ended. The answer is what it has
 * written into its row, struct shim_told.
 */
struct shim_order {
	int64_t told_at;
	uint32_t flags, n_files, n_argv, n_env;
	uint32_t has_in, n_holds;
};

#define SHIM_ORDERS_FD 4
#define SHIM_ORDER_MAX 65536  /* bytes of all strings; longer ones are for a shim of their own */
#define SHIM_ORDER_WORDS 1000 /* pointers to them, and those that end lists */

#if __STDC_HOSTED__ /* all but the shim itself */

#include "base/err.h"

/* What proc_spec.shim points to: whose row the task has. */
struct proc_shim {
	int table;
	uint32_t row;
	bool detach;
	/* Descriptors that stay open as long as the task: their locks end with it, if who starts it dies before. */
	int hold[SHIM_HOLDS];
	uint32_t n_holds;
};

/* One that takes orders, as it is known here. */
struct shim_seat {
	int fd, pid;
	struct shim_seat *next;
};

/* The program, in memory: a descriptor for execveat. -1: this machine executes nothing from memory. */
int shim_program(void);
void shim_seats_end(void); /* of those that take orders, those that have nothing to do: they have ended */

must_check int shim_open(const char *path, bool make, int *fd, struct err *e);
must_check int shim_begin(int fd, uint32_t row, const struct shim_begun *b, struct err *e); /* and nothing told */
must_check int shim_taken(int fd, uint32_t row, struct err *e);
must_check int shim_free(int fd, uint32_t row, struct err *e);
/* 1; 0: the table ends before it; -1. */
must_check int shim_read(int fd, uint32_t row, struct shim_row *out, struct err *e);
void shim_told(int fd, uint32_t row, struct shim_told *out); /* phase SHIM_NONE where it cannot be read */

#endif
#endif
