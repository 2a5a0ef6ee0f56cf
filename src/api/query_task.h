/*
 * api/query_task.h: `leat sql --inputs`: the tables are the inputs of the task that it is called in, as LEAT_SPEC and
 * LEAT_INPUT_... name them (docs/reference/tasks.md). Outside of a task there are none.
 */
#ifndef LEAT_API_QUERY_TASK_H
#define LEAT_API_QUERY_TASK_H

#include "api/api.h"
#include "flow/table_folder.h"

must_check int query_task_inputs(struct arena *a, struct table_folder **out, size_t *n, struct err *e);

#endif
