/* api/plan_row.h: rows of a plan, as `leat plan` and `leat backfill --dry-run` print them. */
#ifndef LEAT_API_PLAN_ROW_H
#define LEAT_API_PLAN_ROW_H

#include "api/api.h"
#include "flow/plan.h"

/* job, ds */
void unit_row_key(struct arena *a, struct dom *row, const struct job *job, const struct ds *ds);
struct dom *plan_row(struct arena *a, const struct plan_unit *u);
/* The days of a job with partitions and globs that have something to run; of ranges all that are asked for. *rows: how
 * many; may be NULL. */
must_check int plan_days(struct api *api, const struct job *j, const struct ds_range *r, size_t n_ranges,
                         enum plan_mode mode, struct sink *out, size_t *rows, struct err *e);

#endif
