/*
 * job/notebook_zygote.h: the interpreter that has imported already, from which notebooks are forked
 * (note/python_warm.h): one for each interpreter, way of executing and set of modules.
 *
 * It lives with the daemon of the workspace, where there is one; else with the run that started it, which does so for
 * the second unit of a job. It gets the tasks' environment without what is a unit's, and one thread for each library.
 */
#ifndef LEAT_JOB_NOTEBOOK_ZYGOTE_H
#define LEAT_JOB_NOTEBOOK_ZYGOTE_H

#include "exec/exec.h"

/* Its name for the attempt's worker; NULL: it starts cold. `label`: of the notebook in the work folder. */
const char *zygote_for(struct attempt *t, const char *python, const char *mode, struct str label);
void zygote_end(void *kept); /* for job_kind.done */

#endif
