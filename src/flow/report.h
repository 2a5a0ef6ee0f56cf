/*
 * flow/report.h: what an attempt leaves of itself, beside what it makes: a notebook as it ran, and its page.
 *
 * A kind that reports (plug.h) fills attempt.report_dir. Of the attempt that ends a unit, well or not, its content is a
 * commit of its own in the repo job_runs/JOB, whose partitions are those of the job (without any: its root; of units
 * that come from data: unit=ID/). It is no part of the group that is published, and moves only that repo's head. To
 * everybody else the repo is an output of the job.
 */
#ifndef LEAT_FLOW_REPORT_H
#define LEAT_FLOW_REPORT_H

#include "flow/plug.h"
#include "repo/store.h"

#define REPORT_ROOT "job_runs"

struct str report_repo(struct arena *a, const struct job *j);
struct str report_job(struct str repo); /* whose; STR_NULL: it is no repo of reports */
/* The folder of a unit in it: "ds=2018-01-01", "unit=0123456789ab", "". */
const char *report_folder(struct arena *a, const struct attempt *t);
/* Where a person finds a file of it once it is recorded: "datastore/job_runs/trips/ds=2018-01-01/x.html". */
const char *report_place(struct attempt *t, const char *file);

#endif
