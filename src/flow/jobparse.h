/*
 * flow/jobparse.h: from the document of a job's keys to struct job. For job.c only.
 */
#ifndef LEAT_FLOW_JOBPARSE_H
#define LEAT_FLOW_JOBPARSE_H

#include "flow/job.h"

struct jobfile_list;

/* Tables of keys: of every job, and of one kind (NULL: of all kinds). */
#define JOBPARSE_MAX_TABLES 64
struct jobparse_tables {
	struct keys own[JOBPARSE_MAX_TABLES];
	const struct keys *all[JOBPARSE_MAX_TABLES];
	size_t n;
};
void jobparse_tables_init(struct jobparse_tables *t, const struct job_kind *const *kinds, const struct job_kind *only);

const struct job_kind *jobparse_kind(const struct job_kind *const *kinds, struct str name); /* NULL */

/*
 * j->name, dir, file, folder_pipeline and doc are set: finds the kind (by the key, else by the files that are there)
 * and checks every key against its table.
 */
must_check int jobparse_check(struct jobs *js, struct job *j, const struct jobfile_list *files, struct err *e);
/* Fills all that follows from the keys of a checked job. */
must_check int jobparse_fill(struct jobs *js, struct job *j, struct err *e);

/* What a value of `sandbox:` says, in job.yaml or leat.yaml. */
enum job_sandbox jobparse_sandbox(const struct dom *v);

#endif
