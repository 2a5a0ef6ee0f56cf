/*
 * exec/local_limit.h: `memory:` and `cpu:` of a job: what one of its tasks, with all that it starts, may take of the
 * machine.
 *
 * The task gets a group of processes of its own (sys/cgroup.h); one whose job has neither key gets none, and costs
 * nothing. Where no group can be had, or leat.yaml says `cgroups: off`, the memory of its processes is looked at ten
 * times a second, and cpu: holds nothing: a run says so first.
 */
#ifndef LEAT_EXEC_LOCAL_LIMIT_H
#define LEAT_EXEC_LOCAL_LIMIT_H

#include "flow/plug.h"
#include "sys/proc.h"

struct limit;
typedef void limit_over_cb(void *ptr); /* from the loop: it takes too much and is to be killed at once */

/* Before the task is started. *out NULL: its job has no limits. */
must_check int limit_new(struct attempt *t, struct proc_spec *s, struct limit **out, struct err *e);
/* All of these take NULL. p stays where it is until limit_end. */
void limit_watch(struct limit *l, const struct proc *p, limit_over_cb *cb, void *ptr);
bool limit_look(struct limit *l); /* now: true if it took too much, and is being killed */
void limit_cancel(struct limit *l, bool hard); /* it is being killed: in its group too */
/*
 * It has ended: how much it took, and whether too much, goes into *x (NULL: it was not started). What `detach: ok` lets
 * go on stays in its group.
 */
void limit_end(struct limit *l, struct proc_exit *x);
/* The limits of one that another process started. */
void limit_adopt(struct attempt *t, struct limit **out);

#endif
