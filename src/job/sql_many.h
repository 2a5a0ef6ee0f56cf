/*
 * job/sql_many.h: many units of a sql job as one statement (SEMANTICS 4): the user's query stands in a
 * lateral join over
 * the units' labels, and each of its tables is what the unit of that label reads. DuckDB makes one join of it.
 */
#ifndef LEAT_JOB_SQL_MANY_H
#define LEAT_JOB_SQL_MANY_H

#include "flow/plug.h"
#include "flow/workers.h"

#define SQL_OUT_NAME "part-0.parquet"

/* What attempt.own of a sql unit begins with. */
struct sql_own {
	struct work *work; /* under way; NULL: none */
	bool asked, killed;
};

/* `batch: off`, of the job or in leat.yaml. */
bool sql_many_off(const struct flow *f, const struct job *j);
bool sql_many(struct flow *f, const struct job *j, struct arena *a, void **many);
bool sql_many_fit(const void *many, const struct plan_unit *first, const struct plan_unit *u);
must_check int sql_many_start(const void *many, struct attempt **t, size_t n, struct err *e);

#endif
