/*
 * api/plan_file.h: a plan as a file: what was asked, where the heads stood, what each unit was to do and why. `run
 * --plan` makes the plan anew and carries it out only if it is the same, unit by unit.
 *
 *   {format: 1, leat, workspace, on, made, by, asked: {jobs, ranges, upstream, params}, heads: [{repo, commit}],
 *    code: [{job, params, files: [{path, sha256}]}], units: [rows as `plan --json` has them], to_run, known, seconds,
 *    bytes}
 */
#ifndef LEAT_API_PLAN_FILE_H
#define LEAT_API_PLAN_FILE_H

#include "api/ask.h"

#define PLAN_FILE_FORMAT 1
#define PLAN_FILE_MAX ((size_t)1 << 30)

/* What the request and these rows (which only the units that run are taken of) are as a plan. */
must_check int plan_file_make(struct api *api, struct catalog *c, const struct asking *q, const struct dom *rows,
                              struct dom **out, struct err *e);
/* JSON, or Markdown where the name ends in .md. */
must_check int plan_file_write(struct arena *a, const char *path, const struct dom *plan, struct err *e);
/* Refuses what is no plan, and one of another workspace, branch, version of the file or of leat. */
must_check int plan_file_read(struct api *api, const char *path, struct dom **out, struct err *e);
/* The request that a plan answers. */
must_check int plan_file_ask(struct api *api, const struct dom *plan, struct asking *q, struct err *e);
/* ERR_REFUSED where the plan of now has other units; what moved is told in notes, then in the error. */
must_check int plan_file_same(struct api *api, const char *path, const struct dom *plan, const struct dom *now,
                              struct sink *out, struct err *e);

/* What names a unit of a plan: its job and ds. */
struct str plan_file_unit(struct arena *a, const struct dom *unit);

#endif
