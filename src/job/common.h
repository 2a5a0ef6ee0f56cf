/*
 * job/common.h: what kinds that start a process share (common.c, script.c, zygote.c, forked_worker.c).
 */
#ifndef LEAT_JOB_COMMON_H
#define LEAT_JOB_COMMON_H

#include "exec/exec.h"

/* The job's program among its code, the first by label where two have its path; NULL: it has none. */
const struct job_code *common_main(const struct job *j);
/* For the columns of job_kind. */
must_check int common_check(const struct job *j, struct err *e);
must_check int common_ready(const struct job *j, const struct workspace *ws, struct err *e);
const char *common_note(const struct job *j, struct arena *a, size_t n_units);
void common_cancel(struct attempt *t, bool hard); /* attempt.own begins with a struct exec *, or is NULL */

/* What the keys of defs/scriptkeys.def, or else the job's program, say that is to be started. */
must_check int script_task(struct attempt *t, struct exec_task *out, struct err *e);
/* job_kind.imports: its program is Python, as far as one can see. */
bool script_imports(const struct job *j, struct str main);
/* What brings a well-known program that is not there, as a sentence; NULL. */
const char *script_instead(const char *program);

/*
 * A zygote is an interpreter that has imported already, from which notebooks and Python jobs are forked
 * (note/python_warm.h): one for each interpreter, way of executing and set of modules. It lives with the daemon of the
 * workspace, where there is one; else with the run that started it, which does so for the second unit of a job. It gets
 * the tasks' environment without what is a unit's, and one thread for each library.
 *
 * Its name for the attempt; NULL: it starts cold. mode: as note/driver/zygote.py has them. `label`: of the code in the
 * work folder.
 */
const char *zygote_for(struct attempt *t, const char *python, const char *mode, struct str label);
void zygote_end(void *kept); /* for job_kind.done */
/* `leat --role zygote NAME OWNER MODE PYTHON`: one for itself, which lives as long as the process OWNER. */
#define ZYGOTE_ROLE "zygote"
int zygote_main(int argc, char **argv);

/*
 * `leat --role forked ZYGOTE GROUP TOLD PROGRAM ARGUMENT...` stands in a process's place for one that a zygote forks:
 * it passes signals on, and ends as that ends. Where none can be had, it becomes PROGRAM. GROUP: of the task's group of
 * processes, "": none. TOLD: the file that gets {cpu_ms, peak_kb, placed, left} when the forked one has ended
 * (note/engine.h, struct engine_end), "": none. Without that file nothing was forked, or nobody knows.
 */
#define FORKED_ROLE "forked"
#define FORKED_JOB "job" /* the zygote's mode for leat/_job.py */
int forked_main(int argc, char **argv);
/*
 * For the kind, when the task has ended (told: that document; NULL: there is none): what it took is added to the
 * result, and what it may have left running is ended.
 */
void forked_ended(const struct attempt *t, const struct proc_exit *x, const struct dom *told, struct attempt_result *r);

#endif
