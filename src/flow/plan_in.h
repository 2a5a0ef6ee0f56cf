/*
 * flow/plan_in.h: what the files of plan share: which units there are to look at (plan_set.c), what becomes of one
 * (plan_decide.c).
 */
#ifndef LEAT_FLOW_PLAN_IN_H
#define LEAT_FLOW_PLAN_IN_H

#include "flow/key.h"

struct ds_list {
	struct ds *p;
	size_t n, cap;
	bool by_time; /* of slots: more of them come with time */
};

/*
 * The ds of a job that `leat run` looks at (SEMANTICS 5): 1; 0 where that set is not defined (outside world, no
 * partitioned
 * input, no start), -1. A job without partition: one ds NONE.
 */
must_check int plan_set(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds_list *out,
                        struct err *e);
/* The same of a job with partitions and globs: once made by hand a partition is in it, whatever its inputs are. */
must_check int plan_set_data(struct flow *f, struct catalog *c, struct arena *a, const struct job *j,
                             struct ds_list *out, struct err *e);
/* What the ranges of a request say to this job; `newest` resolved. */
must_check int plan_set_ranges(struct flow *f, struct catalog *c, struct arena *a, const struct job *j,
                               const struct ds_range *ranges, size_t n, struct ds_list *out, struct err *e);
struct ds plan_last_ended(const struct flow *f, const struct job *j);

/* --param holds for jobs that were asked for, not for what lies above them. */
const struct dom *plan_params(const struct plan_ask *ask, const struct plan_unit *u);

#endif
