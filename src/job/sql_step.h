/*
 * job/sql_step.h: sql jobs without output (`output: none`). How many rows a unit's query gave, and the first of them,
 * are facts of the unit (`why`, `logs`); nothing is published.
 */
#ifndef LEAT_JOB_SQL_STEP_H
#define LEAT_JOB_SQL_STEP_H

#include "flow/plug.h"
#include "flow/workers.h"

/* many and start_many (struct job_kind) of jobs without output; any of a job's units fit together. */
bool sql_steps(struct flow *f, const struct job *j, struct arena *a, void **many);
must_check int sql_steps_start(const void *many, struct attempt **t, size_t n, struct err *e);
/* What the worker's reply tells of one, in the arena. */
const struct dom *sql_step_facts(struct arena *a, const struct dom *reply);

#endif
