/*
 * job/notebook_sql.h: the engine of SQL notebooks: DuckDB in its worker (db/duck.h), with no Python. All cells are one
 * session, so tables and macros that a cell makes are there for those after it; the inputs of the task are its views.
 *
 * A cell is SQL, in which `{{ }}` are the names that were set, bound as values. Its first line may be
 * `%%sql [NAME] [--output]`, or %%cell for one that note/run.c has put there: the rows become the table NAME of the
 * session, and are written as the unit's output.
 */
#ifndef LEAT_JOB_NOTEBOOK_SQL_H
#define LEAT_JOB_NOTEBOOK_SQL_H

#include "note/engine.h"

extern const struct engine_kind engine_sql;

#endif
