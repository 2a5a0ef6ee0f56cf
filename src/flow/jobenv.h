/*
 * flow/jobenv.h: the files that a job's Python environment is made of, found when the job is read: they count in the
 * memo key as its code does (labels JOB_ENVIRONMENT + path). For jobfile.c and jobcache.c.
 *
 * What `environment:` names is looked for in the job's folder, then in the workspace; with it come the files that a
 * requirements file includes, and those that belong to a lock file.
 */
#ifndef LEAT_FLOW_JOBENV_H
#define LEAT_FLOW_JOBENV_H

#include "flow/jobfile.h"

#define JOBENV_NONE "none"

must_check int jobenv_files(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l,
                            struct str main, struct err *e);
/* `environment` of leat.yaml; "". */
struct str jobenv_setting(struct arena *a, const struct workspace *ws);

#endif
