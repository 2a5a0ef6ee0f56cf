/*
 * api/notebook_diff.h: `leat notebook diff`: two notebooks as they ran, cell by cell. Which: a run, JOB@DS, a pin of
 * job_runs/JOB, a file.
 */
#ifndef LEAT_API_NOTEBOOK_DIFF_H
#define LEAT_API_NOTEBOOK_DIFF_H

#include "api/api.h"
#include "note/notebook.h"

/* One side: the notebook, and what the run told of itself. */
struct notebook_side {
	struct str shown;
	struct notebook nb;
	struct dom *metrics; /* a map */
};
must_check int notebook_side_find(struct api *api, const struct args *args, struct str text, struct notebook_side *out,
                                  struct err *e);

must_check int notebook_diff(struct api *api, const struct args *args, struct sink *out, struct err *e);

#endif
