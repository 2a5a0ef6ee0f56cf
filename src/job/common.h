/*
 * job/common.h: what kinds that start a process share (script.c).
 */
#ifndef LEAT_JOB_COMMON_H
#define LEAT_JOB_COMMON_H

#include "exec/exec.h"

/* What the keys of defs/scriptkeys.def, or else the job's program, say that is to be started. */
must_check int script_task(struct attempt *t, struct exec_task *out, struct err *e);
/* job_kind.imports: its program is Python, as far as one can see. */
bool script_imports(const struct job *j, struct str main);
/* What brings a well-known program that is not there, as a sentence; NULL. */
const char *script_instead(const char *program);

#endif
