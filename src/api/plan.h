/*
 * api/plan.h: what `plan` and the commands that run jobs have in common.
 */
#ifndef LEAT_API_PLAN_H
#define LEAT_API_PLAN_H

#include "api/ask.h"

/* A row per unit that runs or lacks an input; `all`: also of the others. */
must_check int plan_rows(struct api *api, const struct plan *p, bool all, struct sink *out, struct err *e);
/*
 * A job that never made anything and of which no unit is known, as one that reads what is not there: no line of the
 * plan tells of it.
 */
must_check int plan_say_idle(struct api *api, struct catalog *c, const struct asking *q, const struct plan *p,
                             struct sink *out, struct err *e);

/* The request of a saved plan, if just that would run now; ERR_REFUSED, and what moved named, if not. */
must_check int plan_check_file(struct api *api, const char *path, struct asking *q, struct sink *out, struct err *e);
/*
 * The plan that a run of it has made (q->saved): refused if it is another after all. Where jobs ran before it whose
 * units come from the data, and what they gave moved things on, only the units of the saved plan are left in it.
 */
must_check int plan_hold(struct api *api, struct catalog *c, const struct asking *q, struct plan *p, bool after_data,
                         struct sink *out, struct err *e);

#endif
