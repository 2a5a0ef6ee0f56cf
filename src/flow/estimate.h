/*
 * flow/estimate.h: how long a unit of a job will take and how much it will write, from what the last runs of it did.
 */
#ifndef LEAT_FLOW_ESTIMATE_H
#define LEAT_FLOW_ESTIMATE_H

#include "flow/job.h"
#include "repo/tree.h"

struct estimate {
	double seconds; /* a unit, with what else ran beside it: the time of a run by its units */
	int64_t bytes;  /* of its output */
	size_t runs;    /* it is of; 0: nothing is known */
};

/* The median of the last runs that were good. */
must_check int estimate_job(struct store *s, const struct job *j, struct estimate *out, struct err *e);

#endif
