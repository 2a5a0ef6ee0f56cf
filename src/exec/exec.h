/*
 * exec/exec.h: where the process of an attempt runs. Today: on this machine (local.c).
 *
 * The environment is that of SEMANTICS 5: PATH of the workspace, HOME, LANG=C.UTF-8, TZ=UTC, the job's `environment:`
 * and `env:`, DS, LEAT_* and what marks the task's processes (LEAT_TASK); nothing of the caller's own. Standard input
 * is empty, output and errors go to the log of the attempt.
 *
 * A task with a root of its own (attempt.root_dir) finds its inputs at /pfs/NAME, its output at /pfs/out, its work
 * folder and spec in /leat, and neither .leat nor datastore; else it finds them where they are, the inputs mounted
 * read-only over themselves in the child's view where the machine allows it.
 */
#ifndef LEAT_EXEC_EXEC_H
#define LEAT_EXEC_EXEC_H

#include "flow/plug.h"
#include "sys/proc.h"

struct exec;

/* How it ended. `lost` never; a process that a signal ended has x.signal. */
typedef void exec_done_cb(void *ptr, const struct proc_exit *x);

/* The attempt's work folder as its processes see it. */
const char *exec_work_dir(const struct attempt *t) __attribute__((returns_nonnull));
/* PATH that a task of this attempt gets: the job's environment, the workspace's, in that order. */
const char *exec_path(const struct attempt *t) __attribute__((returns_nonnull));

struct exec_task {
	const char *const *argv;
	struct str in;   /* what it reads from its standard input; STR_NULL: nothing */
	const char *cwd; /* as it sees it; NULL: the work folder */
	bool terminal;   /* it has this process's standard input, output and errors, and its terminal */
};

/* Makes what the attempt's processes see: environment and folders. It goes with the attempt. */
must_check int exec_new(struct attempt *t, struct exec **out, struct err *e);
/*
 * Starts one of them, after the one before has ended. Programs are looked up in exec_path. The callback comes from the
 * loop, once all that the process left running has been ended too.
 */
must_check int exec_run(struct exec *x, const struct exec_task *task, exec_done_cb *cb, void *ptr, struct err *e);
/* TERM (or KILL, if hard) to the task and all that it started. The callback still comes. */
void exec_cancel(struct exec *x, bool hard);
/* What an exit means for the attempt: OK, FAILED with "exit status 3". */
void exec_result(const struct attempt *t, const struct proc_exit *x, struct attempt_result *out);

#endif
