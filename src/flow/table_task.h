/*
 * flow/table_task.h: `leat sql --inputs`: the tables are the inputs of the task that it is called in, as LEAT_SPEC and
 * LEAT_INPUT_... name them (docs/reference/tasks.md). Outside of a task there are none.
 */
#ifndef LEAT_FLOW_TABLE_TASK_H
#define LEAT_FLOW_TABLE_TASK_H

#include "flow/table_folder.h"

must_check int table_task_inputs(struct arena *a, struct table_folder **out, size_t *n, struct err *e);
/* What {{ }} in a query of the task may name: ds, params, and `more` (a map, or NULL), which comes first. */
must_check int table_task_vars(struct arena *a, const struct dom *more, struct dom **out, struct err *e);
/* ask->sql with its {{ }} bound, as values and never as text of the query. */
must_check int table_task_bind(struct arena *a, struct table_query_ask *ask, const struct dom *vars, struct err *e);

#endif
