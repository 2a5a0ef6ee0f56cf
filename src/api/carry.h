/*
 * api/carry.h: carries out what was asked for, as `leat run`, `backfill`, `rerun` and the daemon's runners do: brings
 * datastore/ back where it drifted, takes what data brings, makes the plan and runs it, pushes what is to leave.
 */
#ifndef LEAT_API_CARRY_H
#define LEAT_API_CARRY_H

#include "api/ahead.h"

struct carry_how {
	const char *command;           /* for the rows */
	const char *kind;              /* run, backfill, rerun, schedule */
	int slots;                     /* 0: the setting */
	struct id batch;               /* "": a new one */
	const struct run_label *labels; /* as in struct run_opts */
	size_t n_labels;
	bool reverse;                  /* the last ds first */
	bool each_asked;               /* as in struct run_opts */
	bool data_only;                /* only jobs whose units come from data */
	bool lenient;                  /* a job whose file is broken does not hold up the others */
	const struct ahead *ahead;     /* a plan that may be that of the calendar; NULL */
	/* Told of the calendar's plan before it runs; NULL. */
	int (*planned)(void *ptr, const struct plan *p, struct err *e);
	void *ptr;
};

/* Rows of what happens and a summary; sets api->exit_status. */
must_check int carry_out(struct api *api, const struct carry_how *how, struct asking *q, struct sink *out,
                         struct err *e);

#endif
