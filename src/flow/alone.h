/*
 * flow/alone.h: one unit of a data-driven job by itself (`leat run JOB --unit N`), to look at it: in folders of its
 * own, made as for any other try, and nothing of it is recorded, remembered or published. What it prints goes to
 * standard error as it comes.
 */
#ifndef LEAT_FLOW_ALONE_H
#define LEAT_FLOW_ALONE_H

#include "flow/datum.h"
#include "flow/plug.h"
#include "flow/run.h"

struct data_day;

struct alone_ask {
	const struct job *job;
	const struct datum *datum;
	const struct data_day *day; /* its ds, and what it reads for that; NULL: the job has no partitions */
	int64_t number;             /* of the unit, for LEAT_UNIT */
	const struct commit *heads; /* of the inputs, in their order; no id: nothing is there */
	const struct dom *params;   /* --param, or NULL */
	const char *shell;          /* in place of its program, on our terminal and without a limit of time; NULL */
	const char *dir;            /* absolute: an empty folder of the caller's; what it wrote ends up in dir/out */
};

/* -1: it could not be started. Else *out says how it ended: as of an attempt. */
must_check int alone_run(struct flow *f, struct catalog *c, const struct alone_ask *ask, struct attempt_result *out,
                         struct err *e);

#endif
