/* exec/local_in.h: what the files of the local runner share beside exec.h. */
#ifndef LEAT_EXEC_LOCAL_IN_H
#define LEAT_EXEC_LOCAL_IN_H

#include "exec/exec.h"
#include "flow/secret.h"
#include "sys/env.h"
#include "sys/root.h"

#define WORK_DIR "/" ROOT_OWN "/work" /* of a task with a root of its own */
#define REPORT_DIR "/" ROOT_OWN "/report"

/*
 * As exec_new for a process that outlives the attempt: without inputs and without a log of its own; `more` is what else
 * its root shows (nothing, where it has none).
 */
must_check int local_host(struct attempt *t, const struct root_mount *more, size_t n_more, struct exec **out,
                          struct err *e);
void local_set(struct exec *x, const char *key, const char *value); /* a variable, before it runs */
/* Where what it prints goes from now on; fd -1: nowhere. */
void local_log(struct exec *x, int fd, const char *path);
void local_drain(struct exec *x); /* what it has printed so far is in the log */
/* Fills the lazy inputs of a unit from now on; where that fails the process is killed. */
must_check int local_fill(struct exec *x, const struct attempt *t, struct err *e);
bool local_filled(struct exec *x); /* ends that; false: it failed, so what was read of them may be half */
const struct secrets *local_secrets(const struct exec *x);
struct arena *local_arena(const struct exec *x); /* of the attempt */
bool local_over(struct exec *x);   /* it took more than it may, and is being killed */
/* Ends it without a callback: it has so long to end by itself. */
void local_end(struct exec *x, int64_t ms);
/* The variables of the unit alone, its inputs below `pfs`. */
void local_unit_env(struct attempt *t, const char *pfs, struct env *v);

#endif
