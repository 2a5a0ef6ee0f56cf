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
/* Where they find attempt.report_dir; of a kind that reports. */
const char *exec_report_dir(const struct attempt *t) __attribute__((returns_nonnull));
/* PATH that a task of this attempt gets: the job's environment, the workspace's, in that order. */
const char *exec_path(const struct attempt *t) __attribute__((returns_nonnull));
/* The interpreter of its Python environment as they see it; NULL: it has none. After exec_new. */
const char *exec_python(const struct attempt *t);
/*
 * A process that an interpreter of that name runs has been started, and has ended: which it is and the packages that it
 * finds become facts of the attempt (python: {version, executable, packages, freeze, ...}).
 */
void exec_python_began(struct attempt *t, const char *name);
void exec_python_ended(struct attempt *t, const char *name, struct attempt_result *r);

/* memory: and cpu: of a job (local_limit.h). For job_kind.check: that what its own keys say can be. */
must_check int exec_limits_check(const struct job *j, struct err *e);
/* For job_kind.note: what of them is not held here; NULL: nothing, or none is asked for. */
const char *exec_limits_note(const struct job *j, struct arena *a);
/* Whether its processes will have a group of their own (sys/cgroup.h), called after attempt.marker. */
bool exec_has_group(const struct attempt *t);

struct exec_task {
	const char *const *argv;
	struct str in;   /* what it reads from its standard input; STR_NULL: nothing */
	const char *cwd; /* as it sees it; NULL: the work folder */
	bool terminal;   /* it has this process's standard input, output and errors, and its terminal */
	bool bare;       /* it dies with us: no shim (sys/shim.h) */
};

/* Makes what the attempt's processes see: environment and folders. It goes with the attempt. */
must_check int exec_new(struct attempt *t, struct exec **out, struct err *e);
/*
 * Starts one of them, after the one before has ended. Programs are looked up in exec_path. The callback comes from the
 * loop, once all that the process left running has been ended too.
 */
must_check int exec_run(struct exec *x, const struct exec_task *task, exec_done_cb *cb, void *ptr, struct err *e);
/* One that exec_run of a process that has died started: as if this process had. Ended already is fine. */
must_check int exec_adopt(struct attempt *t, const struct proc_shim *row, exec_done_cb *cb, void *ptr,
                          struct exec **out, struct err *e);
/*
 * Without the secrets that the task was given: the error that tells of it; every file of a folder that it wrote. Where
 * it was given none, nothing is done.
 */
void exec_mask_err(const struct exec *x, struct err *e);
must_check int exec_mask_folder(const struct exec *x, const char *dir, struct err *e);
/* TERM (or KILL, if hard) to the task and all that it started. The callback still comes. */
void exec_cancel(struct exec *x, bool hard);
/* What an exit means for the attempt: OK, FAILED with "exit status 3". */
void exec_result(const struct attempt *t, const struct proc_exit *x, struct attempt_result *out);
/* Adds metrics, lines `::metric auc=0.91` of its log, to the facts. For kinds whose log is what the task prints. */
void exec_metrics(struct attempt *t, struct attempt_result *r);

/*
 * `datumBatching: true`: one long-lived process takes one unit after the other, each when it asks
 * for it by `leat next` (in Pachyderm's words `pachctl next datum`).
 *
 * Its root is made once; /pfs in it is a folder of ours, whose content changes between two units: the inputs of the
 * next are renamed into it, what lies in /pfs/out is copied away (so that nothing that the process still holds open can
 * change it later) and then removed. To the engine each unit is an attempt of its own, with its log and its limit of
 * time; the process dies with the unit that it is at, and another takes the next one.
 */
#define EXEC_NEXT "LEAT_NEXT"   /* the socket that `leat next` asks at */
#define EXEC_NEXT_MAX 4096      /* a request or an answer, at most */
#define EXEC_NEXT_END_MS 500    /* how long a process has after it heard that there are no more units */

struct host; /* such a process */

/* why NULL: the unit is done. Comes from the loop. */
typedef void exec_batch_cb(void *ptr, const struct err *why, int status);

/* Gives the attempt to a process that waits, or starts one; `make` says what is started. */
typedef int exec_make(struct attempt *t, struct exec_task *out, struct err *e);
must_check int exec_batch_start(struct attempt *t, exec_make *make, exec_batch_cb *cb, void *ptr, struct host **out,
                                struct err *e);
void exec_batch_cancel(struct host *h, bool hard);
/* The run is over: those that wait hear that there are no more units, and end. For job_kind.done. */
void exec_batch_end(void *kept);

#endif
